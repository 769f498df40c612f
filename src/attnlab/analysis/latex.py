"""Text and tables as LaTeX: pdflatex shows every text as it is and obeys none of it."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple
from unicodedata import normalize

from attnlab.analysis.report.tables import Line, Table
from attnlab.console import visible

SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "`": r"\textasciigrave{}",
    '"': r"\textquotedbl{}",
    "±": r"$\pm$",
    "−": r"$-$",
    "–": "--",
    "—": "---",
    "[": "{[}",  # after the end of a row it would be the distance to the next
    "]": "{]}",
    "<": r"$<$",
    ">": r"$>$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "×": r"$\times$",
    "…": r"\dots{}",
    "\N{NO-BREAK SPACE}": "~",
}
# What pdflatex has in the encoding T1 by itself: Latin-1, the letters of Latin Extended-A but for a few, quotes.
READY = frozenset({*map(chr, range(0x20, 0x7F)), *map(chr, range(0xA1, 0x17F)), *"‘’“”„‚‹›†‡•€™ȘșȚț"})
READY -= {"\N{SOFT HYPHEN}", *"ĦħĸĿŀŉŦŧ"}
LIGATURES = re.compile(r"(?<=-)(?=-)|(?<=,)(?=,)|(?<=')(?=')|(?<=[?!])(?=`)")

# Lengths of \small type, to see where a table fits: of a character on average, between two columns.
CHARACTER, BETWEEN = 0.165, 0.28  # cm
SMALLER = 0.8  # the second line of a cell, as a share


class Room(NamedTuple):
    """What there is on a page, in cm."""

    column: float
    text: float  #: all columns, with what is between them


def escaped(text: str) -> str:
    """The text for pdflatex with T1: what that has no letters for is spelt, 漢 as ``U+6F22``."""
    shown = normalize("NFC", visible(one_line(text)))
    runs = groupby(LIGATURES.sub("\0", shown), lambda letter: letter in READY or letter in SPECIAL or letter == "\0")
    return "".join("".join(map(_letter, run)) if ready else _spelt(run) for ready, run in runs)


def _letter(letter: str) -> str:
    return "{}" if letter == "\0" else SPECIAL.get(letter, letter)


def _spelt(letters: Iterator[str]) -> str:
    return rf"\texttt{{{' '.join(f'U+{ord(letter):04X}' for letter in letters)}}}"


def one_line(text: str) -> str:
    """A line break would end a cell, a comment, a heading."""
    return " ".join(text.splitlines())


def breakable(text: str) -> str:
    """Escaped, and may be broken where a name has a stop: ``data.batch_size``."""
    return re.sub(r"(\\_|[./=|])(?=\S)", r"\1\\allowbreak{}", escaped(text))


def latex_table(table: Table, room: Room | None = None, cited: str = "") -> str:
    """A float; columns of sentences are left out, and details stand in a line of their own.

    Args:
        table: what stands in it.
        room: of the page: a table that is wider than a column goes over all of them, one that is wider than these is
            made smaller. Without, it is a float of one column.
        cited: ends the caption, as LaTeX.
    """
    places = [place for place, column in enumerate(table.columns) if place == 0 or column.kind != "text"]
    heads = [escaped(table.columns[place].title) for place in places]
    wide = 0.0 if room is None else width_of(table, places)
    rows = [row for line in table.lines for row in _rows(line, places)]
    body = [
        f"    \\begin{{tabular}}{{l{'r' * (len(places) - 1)}}}",
        r"      \toprule",
        f"      {' & '.join(heads)} \\\\",
        r"      \midrule",
        *(f"      {row}" for row in rows),
        r"      \bottomrule",
        r"    \end{tabular}",
    ]
    if room is not None and wide > room.text:
        body = [r"    \resizebox{\textwidth}{!}{%", *body[:-1], f"{body[-1]}}}"]
    caption = f"{escaped(table.caption)}. {escaped(table.hint)}{cited}"
    return float_of(table.name, caption, body, room is not None and wide > room.column)


def float_of(name: str, caption: str, body: Sequence[str], broad: bool = False, kind: str = "table") -> str:
    """A float with a caption, above a table and below a figure; ``broad`` goes over all columns."""
    star = "*" if broad else ""
    above = [f"  \\caption{{{caption}}}", f"  \\label{{{kind[:3]}:{name.replace('_', '-')}}}"]
    inner = [*above, "  {\\small\\setlength{\\tabcolsep}{4pt}", *body, "  }"] if kind == "table" else [*body, *above]
    return "\n".join([f"\\begin{{{kind}{star}}}", r"  \centering", *inner, f"\\end{{{kind}{star}}}", ""])


def width_of(table: Table, places: Sequence[int]) -> float:
    """About how wide it is, in cm."""
    widest: list[float] = [max([len(table.columns[0].title), *(len(line.head) for line in table.lines)])]
    for place in places[1:]:
        cells = [line.cells[place - 1] for line in table.lines]
        told = [max(len(cell.text), SMALLER * len(cell.detail)) for cell in cells]
        widest.append(max([len(table.columns[place].title), *told]))
    return CHARACTER * sum(widest) + BETWEEN * len(places)


def _rows(line: Line, places: Sequence[int]) -> Iterator[str]:
    cells = [line.cells[place - 1] for place in places[1:]]
    first = [f"\\textbf{{{escaped(cell.text)}}}" if cell.best else escaped(cell.text) for cell in cells]
    yield f"{' & '.join([escaped(line.head), *first])} \\\\"
    if any(cell.detail for cell in cells):
        second = [f"{{\\scriptsize {escaped(cell.detail)}}}" if cell.detail else "" for cell in cells]
        yield f"{' & '.join(['', *second])} \\\\"
