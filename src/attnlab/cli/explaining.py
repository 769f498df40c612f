"""Explaining a trained run, from its folder to measures beside it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from omegaconf import DictConfig

from attnlab.analysis.reading import read_lines
from attnlab.atomic import require_place
from attnlab.cli.explaining_pretrained import instances_of
from attnlab.cli.explaining_trained import require_trainable, train_baselines
from attnlab.cli.lines import device_of
from attnlab.cli.logging import quiet, set_up_torch
from attnlab.cli.runs import EXPLANATIONS, checkpoint_file, find
from attnlab.cli.score import choices, restored
from attnlab.cli.table import cell
from attnlab.console import console
from attnlab.data.progress import bar
from attnlab.errors import ConfigError, DataError
from attnlab.explanation.adversary import Search
from attnlab.explanation.agreement import Line, agreement, by_key
from attnlab.explanation.attribution import require_captum
from attnlab.explanation.explaining import Explained, Settings, explain
from attnlab.metrics.quantities import explanation as measures
from attnlab.pretrained.loading import is_pretrained
from attnlab.runs.schema import described
from attnlab.runs.words import TEXTS, Words
from attnlab.runs.writing import save_lines, save_metrics
from attnlab.tasks.base import Task
from attnlab.tasks.explaining import About, Instances
from attnlab.text_table import Entry, TextTable, fitting
from attnlab.viz.explanation import correlation_figure, shown_positions, weights_figure
from attnlab.viz.heatmap import save

NAME = "explanation"  #: of the files, and of the split that they are of where somebody reads them as a test's
MEASURES: Mapping[str, measures.Explained] = {
    item.name: item for item in vars(measures).values() if isinstance(item, measures.Explained)
}
Ask = Callable[[str, Sequence[int]], Iterable[tuple[Instances, list[About]]]]


class Batch(NamedTuple):
    """Instances that are measured together."""

    instances: Instances
    about: list[About]


def explain_run(config: DictConfig) -> None:
    """Measure the run, print the table, write the results beside the run.

    Raises:
        ConfigError, DataError: with what to change.
    """
    quiet()
    set_up_torch()
    if config.captum:
        require_captum()
    pretrained = Path(str(config.run))
    if is_pretrained(pretrained):
        place = place_of(pretrained.resolve(), config)
        batches = [Batch(*found) for found in instances_of(config, pretrained)]
        report(config, place, batches, Told(TEXTS, "texts", {}))
        return
    if config.input is not None:
        raise ConfigError(
            f"input={config.input}: it is of models of transformers; of a run name a data set, dataset=labelled "
            "dataset.test=my.csv"
        )
    folder = find(str(config.run)).resolve()
    checkpoint, place = checkpoint_file(folder, config.checkpoint), place_of(folder, config)
    more = ["train"] if config.baselines else []
    task = restored(config, folder, checkpoint, None if config.split is None else [config.split], more)
    task.model.to(device_of(config.device)).eval().requires_grad_(False)
    if config.baselines:
        require_trainable(task)
    batches = scaled(list(drawn(task, config["items"], asking(task, config), config.batch)))
    report(config, place, batches, Told(task.words, task.name, {"checkpoint": str(checkpoint)}))
    if config.baselines:
        train_baselines(config, task, place)


class Told(NamedTuple):
    """What is said of the instances."""

    words: Words
    task: str
    more: Mapping[str, str]


def place_of(folder: Path, config: DictConfig) -> Path:
    """Where the results go."""
    place = folder / EXPLANATIONS / str(config.name)
    require_place(place / f"{NAME}.json")
    return place


def report(config: DictConfig, place: Path, batches: list[Batch], told: Told) -> None:
    """Measure, write, draw, print."""
    search = Search(config.starts, config.adam_steps, config.epsilon, config.learning_rate) if config.starts else None
    found = measured(batches, Settings(config.permutations, search, config.captum), config.seed)
    lines = [line for batch, one in found for line in lines_of(batch, one)]
    lines.sort(key=lambda line: (line["number"], line.get("step", 0)))
    compare_with(lines, [other_lines(str(other), str(config.name)) for other in config.others])
    about = {"run": str(place.parents[1]), **told.more, "settings": choices()["overrides"]}
    shown = [MEASURES[name] for name in MEASURES if measures_of(lines, name)]
    record = {"input": "input", "output": "output"}
    said = described(told.task, "instances", "", [NAME], record, told.words, shown)
    save_metrics(place / f"{NAME}.json", {**summary(lines), **about, "instances": len(lines), **said})
    save_lines(place / f"{NAME}.jsonl", lines)
    if config.figures:
        draw(place, lines, found)
    show(lines, place)


def asking(task: Task[Any], config: DictConfig) -> Ask:
    """How instances are made of some items of a split."""
    return task.instances_of_words if config.words else partial(task.instances, steps=config.steps)


def drawn(task: Task[Any], items: int | None, ask: Ask, size: int) -> Iterator[Batch]:
    """Items evenly spread over the split, those of like length together."""
    split = task.data.test_splits[0]
    count = task.data.size(split)
    chosen = np.arange(count if items is None else min(items, count))
    chosen = chosen * count // len(chosen)
    lengths = task.data.lengths(split)[0][chosen]
    order = chosen[np.argsort(lengths, kind="stable")].tolist()
    for start in range(0, len(order), size):
        for group in ask(split, order[start : start + size]):
            yield Batch(*group)


def scaled(batches: list[Batch]) -> list[Batch]:
    """Of regressions: a change is counted in standard deviations of the output over all instances."""
    if any(batch.instances.values for batch in batches):
        outputs = torch.cat([batch.instances.output for batch in batches])
        deviation = outputs.std(0, unbiased=False).clamp(min=1e-6)
        for batch in batches:
            batch.instances.scale = deviation
    return batches


def measured(batches: list[Batch], settings: Settings, seed: int) -> list[tuple[Batch, Explained]]:
    generator = torch.Generator().manual_seed(seed)
    found = []
    with bar("instances", sum(len(batch.about) for batch in batches)) as shown:
        for batch in batches:
            found.append((batch, explain(batch.instances, settings, generator)))
            shown.advance(len(batch.about))
            shown.flush()
    return found


def lines_of(batch: Batch, found: Explained) -> Iterator[dict[str, Any]]:
    """A line an instance: what it is, every measure, and the number of each position in every ranking."""
    for row, about in enumerate(batch.about):
        end = len(about.positions)
        rankings = {name: rounded(values[row, :end]) for name, values in found.rankings.items()}
        if found.adversarial is not None:
            rankings["adversarial"] = rounded(found.adversarial[row, :end])
        values = {name: float(values[row]) for name, values in found.measures.items()}
        yield {
            "number": about.number,
            **about.more,
            "input": " ".join(about.positions),
            "output": about.output,
            "positions": about.positions,
            "measures": {name: value if np.isfinite(value) else None for name, value in values.items()},
            "rankings": rankings,
        }


def other_lines(name: str, explanation: str) -> dict[tuple[int, int], Line]:
    """What an earlier explanation of another run, of the same name, says of each instance.

    Raises:
        MistakesError, DataError: there is no such run, or no such explanation of it.
    """
    folder = Path(name) if is_pretrained(Path(name)) else find(name, "others")
    path = folder / EXPLANATIONS / explanation / f"{NAME}.jsonl"
    if not path.is_file():
        raise DataError(f"others={name}: no {path}; explain that run first, with name={explanation}")
    return by_key(read_lines(path))


def compare_with(lines: Sequence[dict[str, Any]], others: Sequence[Mapping[tuple[int, int], Line]]) -> None:
    """Note with every instance how other runs look at it."""
    for line in lines if others else ():
        found = agreement(line, others)
        line["measures"][measures.APART.name] = found.divergence
        line["measures"][measures.AGREEMENT.name] = found.tau if np.isfinite(found.tau) else None


def rounded(values: torch.Tensor) -> list[float]:
    return [float(f"{value:.4g}") for value in values.tolist()]


def measures_of(lines: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    """A measure of all instances that have it."""
    return [value for line in lines if (value := line["measures"].get(name)) is not None]


def summary(lines: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """The means, by key; and how much instances differ."""
    found: dict[str, float | None] = {}
    for name in MEASURES:
        if values := measures_of(lines, name):
            found[f"{NAME}/{name}"] = float(np.mean(values))
            found[f"{name}_sd"] = float(np.std(values))
    return found


def show(lines: Sequence[Mapping[str, Any]], place: Path) -> None:
    """Print a row a measure: its mean and standard deviation over instances, which way speaks for attention, whose."""
    terminal = console()
    rows = []
    for name, item in MEASURES.items():
        if values := measures_of(lines, name):
            mean, spread = (cell(item, value) for value in (np.mean(values), np.std(values)))
            rows.append((item.title, [Entry(mean), Entry(spread), Entry(f"{len(values):,}"), Entry(item.better)]))
    columns = ["measure", "mean", "sd", "of", "speaks for it"]
    for part in fitting(TextTable(f"{len(lines):,} instances", columns, rows), terminal.width):
        terminal.print(part)
    terminal.print(f"files: {place}", soft_wrap=True)


def draw(place: Path, lines: Sequence[Mapping[str, Any]], found: Sequence[tuple[Batch, Explained]]) -> None:
    """The figures of a run."""
    kinds = [item for name, item in MEASURES.items() if name.startswith("tau_") and item.title.startswith("tau with ")]
    taus = {item.title.removeprefix("tau with "): measures_of(lines, item.name) for item in kinds}
    taus = {title: values for title, values in taus.items() if values}
    shown = [line for line in lines if len(line["positions"]) > 1]
    save(correlation_figure(taus, shown_positions(shown)), place / "correlations.png")
    pairs = [(max(line["rankings"]["attention"]), line["measures"]) for line in shown]
    save(weights_figure(pairs), place / "weights.png")
