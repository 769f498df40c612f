"""A comparison on a terminal, or as text: what is not alike first, then tables, verdicts and notes."""

import os
from io import StringIO

from rich.console import Console

from attnlab.analysis.comparison import Comparison
from attnlab.analysis.documents import tables
from attnlab.analysis.report.tables import MISSING, Table, holm
from attnlab.console import console as plain_console
from attnlab.console import visible
from attnlab.text_table import Entry, TextTable, fitting

MANY = 10  #: pairs; a table of more is for the report
WIDTH = 100  #: columns of text that is no terminal's


def show(comparison: Comparison, console: Console | None = None) -> None:
    """Print what is not alike, the tables, what can be concluded, and what a reader must know."""
    console = console or plain_console()

    def tell(text: str, style: str | None = None) -> None:
        # Lines are broken between words for a terminal, and for who asks for a width (COLUMNS); a file, or a program
        # that searches them, has them whole.
        wraps = console.is_terminal or "COLUMNS" in os.environ
        console.print(visible(text), style=style, soft_wrap=not wraps, markup=False, highlight=False)

    for line in comparison.unequal:
        tell(line, "bold yellow")
    explained = False
    for table in tables(comparison):
        if table.name == "all-pairs" and len(comparison.all_pairs) > MANY:
            continue
        for part in fitting(printable(table), console.width):
            console.print(part)
        if not explained:
            tell(table.hint, "dim")
        explained = True
    for pair in comparison.against_baseline:
        tell(f"• {pair.verdict}")
    if comparison.against_baseline:
        tell(holm(comparison.against_baseline, "here"), "dim")
    for note in comparison.notes:
        tell(f"Note: {note}", "yellow")


def printed(comparison: Comparison) -> str:
    """What :func:`show` prints, as text."""
    console = Console(file=StringIO(), width=WIDTH, color_system=None, markup=False, emoji=False, highlight=False)
    with console.capture() as captured:
        show(comparison, console)
    return captured.get().rstrip()


def printable(table: Table) -> TextTable:
    """Without the columns of sentences, which stand below it, and those of tests that were not made."""
    numbers = [place for place, column in enumerate(table.columns) if place and column.kind != "text"]
    places = [place for place in numbers if any(line.cells[place - 1].text != MISSING for line in table.lines)]
    return TextTable(
        table.caption,
        [table.columns[place].title for place in (0, *places)],
        [
            (line.head, [Entry(cell.text, cell.detail, cell.best) for cell in (line.cells[p - 1] for p in places)])
            for line in table.lines
        ],
    )
