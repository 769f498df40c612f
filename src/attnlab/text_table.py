"""Tables as wide as a terminal: what does not fit beside each other stands below each other, and nothing is cut.

A row begins with its name. Where the columns are too many for the width, the table comes in parts, each with the names
again. Names break between their words, and only one that is wider than half of the width within a word; numbers never.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rich.table import Table

BORDER, PADDING = 1, 2  #: columns of the screen, of a table and of each of its columns
NAME = 28  #: columns that a name may have before it is broken
SIGNS = "=._-,/"  #: after which a long word may be broken


class Entry(NamedTuple):
    """A cell: a text, and below it, where there is something to say of it, a smaller one."""

    text: str
    detail: str = ""
    strong: bool = False


class TextTable(NamedTuple):
    """What a table says.

    Attributes:
        title: above it; may be empty.
        columns: their titles, first that of the names.
        rows: a name, and an entry for each further column.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Entry]]]


def fitting(table: TextTable, width: int) -> Iterator["Table"]:
    """The table for rich, in as many parts as the width asks for."""
    from attnlab.console import visible

    rows = [(visible(name), [Entry(visible(e.text), visible(e.detail), e.strong) for e in entries])
            for name, entries in table.rows]  # fmt: skip
    table = table._replace(rows=rows)
    names = [name for name, _ in table.rows]
    cells = [[entries[place] for _, entries in table.rows] for place in range(len(table.columns) - 1)]
    widths = [entry_width(title, column) for title, column in zip(table.columns[1:], cells, strict=True)]
    head = name_width([table.columns[0], *names], width, max(widths, default=0))
    for number, part in enumerate(parts(widths, width - head - PADDING - 2 * BORDER)):
        title = table.title if not number or not table.title else f"{table.title}, continued"
        yield drawn(table._replace(title=title), head, [(place, widths[place]) for place in part])


def parts(widths: Sequence[int], room: int) -> Iterator[list[int]]:
    """The places of the columns of each part, as many as fit, and one at least."""
    found: list[list[int]] = [[]]
    left = room
    for place, width in enumerate(widths):
        needed = width + PADDING + BORDER
        if found[-1] and needed > left:
            found.append([])
            left = room
        found[-1].append(place)
        left -= needed
    yield from found


def entry_width(title: str, entries: Sequence[Entry]) -> int:
    """Of a column: its numbers whole, its title and the clauses of its details on lines of their own."""
    from rich.cells import cell_len

    words = chain(title.split(), *((entry.text, *clauses(entry.detail)) for entry in entries))
    return max(map(cell_len, words), default=0)


def clauses(detail: str) -> list[str]:
    """``["[0.1, 0.4],", "seeds 1 and 1"]``: where a detail may be broken; within an interval it may not."""
    found, depth, start = [], 0, 0
    for place, sign in enumerate(detail):
        depth += (sign == "[") - (sign == "]")
        if sign == " " and not depth and detail[place - 1] in ",;":
            found.append(detail[start:place])
            start = place + 1
    return [*found, detail[start:]]


def name_width(names: Sequence[str], width: int, widest: int) -> int:
    """As wide as the longest name, where that is not much, or else as its longest word, if there is room for it."""
    from rich.cells import cell_len

    longest = max(map(cell_len, names))
    word = max(cell_len(word) for name in names for word in name.split() or [name])
    room = max(width - widest - 2 * PADDING - 3 * BORDER, 1)  # beside the widest column
    return min(longest, max(NAME, word), room)


def broken(text: str, width: int) -> str:
    """On several lines, between words; a word that is wider still behind one of its signs."""
    from rich.cells import cell_len

    lines = [""]
    for word in text.split(" "):
        pieces = [word] if cell_len(word) <= width else list(pieces_of(word))
        for number, piece in enumerate(pieces):
            joined = f"{lines[-1]}{'' if number or not lines[-1] else ' '}{piece}"
            if lines[-1] and cell_len(joined) > width:
                lines.append(piece)
            else:
                lines[-1] = joined
    return "\n".join(lines)


def pieces_of(word: str) -> Iterator[str]:
    start = 0
    for place, sign in enumerate(word):
        if sign in SIGNS:
            yield word[start : place + 1]
            start = place + 1
    if word[start:]:
        yield word[start:]


def drawn(table: TextTable, head: int, columns: Sequence[tuple[int, int]]) -> "Table":
    """A part of a table: the names, and the columns at these places, each with its width."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=table.title or None, title_justify="left", title_style="bold")
    shown.add_column(Text(broken(table.columns[0], head)), width=head, overflow="fold")
    for place, width in columns:
        shown.add_column(Text(broken(table.columns[place + 1], width)), justify="right", width=width, overflow="fold")
    for name, entries in table.rows:
        row = [Text(broken(name, head))]
        for place, width in columns:
            entry = entries[place]
            text = Text(entry.text, style="bold" if entry.strong else "")
            row.append(text.append("".join(f"\n{line}" for line in lines_of(entry.detail, width)), style="dim"))
        shown.add_row(*row)
    return shown


def lines_of(detail: str, width: int) -> list[str]:
    """The clauses of a detail, as many on a line as fit."""
    from rich.cells import cell_len

    lines: list[str] = []
    for clause in clauses(detail) if detail else []:
        if lines and cell_len(f"{lines[-1]} {clause}") <= width:
            lines[-1] += f" {clause}"
        else:
            lines.append(clause)
    return lines
