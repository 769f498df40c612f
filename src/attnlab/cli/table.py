"""The short table that closes a run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from attnlab.console import console
from attnlab.metrics.registry import TRAINING_SPLITS, find

COLUMNS = {name: quantity.title for name in ("bleu", "chrf", "ter", "ppl", "aer") if (quantity := find(name))}
LARGE = 1e6  # above it, three digits and a power of ten


def summary(metrics: Mapping[str, Any], model: Any, directory: Path) -> None:
    """Print the scores of every test split, the size and speed of the model, and where the files are."""
    terminal = console()
    terminal.print(scores(metrics))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    line = f"{parameters:,} parameters"
    speed = metrics.get("train/target_tokens_per_second")
    if speed is not None:
        line += f", {float(speed):,.0f} target tokens per second"
    terminal.print(line)
    terminal.print(f"files: {directory}", soft_wrap=True)


def scores(metrics: Mapping[str, Any]) -> Table:
    """One row a test split, one column a score that any split has."""
    parts = (key.partition("/") for key in metrics)
    splits = dict.fromkeys(split for split, _, name in parts if name in COLUMNS and split not in TRAINING_SPLITS)
    names = [name for name in COLUMNS if any(f"{split}/{name}" in metrics for split in splits)]
    table = Table()
    table.add_column("split")
    for name in names:
        table.add_column(COLUMNS[name], justify="right")
    for split in splits:
        values = (metrics.get(f"{split}/{name}") for name in names)
        table.add_row(split, *(cell(name, value) for name, value in zip(names, values, strict=True)))
    return table


def cell(name: str, value: Any) -> str:
    """A perplexity of a training that came apart has no forty digits."""
    if value is None:
        return ""
    return f"{float(value):.{3 if name == 'aer' else 2}f}" if abs(value) < LARGE else f"{float(value):.3g}"
