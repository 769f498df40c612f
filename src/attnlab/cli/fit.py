"""Training, from the configuration to the run folder."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from attnlab.callbacks.loggers import close_loggers, go_on, log_config
from attnlab.cli import build
from attnlab.cli.quiet import quiet, set_up_torch
from attnlab.cli.runs import resume_from
from attnlab.cli.table import summary
from attnlab.errors import NonFiniteError


def fit(config: DictConfig) -> float | None:
    """Train, test the best checkpoint, print the table.

    Raises:
        ConfigError, DataError: with what to change.
    """
    quiet()
    set_up_torch()
    build.rehearse(config)
    checkpoint = resume_from(config.ckpt_path)
    trainer: pl.Trainer = instantiate(
        config.trainer, callbacks=components(config.callbacks), logger=components(config.logger)
    )
    if checkpoint is not None and Path(config.paths.run).resolve() in Path(checkpoint).resolve().parents:
        go_on(trainer.loggers)
    failed = True
    try:
        data = instantiate(config.data)
        data.prepare_data()
        data.setup("fit")
        # Now, so that a run that prepares the data and one that finds them in the cache train the same model.
        pl.seed_everything(config.seed, workers=True, verbose=False)
        task = build.task(config, data)
        record_config(trainer, config)
        failure = fit_until_failure(trainer, task, data, checkpoint)
        score, training = best_score(trainer), dict(trainer.callback_metrics)  # testing starts afresh
        trainer.test(task, data, ckpt_path=best_checkpoint(trainer), verbose=False, weights_only=True)
        if failure is not None:
            raise NonFiniteError(f"{failure}. The best checkpoint so far has been tested") from failure
        failed = False
    finally:
        close_loggers(exit_code=int(failed))
    if trainer.is_global_zero:
        summary({**training, **trainer.callback_metrics}, task, Path(config.paths.run))
    return score


def fit_until_failure(trainer: pl.Trainer, task: Any, data: Any, checkpoint: str | None) -> NonFiniteError | None:
    """Train; a training that left the finite numbers may have a best checkpoint, which is as good as it was."""
    try:
        trainer.fit(task, data, ckpt_path=checkpoint, weights_only=True)
    except NonFiniteError as error:
        if best_checkpoint(trainer) is None:
            raise
        return error
    return None


def record_config(trainer: pl.Trainer, config: DictConfig) -> None:
    """Tell the loggers the resolved configuration and the chosen options."""
    choices = {name: option for name, option in HydraConfig.get().runtime.choices.items() if "hydra/" not in name}
    plain: Any = OmegaConf.to_container(config, resolve=True)
    log_config(trainer.loggers, plain, choices)


def components(nodes: DictConfig | None) -> list[Any]:
    """The named nodes of a group, built; an empty group gives none, a node set to null is left out."""
    return [instantiate(node) for node in (nodes or {}).values() if node is not None]


def best_checkpoint(trainer: pl.Trainer) -> str | None:
    """None, to test the weights as they are, where nothing was saved (fast_dev_run, callbacks=none)."""
    callback = trainer.checkpoint_callback
    return getattr(callback, "best_model_path", None) or None


def best_score(trainer: pl.Trainer) -> float | None:
    score = getattr(trainer.checkpoint_callback, "best_model_score", None)
    return None if score is None else float(score)
