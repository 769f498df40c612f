"""Models trained to be held against a run: from its configuration to a table and a figure beside its explanation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from omegaconf import DictConfig

from attnlab.cli import build
from attnlab.console import console
from attnlab.data.progress import bar
from attnlab.explanation.trained import Apart, Known, Perceptron, apart, guided, imitate, known
from attnlab.runs.writing import save_metrics
from attnlab.tasks.base import Task
from attnlab.text_table import Entry, TextTable, fitting
from attnlab.types import tree_map
from attnlab.viz.explanation import adversaries_figure
from attnlab.viz.heatmap import save

TRAIN = "test_train"  #: the training split, as a run that is asked again has it
SEEDS = 3  #: of perceptrons


class Texts(NamedTuple):
    """Of one run: what it says of the texts that models are trained on, and of those that they are tested on."""

    train: list[Known]
    test: list[Known]


class Row(NamedTuple):
    """A model of the table."""

    name: str
    accuracies: Sequence[float]  #: of each seed
    apart: Apart | None = None


def train_baselines(config: DictConfig, task: Task[Any], place: Path) -> None:
    """Train what ``config.baselines`` names, print the table, write ``baselines.json`` and a figure.

    Raises:
        ConfigError: of this task there is nothing to train.
    """
    device = next(task.model.parameters()).device
    texts = Texts(*(asked(task, split, config.train_batch) for split in (TRAIN, task.data.test_splits[0])))
    own, _ = apart(task.model, task.asked, texts.test)
    rows, guides = [Row("the run", [own.accuracy])], {"the run's": texts}
    if "adversary" in config.baselines:
        for rate in config.lambdas:
            torch.manual_seed(config.seed)
            model = build.model(config, task.data.dimensions()).to(device)
            with bar(f"adversary, lambda {rate:g}: epochs", config.epochs) as shown:
                imitate(model, task.asked, texts.train, rate, config.epochs, shown.over)
            found, test = apart(model, task.asked, texts.test)
            rows.append(Row(f"adversary, lambda {rate:g}", [found.accuracy], found))
            guides[f"lambda {rate:g}'s"] = Texts(apart(model, task.asked, texts.train)[1], test)
    if "perceptron" in config.baselines:
        rows += perceptrons(config, task, guides, device)
    write(rows, place, config.figures)


def asked(task: Task[Any], split: str, size: int) -> list[Known]:
    """What the run says of all items of a split, those of like length together."""
    order = np.argsort(task.data.lengths(split)[0], kind="stable").tolist()
    device, found = next(task.model.parameters()).device, []
    with torch.no_grad(), bar(f"texts of {split.removeprefix('test_')}", len(order)) as shown:
        for start in range(0, len(order), size):
            batch = on(device, task.data.batch(split, order[start : start + size]))
            found.append(known(batch, task.asked(task.model, batch)))
            shown.advance(len(batch.label))
    return found


def on(device: torch.device, batch: Any) -> Any:
    return tree_map(lambda part: part.to(device), batch)


def require_trainable(task: Task[Any]) -> None:
    """Raise ConfigError where baselines cannot be trained of this task or this model; before anything is measured."""
    with torch.no_grad():
        batch = task.data.batch(task.data.test_splits[0], [0])
        task.asked(task.model, on(next(task.model.parameters()).device, batch))


def perceptrons(config: DictConfig, task: Task[Any], guides: dict[str, Texts], device: torch.device) -> list[Row]:
    """A row a guide."""
    sizes = task.data.dimensions()
    first = next(iter(guides.values()))
    kinds = [("uniform", "uniform", first), ("its own", "own", first)]
    kinds += [(name, "given", texts) for name, texts in guides.items()]
    rows = []
    for name, guide, texts in kinds:
        accuracies = []
        for seed in range(SEEDS):
            torch.manual_seed(config.seed + seed)
            size = config.model.get("embedding_dim") or 128
            model = Perceptron(sizes["vocabulary"], sizes["classes"], size, guide).to(device)  # type: ignore[arg-type]
            with bar(f"perceptron, {name} weights: epochs", config.epochs) as shown:
                accuracies.append(float(np.mean(guided(model, *texts, config.epochs, shown.over))))
        rows.append(Row(f"perceptron, {name} weights", accuracies))
    return rows


def write(rows: Sequence[Row], place: Path, figures: bool) -> None:
    """The table to the terminal and to ``baselines.json``; TVD against JSD to ``adversaries.png``."""
    told = [{"model": row.name, "accuracy": float(np.mean(row.accuracies)), "accuracies": list(row.accuracies),
             **({} if row.apart is None else {"change": row.apart.change, "divergence": row.apart.divergence})}
            for row in rows]  # fmt: skip
    save_metrics(place / "baselines.json", {"models": told})
    points = [(row.name.removeprefix("adversary, lambda "), row.apart) for row in rows if row.apart is not None]
    if figures and points:
        drawn = [(name, one.divergence, one.change) for name, one in points]
        save(adversaries_figure(drawn), place / "adversaries.png")
    cells = [(row.name, [Entry(part) for part in numbers(row)]) for row in rows]
    columns = ["trained on the run's texts", "accuracy", "sd", "change", "divergence"]
    terminal = console()
    for part in fitting(TextTable("models to hold the run against", columns, cells), terminal.width):
        terminal.print(part)


def numbers(row: Row) -> list[str]:
    spread = f"{np.std(row.accuracies, ddof=1):.4f}" if len(row.accuracies) > 1 else ""
    far = ("", "") if row.apart is None else (f"{row.apart.change:.3f}", f"{row.apart.divergence:.3f}")
    return [f"{np.mean(row.accuracies):.4f}", spread, *far]
