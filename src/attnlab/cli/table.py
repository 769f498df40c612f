"""The short table that closes a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attnlab.console import console
from attnlab.data.card import DataCard
from attnlab.metrics.quantities.costs import training_speed
from attnlab.metrics.quantity import Quantity
from attnlab.tasks.base import Task
from attnlab.text_table import Entry, TextTable, fitting

SHOWN: list[DataCard] = []  # the last one
LARGE = 1e6  # above it, three digits and a power of ten


def summary(metrics: Mapping[str, Any], task: Task[Any], directory: Path, notes: Sequence[str] = ()) -> None:
    """Print the scores of every test split, the size and speed of the model, notes, and where the files are."""
    terminal = console()
    for part in fitting(scores(metrics, task.quantities, task.data.test_splits), terminal.width):
        terminal.print(part)
    parameters = sum(parameter.numel() for parameter in task.parameters())
    line = f"{parameters:,} parameters"
    speed = metrics.get(training_speed(task.unit).key())
    if speed is not None:
        line += f", {float(speed):,.0f} {task.unit} per second"
    for told in (line, *notes):
        terminal.print(told, soft_wrap=True)
    terminal.print(f"files: {directory}", soft_wrap=True)


def scores(metrics: Mapping[str, Any], quantities: Sequence[Quantity], splits: Sequence[str]) -> TextTable:
    """One row a test split, one column a score that any split has."""
    shown = [item for item in quantities if item.column and any(item.key(split) in metrics for split in splits)]
    rows = [(split, [Entry(cell(item, metrics.get(item.key(split)))) for item in shown]) for split in splits]
    told = [(split, entries) for split, entries in rows if any(entry.text for entry in entries)]
    return TextTable("", ["split", *(item.title for item in shown)], told)


def card_table(card: DataCard) -> TextTable:
    """A row a split: sizes, lengths, unknown words, what training has seen."""
    sides = list(card.vocabulary)
    titles = [title for side in sides for title in (f"{side} tokens (max)", "unknown %")]
    rows = []
    for name, split in card.splits.items():
        cells = []
        for side in sides:
            told = split.sides[side]
            cells += [f"{told.median:g} ({told.longest:,})", f"{100 * told.unknown_rate:.1f}"]
        seen = split.in_train.get("both", next(iter(split.in_train.values()), None))
        entries = [f"{split.items:,}", *cells, "" if seen is None else f"{seen:,}"]
        rows.append((name, [Entry(text) for text in entries]))
    head = f"{card.corpus}: {vocabulary(card)}" if sides else card.corpus
    seen_too = ["seen in train"] * any(split.in_train for split in card.splits.values())
    if not seen_too:
        rows = [(name, entries[:-1]) for name, entries in rows]
    return TextTable(head, ["split", card.items, *titles, *seen_too], rows)


def vocabulary(card: DataCard) -> str:
    """``vocabulary of 512 (source) and 640 (target)``."""
    sizes = " and ".join(f"{size:,} ({side})" for side, size in card.vocabulary.items())
    return f"vocabulary of {sizes}"


def show_card(card: DataCard | None, once: bool = False) -> None:
    """Print the card, and what speaks against the results.

    Args:
        card: of the data; None where they have none.
        once: not again, if it was the last one that this process has printed: jobs of a multirun share their data.
    """
    if card is None:
        return
    if once and card in SHOWN:
        print("data: as in the job before")
        return
    SHOWN[:] = [card]
    terminal = console()
    for part in fitting(card_table(card), terminal.width):
        terminal.print(part)
    for line in card.warnings:
        terminal.print(f"Note: {line}", style="yellow")


def cell(quantity: Quantity, value: Any) -> str:
    """A perplexity of a training that came apart has no forty digits."""
    if value is None:
        return ""
    return f"{float(value):.{quantity.digits}f}" if abs(value) < LARGE else f"{float(value):.3g}"
