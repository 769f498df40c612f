"""The short table that closes a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from attnlab.console import console
from attnlab.metrics.quantities.costs import training_speed
from attnlab.metrics.quantity import Quantity
from attnlab.tasks.base import Task

LARGE = 1e6  # above it, three digits and a power of ten


def summary(metrics: Mapping[str, Any], task: Task[Any], directory: Path) -> None:
    """Print the scores of every test split, the size and speed of the model, and where the files are."""
    terminal = console()
    terminal.print(scores(metrics, task.quantities, task.data.test_splits))
    parameters = sum(parameter.numel() for parameter in task.parameters())
    line = f"{parameters:,} parameters"
    speed = metrics.get(training_speed(task.unit).key())
    if speed is not None:
        line += f", {float(speed):,.0f} {task.unit} per second"
    terminal.print(line)
    terminal.print(f"files: {directory}", soft_wrap=True)


def scores(metrics: Mapping[str, Any], quantities: Sequence[Quantity], splits: Sequence[str]) -> Table:
    """One row a test split, one column a score that any split has."""
    shown = [item for item in quantities if item.column and any(item.key(split) in metrics for split in splits)]
    table = Table()
    table.add_column("split")
    for quantity in shown:
        table.add_column(quantity.title, justify="right")
    for split in splits:
        cells = [cell(quantity, metrics.get(quantity.key(split))) for quantity in shown]
        if any(cells):
            table.add_row(split, *cells)
    return table


def cell(quantity: Quantity, value: Any) -> str:
    """A perplexity of a training that came apart has no forty digits."""
    if value is None:
        return ""
    return f"{float(value):.{quantity.digits}f}" if abs(value) < LARGE else f"{float(value):.3g}"
