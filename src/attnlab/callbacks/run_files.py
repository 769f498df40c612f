"""What a run leaves behind for other commands: metrics, a line an item, attention, what data were made of."""

import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint

from attnlab.callbacks.archives import data_set, evaluation, keep, keeps, tokenizer
from attnlab.callbacks.checkpoints import Checkpoints
from attnlab.callbacks.dashboards import dashboards, show, show_named
from attnlab.callbacks.non_finite import NonFinite
from attnlab.callbacks.throughput import Throughput, rate_key
from attnlab.callbacks.wandb_logger import OUTPUTS
from attnlab.errors import NonFiniteError
from attnlab.metrics.quantities.costs import training_speed
from attnlab.metrics.quantity import ANY, Cost
from attnlab.metrics.registry import known
from attnlab.ranges import PathText, ZeroOrMore
from attnlab.runs.schema import described
from attnlab.runs.writing import Value, save_lines, save_maps, save_metrics
from attnlab.tasks.base import Task, task_of
from attnlab.tasks.records import Record, Table, maps_of
from attnlab.viz.heatmap import save
from attnlab.viz.picture import picture

PACKAGES = ("attnlab", "pytorch-lightning", "torchmetrics", "sacrebleu", "scikit-learn")


class RunFiles(Callback):
    """Write the run directory.

    * into ``tokenizer/`` what the data were made of (vocabularies, labels) when training begins;
    * ``data_card.json`` then: sizes, what was left out, lengths, unknown words, what the splits share;
    * ``metrics.json`` when training ends, and again with the scores of every test;
    * ``<split>.jsonl`` for every split that is tested, a line an item;
    * what the task has besides (of a translation ``word_counts.json``: how often the words of those lines occur in the
      targets that were trained on);
    * ``attention/maps.npz`` for the split ``test``, ``maps_<split>.npz`` for others, and figures of the first
      items, ``<split>_<number>.png``, where the mechanism has attention to draw.

    What is drawn of a test goes to dashboards, too; loggers that keep track of where things come from are told of the
    data set, the tokenizer and the evaluation.

    Args:
        directory: the run directory.
        labels: entries of ``metrics.json`` that say which run this is: seed, attention, dataset, ….
        maps: keep the attention of so many items of a split; null keeps all.
        figures: draw so many of them.
    """

    only_watches = True

    def __init__(
        self,
        directory: PathText,
        labels: Mapping[str, str | int | float | None] | None = None,
        maps: ZeroOrMore | None = 500,
        figures: ZeroOrMore = 4,
    ) -> None:
        self.directory = Path(directory)
        self.maps, self.figures = maps, figures
        self.metrics: dict[str, Any] = dict(labels or {})

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        data = task_of(pl_module).data
        if trainer.is_global_zero:
            data.save(self.directory / "tokenizer")
            if (card := data.card) is not None:
                save_metrics(self.directory / "data_card.json", card.plain())
                self.metrics |= card.numbers()
                for dashboard in dashboards(trainer):
                    dashboard.show_table("data/card", Table(*card.table()), trainer.global_step)
            if keeps(trainer.loggers):
                keep(trainer.loggers, data_set(data, self.directory), *tokenizer(data, self.directory))

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.metrics |= training_metrics(trainer)
        self._write_metrics(trainer, pl_module)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """What is tested afterwards is the best of a training that was broken off."""
        if isinstance(exception, NonFiniteError) and trainer.state.fn == "fit":
            self.metrics |= training_metrics(trainer) | {"stopped": str(exception).partition(";")[0]}

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        records: Mapping[str, list[Record]] = task_of(pl_module).test_records
        scores = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self.metrics |= {name: value for name, value in scores.items() if name.split("/")[0] in records}
        self.metrics |= task_of(pl_module).about()
        self._write_metrics(trainer, pl_module)
        if trainer.is_global_zero:
            for split, lines in records.items():
                save_lines(self.directory / f"{split}.jsonl", (record.line() for record in lines))
                show(trainer, f"{split}/attention", self._write_maps(split, lines, task_of(pl_module).words.item))
            show_named(trainer, task_of(pl_module).save_more(self.directory, records) or {})
            keep(trainer.loggers, evaluation(self.directory, records))

    def _write_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.metrics |= {"params": sum(parameter.numel() for parameter in pl_module.parameters())}
        self.metrics |= environment(trainer) | contents(trainer, task_of(pl_module), self.metrics)
        if trainer.is_global_zero:
            save_metrics(self.directory / "metrics.json", self.metrics)
            told = {key: value for key, value in self.metrics.items() if not isinstance(value, dict | list)}
            for dashboard in dashboards(trainer):
                dashboard.summarize(told | {OUTPUTS: task_of(pl_module).words.outputs})

    def _write_maps(self, split: str, records: list[Record], what: str) -> list[Path]:
        maps = maps_of(records, self.maps)
        if not maps:
            return []
        folder = self.directory / "attention"
        save_maps(folder / ("maps.npz" if split == "test" else f"maps_{split}.npz"), maps)
        drawn = []
        for item in maps[: self.figures]:
            title = f"{split} {what} {item.number}"
            figure = picture(**item.drawn(title))
            save(figure, path := folder / f"{split}_{item.number}.png")
            drawn.append(path)
        return drawn


def training_metrics(trainer: pl.Trainer) -> dict[str, Value]:
    """What training cost, and the validation score of the checkpoint that it chose."""
    values: dict[str, Value] = {"train/epochs": trainer.current_epoch, "train/steps": trainer.global_step}
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, Throughput):
            values[rate_key(trainer.lightning_module)] = callback.rate
            values["train/seconds"] = callback.seconds
            values["train/mfu"] = callback.mfu
            values["peak_memory_mib"] = callback.peak_memory
        elif isinstance(callback, Checkpoints) and callback.ended_after:  # Lightning did not count the last one
            values["train/epochs"] = callback.ended_after
        elif isinstance(callback, NonFinite) and callback.skipped:
            values["train/skipped_updates"] = callback.skipped
        if isinstance(callback, ModelCheckpoint) and callback.best_model_score is not None:
            values[str(callback.monitor)] = float(callback.best_model_score)
    return values


def contents(trainer: pl.Trainer, task: Task[Any], metrics: Mapping[str, Any]) -> dict[str, Any]:
    """How to read the rest of ``metrics.json``."""
    monitor = next((str(item.monitor) for item in checkpoints(trainer) if item.monitor is not None), "")
    costs = [*(item for item in known().values() if isinstance(item, Cost)), training_speed(task.unit)]
    taken = {cost.id: cost for cost in costs if cost.key(next(iter(task.test_records), ANY)) in metrics}
    return described(
        task.name,
        task.unit,
        monitor,
        list(task.test_records),
        task.keys,
        task.words,
        [*task.quantities, *taken.values()],
    )


def checkpoints(trainer: pl.Trainer) -> list[ModelCheckpoint]:
    return [item for item in trainer.callbacks if isinstance(item, ModelCheckpoint)]  # type: ignore[attr-defined]


def environment(trainer: pl.Trainer) -> dict[str, Value]:
    device = trainer.strategy.root_device
    values: dict[str, Value] = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "devices": trainer.world_size,
        "precision": str(trainer.precision),
        "version/python": platform.python_version(),
        # A wheel's metadata may leave out its build ("2.13.0" for 2.13.0+cu130): ask torch itself.
        "version/torch": str(torch.__version__),
        "version/cuda": torch.version.cuda,  # what torch was built against, None for a CPU build
    }
    return values | {f"version/{name}": version(name) for name in PACKAGES}


def version(package: str) -> str | None:
    """None where the package runs from a source folder that was never installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
