"""Training, from the configuration to the run folder."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from attnlab.callbacks.checkpoints import Checkpoints
from attnlab.callbacks.dashboards import Pages
from attnlab.callbacks.gemm_peak import slower
from attnlab.callbacks.loggers import close_loggers, go_on, log_config
from attnlab.callbacks.new_settings import NewSettings
from attnlab.callbacks.run_files import RunFiles, training_metrics
from attnlab.callbacks.throughput import precision
from attnlab.callbacks.watching import names_of_watchers
from attnlab.cli import build
from attnlab.cli.logging import quiet, set_up_torch
from attnlab.cli.multirun.turns import callback as turn_callback
from attnlab.cli.processes import end_processes, leave_signals_to_us
from attnlab.cli.record import UPDATE, trace
from attnlab.cli.runs import resume_from
from attnlab.cli.starting_point import bring, check_data
from attnlab.cli.table import show_card, summary
from attnlab.cli.tree import print_config
from attnlab.cli.trials import trial
from attnlab.environment import first_process
from attnlab.errors import ConfigError, NonFiniteError
from attnlab.interruption import Interrupted
from attnlab.watchdog import watching

log = logging.getLogger(__name__)


def fit(config: DictConfig) -> float | None:
    """Train, test the best checkpoint, print the table.

    Raises:
        ConfigError, DataError: with what to change.
    """
    quiet()
    set_up_torch()
    build.rehearse(config)
    folder = Path(config.paths.run)
    if config.print_config and first_process():
        print_config(config, folder)
    checkpoint = resume_from(config.ckpt_path)
    callbacks = named_callbacks(config.callbacks)
    if any(isinstance(item, Checkpoints) for item in callbacks):
        callbacks.append(NewSettings())
    if (turns := turn_callback()) is not None:
        callbacks.append(turns)
    trainer: pl.Trainer = build.made(config.trainer, callbacks=callbacks, logger=components(config.logger))
    leave_signals_to_us(trainer)
    if checkpoint is not None and folder.resolve() in Path(checkpoint).resolve().parents:
        go_on(trainer.loggers)
    code, watch, why = 1, ExitStack(), ""
    try:
        if trainer.world_size > 1:
            watch.enter_context(watching())
        data = build.made(config.data)
        data.prepare_data()
        data.setup("fit")
        data.require_splits()
        if first_process():
            warn_of_slow_precision(trainer)
            if checkpoint is not None:
                bring(Path(checkpoint), folder)
            check_data(data, folder, None if checkpoint is None else Path(checkpoint))
            show_card(data.card, once=HydraConfig.get().mode is RunMode.MULTIRUN)
        # Now, so that a run that prepares the data and one that finds them in the cache train the same model.
        pl.seed_everything(config.seed, workers=True, verbose=False)
        task = build.task(config, data)
        record_config(trainer, config)
        failure = fit_until_failure(trainer, task, data, checkpoint)
        score, training = best_score(trainer), dict(trainer.callback_metrics)  # testing starts afresh
        trainer.test(task, data, ckpt_path=best_checkpoint(trainer), verbose=False, weights_only=True)
        if trainer.is_global_zero and any(isinstance(logger, Pages) for logger in trainer.loggers):
            from attnlab.cli.viewing.training import show_training  # the viewer, which nothing else here has a use for

            show_training(trainer.loggers, folder, folder.name, task.words, trainer.global_step)
        if failure is not None:
            raise NonFiniteError(f"{failure}. The best checkpoint so far has been tested") from failure
        if trainer.is_global_zero:  # while loggers that show the console are still told of it
            notes = [tested(trainer, task), *trials(config)]
            summary({**training, **trainer.callback_metrics, **training_metrics(trainer)}, task, folder, notes)
        code = 0
    except BaseException as error:
        setattr(error, UPDATE, trainer.global_step)
        why = "".join(trace(error))
        code = error.code if isinstance(error, Interrupted) else code
        end_processes(trainer)
        raise
    finally:
        watch.close()
        close_loggers(code, trainer.loggers, why)
    return score


def warn_of_slow_precision(trainer: pl.Trainer) -> None:
    """Half precision is asked for to be faster, and where it is computed by other means it is far slower."""
    device, numbers = trainer.strategy.root_device, precision(str(trainer.precision))
    if numbers.itemsize < torch.float32.itemsize and (share := slower(device, numbers)) is not None:
        log.warning(
            "trainer.precision=%s: this %s multiplies %s at %.2g times the rate of float32, so training will be slower "
            "with it than without; trainer.precision=32-true takes it away",
            trainer.precision,
            "GPU" if device.type == "cuda" else "processor",
            str(numbers).removeprefix("torch."),
            share,
        )


def tested(trainer: pl.Trainer, task: Any) -> str:
    """Which weights the scores are of: ``tested: best.ckpt, after update 846 of 3,384 (val/bleu 34.52)``."""
    path, score = best_checkpoint(trainer), best_score(trainer)
    if path is None:
        return "tested: the weights as they are, no checkpoint was kept"
    chosen = "" if score is None else f" ({trainer.checkpoint_callback.monitor} {score:.4g})"  # type: ignore[union-attr]
    return f"tested: {Path(path).name}, after update {task.loaded_update:,} of {trainer.global_step:,}{chosen}"


def trials(config: DictConfig) -> Iterator[str]:
    """That a run is a trial, and what follows from that."""
    if made_by := trial(config.trainer):
        yield f"a trial ({made_by}): run=latest passes it by"


def fit_until_failure(trainer: pl.Trainer, task: Any, data: Any, checkpoint: str | None) -> NonFiniteError | None:
    """Train; a training that left the finite numbers may have a best checkpoint, which is as good as it was.

    Raises:
        ConfigError: validations are further apart than an epoch is long.
    """
    try:
        trainer.fit(task, data, ckpt_path=checkpoint, weights_only=True)
    except NonFiniteError as error:
        if best_checkpoint(trainer) is None:
            raise
        return error
    except ValueError as error:
        if "`val_check_interval`" in str(error):  # Lightning compares it when it has the batches
            raise ConfigError(
                f"trainer.val_check_interval={trainer.val_check_interval}: an epoch has {trainer.num_training_batches} "
                "batches, so no validation would come; make it less, or trainer.check_val_every_n_epoch=null, which "
                "counts through all epochs"
            ) from error
        raise
    return None


def record_config(trainer: pl.Trainer, config: DictConfig) -> None:
    """Tell the loggers the resolved configuration and the chosen options."""
    choices = {
        name: option
        for name, option in HydraConfig.get().runtime.choices.items()
        if "hydra/" not in name and "@" not in name
    }
    plain: Any = OmegaConf.to_container(config, resolve=True)
    log_config(trainer.loggers, plain, choices)


def components(nodes: DictConfig | None) -> list[Any]:
    """The named nodes of a group, built; an empty group gives none, a node set to null is left out."""
    return list(named(nodes).values())


def named(nodes: DictConfig | None) -> dict[str, Any]:
    return {str(name): build.made(node) for name, node in (nodes or {}).items() if node is not None}


def named_callbacks(nodes: DictConfig | None) -> list[Any]:
    """The callbacks, and the run's files know which of them only watch: who compares runs builds none of them."""
    callbacks = named(nodes)
    for callback in callbacks.values():
        if isinstance(callback, RunFiles):
            callback.metrics["watching"] = names_of_watchers(callbacks)
    return list(callbacks.values())


def best_checkpoint(trainer: pl.Trainer) -> str | None:
    """None, to test the weights as they are, where nothing was saved (fast_dev_run, callbacks=none)."""
    callback = trainer.checkpoint_callback
    return getattr(callback, "best_model_path", None) or None


def best_score(trainer: pl.Trainer) -> float | None:
    score = getattr(trainer.checkpoint_callback, "best_model_score", None)
    return None if score is None else float(score)
