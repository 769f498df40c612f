"""What the commands do with loggers: record the configuration, close the run."""

import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from pytorch_lightning.loggers import Logger

from attnlab.private.wandb import forget_run


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"optimizer": {"lr": 1}}`` as ``{"optimizer.lr": 1}``; lists of plain values stay lists.

    Flat, because a W&B sweep sets parameters by these names: a parameter ``attention`` would replace a nested
    ``{"attention": {…}}`` whole, and lies beside ``attention.width`` where the keys are flat.
    """
    flat: dict[str, Any] = {}
    for key, value in config.items():
        name = f"{prefix}{key}"
        nested = numbered(value)
        if nested is None:
            flat[name] = value
        else:
            flat |= flatten(nested, f"{name}.")
    return flat


def numbered(value: Any) -> Mapping[str, Any] | None:
    """What lies under a node: the mapping itself, a list of containers by position, or None."""
    if isinstance(value, list | tuple) and any(isinstance(item, Mapping | list | tuple) for item in value):
        return {str(number): item for number, item in enumerate(value)}
    return value if isinstance(value, Mapping) else None


def log_config(loggers: Iterable[Logger], config: Mapping[str, Any], choices: Mapping[str, str | None]) -> None:
    """Record the resolved configuration, flat and without nulls, and which option of each group was chosen.

    Args:
        loggers: of the trainer.
        config: plain containers (``OmegaConf.to_container(config, resolve=True)``).
        choices: ``{"attention": "bahdanau", …}``.
    """
    own = {key: value for key, value in config.items() if key != "published"}  # of a paper, and no setting
    flat = {key: value for key, value in flatten(own).items() if value is not None} | dict(choices)
    for logger in loggers:
        logger.log_hyperparams(flat)


def go_on(loggers: Iterable[Logger]) -> None:
    """Let loggers add to what an earlier process has recorded in this run folder, where they can."""
    for logger in loggers:
        if hasattr(logger, "go_on"):
            logger.go_on()


def close_loggers(exit_code: int, loggers: Iterable[Logger] = (), why: str = "") -> None:
    """End the W&B run of this job, if there is one; a code other than 0 marks it as failed.

    Call it whether the job succeeded or not: the next job of a multirun in this process starts its own run.

    Args:
        exit_code: of the job.
        loggers: that are told the rest of what the console has shown, where they have a page for it.
        why: the job failed, to be told there last.
    """
    wandb = sys.modules.get("wandb")  # not imported, nothing to close; importing it takes half a second
    if wandb is None or wandb.run is None:
        return
    for logger in loggers:
        if hasattr(logger, "tell_console"):
            logger.tell_console(why)
    try:
        wandb.run.finish(exit_code=exit_code)
    except Exception as error:  # its process has been killed: let the next job have another
        print(f"W&B: the end of the run is not recorded there ({error})", file=sys.stderr)
        forget_run(wandb)
        with suppress(Exception):
            wandb.teardown()
