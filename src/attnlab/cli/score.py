"""Scoring a trained run, from its folder to new scores beside it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
from hydra.core.hydra_config import HydraConfig
from hydra.utils import get_class
from omegaconf import DictConfig

from attnlab.atomic import require_place
from attnlab.bounded import read_json
from attnlab.callbacks.archives import Kept, data_set, keep
from attnlab.callbacks.progress import Progress
from attnlab.callbacks.wandb_start import Recorded
from attnlab.cli import build
from attnlab.cli.ensembles import folders_of_members, halve, members
from attnlab.cli.logging import quiet, set_up_torch
from attnlab.cli.runs import RESULTS, checkpoint_file, find
from attnlab.cli.starting_point import DATA
from attnlab.cli.table import summary
from attnlab.cli.wandb_noting import EVALUATION, SAMPLES, models, noting, recorded
from attnlab.cli.weights import load_weights
from attnlab.runs.writing import save_lines, save_metrics
from attnlab.tasks.base import Task
from attnlab.types import ConfigError


class Chosen:
    """A corpus of which some splits are wanted, each as a test split: ``train`` becomes ``test_train``.

    All else that a corpus has is the corpus's own.
    """

    def __init__(self, corpus: Any, splits: Sequence[str] | None, more: Sequence[str] = ()) -> None:
        if not hasattr(corpus, "splits"):
            raise ConfigError(f"dataset: {type(corpus).__name__} has no splits, of which some could be tested again")
        splits = [*(corpus.splits[2:] if splits is None else splits), *more]
        unknown = [split for split in splits if split not in corpus.splits]
        if not splits:
            raise ConfigError("splits: an empty list; leave it out for all test splits")
        if unknown:
            raise ConfigError(f"splits: {corpus.name} has no split {unknown[0]}; there is {', '.join(corpus.splits)}")
        self.corpus = corpus
        self.originals = {split if split.startswith("test") else f"test_{split}": split for split in splits}

    def __getattr__(self, name: str) -> Any:
        if name == "corpus":  # not there yet: while it is unpickled
            raise AttributeError(name)
        return getattr(self.corpus, name)

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(self.originals)

    def read(self, split: str) -> Iterator[Any]:
        return self.corpus.read(self.originals[split])


def score(config: DictConfig) -> float | None:
    """Test the run's checkpoint, write the results beside the run, print the table.

    Raises:
        ConfigError, DataError: with what to change.
    """
    quiet()
    set_up_torch()
    folder = find(str(config.run)).resolve()
    checkpoint = checkpoint_file(folder, config.checkpoint)
    results = folder / RESULTS
    require_place(results / f"{config.name}.json")
    noted = recorded(folder) if config.wandb else None
    task = restored(config, folder, checkpoint, config.splits)
    if further := members(config, folder):
        cast(Any, task).join(further)
    if config.half_output:
        halve([task.model, *further])
    data = task.data
    trainer = build.made(config.trainer, logger=False, callbacks=[Progress()], enable_checkpointing=False)
    trainer.test(task, data, verbose=False)
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    if trainer.is_global_zero:
        about = {"run": str(folder), "checkpoint": str(checkpoint), **task.about()}
        others = {split: task.other_scores(split) for split in task.test_records}
        save_metrics(results / f"{config.name}.json", {**metrics, **about, **choices(), **as_entries(others)})
        for split, records in task.test_records.items():
            save_lines(results / f"{config.name}.{split}.jsonl", (record.line() for record in records))
        summary(metrics, task, results, list(as_notes(others, metrics, about)))
        if noted is not None:
            given = [*models(noted, folder, checkpoint, folders_of_members(config)), tested_on(task, folder)]
            note_scores(noted, folder, given, str(config.name), task, {**metrics, **as_entries(others)})
    return metrics.get(task.quantities[0].key(data.test_splits[0]))


def tested_on(task: Task[Any], folder: Path) -> Kept:
    """The data: those of the training, by their card and fingerprint, or others."""
    others = any(re.match(r"[+~]*(dataset|data|tokenizer)\b", word) for word in HydraConfig.get().overrides.task)
    if others or not (folder / DATA).is_file():
        return data_set(task.data, folder / RESULTS)
    return data_set(task.data, folder, read_json(folder / DATA).get("fingerprint"))  # not told by earlier versions


def note_scores(
    of: Recorded, folder: Path, given: Sequence[Kept], name: str, task: Task[Any], scores: Mapping[str, float | str]
) -> None:
    """Tell W&B of an evaluation: the models and data that it was given, the scores, what was made of items."""
    results = folder / RESULTS
    with noting(of, results, f"{of.name or folder.name}, {name}", EVALUATION) as logger:
        keep([logger], *given)
        used = [kept.name for kept in given if kept.kind == "model"]
        logger.log_hyperparams({"model": of.id, "models": used, "evaluation": name, **choices()})
        logger.summarize(scores)
        for split, records in task.test_records.items():
            if (table := task.table(records[:SAMPLES])) is not None and table.rows:
                logger.show_table(f"{split}/samples", table, 0)
        paths = [results / f"{name}.json", *(results / f"{name}.{split}.jsonl" for split in task.test_records)]
        keep([logger], Kept("evaluation", f"evaluation-{of.id}-{name}", {path.name: path for path in paths}))


Others = Mapping[str, Mapping[str, tuple[float, str]]]  #: by split, by name: a score and its signature


def as_entries(others: Others) -> dict[str, float | str]:
    """``test/bleu_lowercased`` and ``bleu_lowercased_signature``."""
    found: dict[str, float | str] = {}
    for split, scores in others.items():
        for name, (value, told) in scores.items():
            found |= {f"{split}/{name}": value, f"{name}_signature": told}
    return found


def as_notes(others: Others, metrics: Mapping[str, float], about: Mapping[str, Any]) -> Iterator[str]:
    """A line a score, beside the one that it is not to be mistaken for, each with its signature."""
    for split, scores in others.items():
        for name, (value, told) in scores.items():
            own = name.partition("_")[0]
            yield f"{split}: {own} {metrics[f'{split}/{own}']:.2f} ({about[f'{own}_signature']})"
            yield f"{split}: {name.replace('_', ' ')} {value:.2f} ({told}), as in many papers"


def restored(
    config: DictConfig, folder: Path, checkpoint: Path, splits: Sequence[str] | None, more: Sequence[str] = ()
) -> Task[Any]:
    """The task of a run with its weights and some splits of its data, each as a test split; ``more`` come behind.

    Raises:
        ConfigError, DataError: with what to change.
    """
    pl.seed_everything(config.seed, workers=True, verbose=False)
    chosen = Chosen(build.made(config.dataset), splits, more)
    require_arguments(config.data._target_)
    data = build.made(config.data, corpus=chosen, tokenizers=str(folder / "tokenizer"), splits=list(chosen.splits))
    data.prepare_data()
    data.setup("test")
    task = build.task(config, data)
    load_weights(task.model, checkpoint, folder)
    return task


def require_arguments(target: str) -> None:
    """Raise ConfigError where a task's data cannot be told which splits to read, and what training made of them."""
    taken = signature(get_class(target)).parameters.values()
    lacking = {"corpus", "tokenizers", "splits"} - {parameter.name for parameter in taken}
    if lacking and not any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken):
        raise ConfigError(f"data: {target} takes no {' and no '.join(sorted(lacking))}, which a test of its own needs")


def choices() -> dict[str, str]:
    """What was asked for: the overrides of this evaluation."""
    return {"overrides": " ".join(HydraConfig.get().overrides.task)}
