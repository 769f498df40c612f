"""What became of the jobs of a multirun: a row each, on the screen, in ``summary.csv`` and ``summary.md``."""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table

from attnlab.atomic import write_text
from attnlab.bounded import read_json, read_yaml
from attnlab.cli.multirun.attempt import BEFORE, RUNNING, Note
from attnlab.cli.multirun.naming import apart, label, rounded, short
from attnlab.cli.table import cell
from attnlab.console import visible
from attnlab.errors import DataError
from attnlab.metrics.quantity import ANY, Cost, Quantity
from attnlab.runs.ending import ending
from attnlab.runs.schema import contents

CSV, MARKDOWN = "summary.csv", "summary.md"
NOT_RUN = "not run"
OTHERS = ("failed", "interrupted", RUNNING, NOT_RUN)  # states of jobs that are not finished
SECONDS = "train/seconds"
BETWEEN, EDGE = 3, 1  # characters that a column of a table takes beside its cells, and a table beside its columns
Quantities = Mapping[str, Quantity]


class Row(NamedTuple):
    """A job."""

    settings: Mapping[str, str]  #: what sets it apart
    state: str  #: finished, before (when this start began), failed, interrupted, at work, not run
    reason: str = ""  #: on one line, why it is not finished
    folder: Path | None = None
    metrics: Mapping[str, Any] = {}

    @property
    def finished(self) -> bool:
        return self.state in ("finished", BEFORE)


class Column(NamedTuple):
    """Of a table."""

    title: str
    cells: Sequence[str]
    number: bool = False

    @property
    def width(self) -> int:
        return max(len(text) for text in (*self.title.split("\n"), *self.cells)) + BETWEEN


