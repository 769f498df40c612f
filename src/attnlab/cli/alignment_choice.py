"""Which layer, head and step of two runs are taken for an alignment: those whose links agree most, without gold."""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from attnlab.cli.alignment_direction import Direction, Look, Taken, TextPair, turned, turned_links
from attnlab.data.files import lines
from attnlab.data.pharaoh import parted
from attnlab.data.progress import bar
from attnlab.errors import DataError
from attnlab.metrics.word_alignment.agreement import Cells, agreements, cells
from attnlab.metrics.word_alignment.extraction import Link, Table

TOGETHER = 32  #: pairs
Extract = Callable[[Table], set[Link]]
Readable = Callable[[TextPair], bool]


class Chosen(NamedTuple):
    """What of each direction is taken, and how far they agree."""

    forward: Taken
    backward: Taken
    agreement: float
    pairs: int


def choose(directions: Sequence[Direction], extract: Extract, readable: Readable, name: str, most: int) -> Chosen:
    """Try all layers, heads and both steps of either direction.

    Args:
        directions: forward, backward.
        extract: links of a table of weights.
        readable: whether both can read a pair.
        name: of a file of pairs.
        most: so many pairs at most, from its beginning.

    Raises:
        DataError: there is no pair to try.
    """
    pairs = pairs_of(Path(name), readable, most)
    sides = [pairs, [turned(pair) for pair in pairs]]
    with bar("choosing", len(pairs) * 2) as shown:
        found = []
        for direction, side in zip(directions, sides, strict=True):
            looks: list[Look] = []
            for start in range(0, len(side), TOGETHER):
                looks += direction.looks(side[start : start + TOGETHER])
                shown.advance(len(side[start : start + TOGETHER]))
            found.append(looks)
    ways = [list(looks[0].candidates()) for looks in found]
    forward, backward = (table(ways[side], found[side], extract, bool(side)) for side in (0, 1))
    agreed = agreements(forward, backward)
    row, column = np.unravel_index(int(agreed.argmax()), agreed.shape)
    return Chosen(ways[0][row], ways[1][column], float(agreed[row, column]), len(pairs))


def table(ways: Sequence[Taken], looks: Sequence[Look], extract: Extract, back: bool) -> Cells:
    """What each way links, source word first."""
    shapes = [(len(look.words[back]), len(look.words[1 - back])) for look in looks]
    rows = []
    for way in ways:
        links = [extract(look.table(way)) for look in looks]
        rows.append(cells([turned_links(linked) for linked in links] if back else links, shapes))
    return np.stack(rows)


def pairs_of(path: Path, readable: Readable, most: int) -> list[TextPair]:
    """The first pairs of a file in which both directions find something."""
    read = (parted(raw.decode("utf-8", "replace").rstrip("\r\n"))[0] for raw in lines(path))
    pairs = ((pair.source, pair.target) for pair in read if pair is not None)
    found = list(islice((pair for pair in pairs if readable(pair)), most))
    if not found:
        raise DataError(f"{path}: no pair that both runs can read; expected SOURCE ||| TARGET, a line a pair")
    return found