class Summary:
    """All jobs of a multirun, whenever they were run.

    Args:
        multirun: its folder.
        varying: keys of the settings that vary.
        planned: the overrides of each job, as far as they are known before the jobs are.
        notes: of those that this start has begun.
        ranked: the best job comes first, as a search wants it, and not the one that began first.
    """

    def __init__(
        self,
        multirun: Path,
        varying: Sequence[str] | None,
        planned: Iterable[Sequence[str]],
        notes: Sequence[Note],
        ranked: bool = False,
    ) -> None:
        self.multirun = multirun
        noted = {Path(note.folder).name: note for note in notes}
        there = {path.parent.parent for path in multirun.glob("*/.hydra/overrides.yaml")}
        by_number = {Path(note.folder): note.number for note in notes}
        folders = sorted(there, key=lambda path: (by_number.get(path, len(by_number)), path.name))
        rows = [row_of(folder, settings_of(folder, varying), noted.get(folder.name)) for folder in folders]
        ready = {label(row.settings): row for row in rows}
        listed = [apart(overrides, varying) for overrides in planned]
        found = [ready.pop(label(settings), Row(settings, NOT_RUN)) for settings in listed]
        self.rows = [*found, *ready.values()] if varying else rows or found
        self.quantities, self.monitor, self.splits = self._read()
        if ranked and self.monitored is not None:
            self.rows.sort(key=self._rank)
        self.best = next((row for row in self.rows if ranked and row.finished), None)  #: of a search

    @property
    def monitored(self) -> Quantity | None:
        """What a job returns the best value of."""
        name = self.monitor.rpartition("/")[2]
        return next((item for item in self.quantities.values() if item.name == name), None)

    def _rank(self, row: Row) -> float:
        """Less is better; a job without a score comes last."""
        score = row.metrics.get(self.monitor)
        if self.monitored is None or not row.finished or not isinstance(score, int | float) or math.isnan(score):
            return math.inf
        return -score if self.monitored.higher_is_better else score

    def _read(self) -> tuple[Quantities, str, tuple[str, ...]]:
        """How to read the numbers: as the first finished job says."""
        for row in self.rows:
            try:
                if row.finished and row.metrics:
                    said = contents(row.metrics)
                    return said.quantities, said.monitor, said.splits
            except DataError:
                continue
        return {}, "", ()

    @property
    def finished(self) -> int:
        return sum(row.finished for row in self.rows)

    @property
    def failures(self) -> list[str]:
        """A line for each job that failed."""
        return [
            f"{label(row.settings) or (row.folder.name if row.folder else 'job 1')}: {row.reason}"
            for row in self.rows
            if row.state == "failed"
        ]

    @property
    def counted(self) -> str:
        """``4 of 6 jobs finished, 2 failed``."""
        others = {state: sum(row.state == state for row in self.rows) for state in OTHERS}
        jobs = f"{self.finished} of {len(self.rows)} job{'s' * (len(self.rows) != 1)} finished"
        return ", ".join([jobs, *(f"{count} {state}" for state, count in others.items() if count)])

    def columns(self) -> Iterator[Column]:
        """All of them, those first that no table goes without."""
        keys = list(dict.fromkeys(key for row in self.rows for key in row.settings))
        shorts = [short(key) for key in keys]
        for key, plain in zip(keys, shorts, strict=True):
            title = plain if shorts.count(plain) == 1 else key
            yield Column(title, [rounded(row.settings.get(key, "")) for row in self.rows])
        yield Column("state", [row.state for row in self.rows])
        known = self.monitored
        if self.monitor:
            title = self.monitor.replace("/", "\n") if known is None else f"val\n{known.title}"
            yield self.scores(title, self.monitor, known)
        for quantity, split in self.tested():
            yield self.scores(f"{split}\n{quantity.title}", quantity.key(split), quantity)

    def tested(self) -> list[tuple[Quantity, str]]:
        """The scores of tests: the first quantity on every split, then the others split by split."""
        found = [
            (quantity, split)
            for split in self.splits
            for quantity in self.quantities.values()
            if quantity.column and quantity.split == ANY and not isinstance(quantity, Cost)
            if any(quantity.key(split) in row.metrics for row in self.rows)
        ]
        return sorted(found, key=lambda item: item[0] is not found[0][0])

    def scores(self, title: str, key: str, quantity: Quantity | None) -> Column:
        values = [row.metrics.get(key) for row in self.rows]
        texts = ["" if value is None else cell(quantity, value) if quantity else f"{value:.4g}" for value in values]
        return Column(title, texts, number=True)

    def times(self) -> Column:
        """Of training, validation not counted: all of it, whenever it was."""
        values = [row.metrics.get(SECONDS) for row in self.rows]
        unit, name = (60, "minutes") if max((value or 0 for value in values), default=0) >= 60 else (1, "seconds")
        texts = ["" if value is None else f"{value / unit:.1f}" for value in values]
        return Column(f"training\n{name}", texts, number=True)

    def fitting(self, width: int) -> list[Column]:
        """The columns that a table of this width has room for, none of them cut."""
        columns, times = list(self.columns()), self.times()
        least = next((i for i, column in enumerate(columns) if column.title == "state"), 0) + 1 + bool(self.monitor)
        kept, room = columns[:least], width - EDGE - times.width
        for column in columns[least:]:
            if sum(item.width for item in (*kept, column)) <= room:
                kept.append(column)
        return [*kept, times] if any(times.cells) else kept

    def table(self, width: int) -> Table:
        table = Table()
        columns = self.fitting(width)
        for column in columns:
            table.add_column(column.title, justify="right" if column.number else "left", overflow="fold")
        for cells in zip(*(column.cells for column in columns), strict=True):
            table.add_row(*cells)
        return table

    def write(self) -> None:
        """Leave ``summary.csv``, with all numbers as they are, and ``summary.md`` in the folder of the multirun."""
        write_text(self.multirun / CSV, self.csv())
        write_text(self.multirun / MARKDOWN, self.markdown())

    def csv(self) -> str:
        keys = list(dict.fromkeys(key for row in self.rows for key in row.settings))
        numbers = [key for key in dict.fromkeys(key for row in self.rows for key in row.metrics)
                   if any(isinstance(row.metrics.get(key), int | float) for row in self.rows)]  # fmt: skip
        numbers = [key for key in numbers if key not in keys]
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*keys, "state", "reason", "folder", *numbers])
        for row in self.rows:
            given = [row.settings.get(key, "") for key in keys]
            folder = row.folder.name if row.folder else ""
            writer.writerow([*given, row.state, row.reason, folder, *(row.metrics.get(key, "") for key in numbers)])
        return text.getvalue()

    def markdown(self) -> str:
        columns = [*self.columns(), self.times()]
        lines = [[column.title.replace("\n", " ") for column in columns]]
        lines += [list(cells) for cells in zip(*(column.cells for column in columns), strict=True)]
        rows = ["| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |" for cells in lines]
        rows.insert(1, "|" + "|".join(" ---: " if column.number else " --- " for column in columns) + "|")
        failures = [f"- {visible(line)}" for line in self.failures]
        return "\n".join([f"{self.counted}.\n", *rows, *([""] if failures else []), *failures]) + "\n"


def row_of(folder: Path, settings: Mapping[str, str], note: Note | None) -> Row:
    """What a job's folder says, and what its process has said."""
    found = ending(folder)
    state, reason = found.state, found.reason
    if state == "finished" and (note is None or note.state == BEFORE):
        state = BEFORE
    elif note is not None and note.state == RUNNING:
        state, reason = RUNNING, ""
    elif note is not None and note.failed:
        state, reason = "failed", note.reason
    return Row(settings, state, reason, folder, metrics_of(folder))


def metrics_of(folder: Path) -> Mapping[str, Any]:
    try:
        found = read_json(folder / "metrics.json")
    except (DataError, OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def settings_of(folder: Path, varying: Sequence[str] | None) -> dict[str, str]:
    """What sets a job apart, by the record of it; what it was not given it has by its configuration."""
    try:
        overrides = [str(text) for text in read_yaml(folder / ".hydra" / "overrides.yaml")]
        given = apart(overrides, varying)
        if varying is None or len(given) == len(varying):
            return given
        config: Any = read_yaml(folder / ".hydra" / "config.yaml")
        choices: Any = read_yaml(folder / ".hydra" / "hydra.yaml")["hydra"]["runtime"]["choices"]
    except (DataError, OSError, LookupError, TypeError):
        return {}
    return {key: given[key] if key in given else str(choices.get(key, value_at(config, key))) for key in varying}


def value_at(config: Any, key: str) -> Any:
    for part in key.split("."):
        config = config.get(part) if isinstance(config, dict) else None
    return config
