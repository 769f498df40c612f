"""Pairs of sentences in a line, as word aligners read them, and links as they write them (Pharaoh's format)."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from attnlab.data.text import EMPTY, visible
from attnlab.data.text import plain as with_plain_blanks
from attnlab.errors import DataError

BAR = " ||| "  # as fast_align, eflomal and awesome-align have it
LINK = re.compile(r"(\d{1,9})([-?p])(\d{1,9})([SP]?)")
Link = tuple[int, int]


class WordPair(NamedTuple):
    """Two sentences whose words are parted by blanks."""

    source: str
    target: str


def words_of(text: str) -> list[str]:
    """By the plain blank alone: other white space is part of words, as an ideographic one in Japanese."""
    return [word for word in text.split(" ") if word]


def parted(line: str) -> tuple[WordPair | None, str]:
    """The two sentences of a line, or why there are none."""
    if not visible(line):
        return None, EMPTY
    sides = [with_plain_blanks(side).strip(" ") for side in line.split(BAR if BAR in line else "\t")]
    if len(sides) != 2:
        parts = "one part" if len(sides) == 1 else f"{len(sides)} parts"
        return None, f"{parts}; expected two sentences with ' ||| ' or a tab between them"
    if not all(map(visible, sides)):
        return None, f"nothing stands {'behind' if visible(sides[0]) else 'before'} the bar"
    return WordPair(*sides), ""


def written(links: Iterable[Link], base: int = 0) -> str:
    """``0-0 1-2``: by source word, then by target word."""
    return " ".join(f"{source + base}-{target + base}" for source, target in sorted(links))


def link_of(said: str, where: str) -> tuple[int, int, bool]:
    """The numbers of a link's words, and whether it is a sure one.

    Raises:
        DataError: it is none.
    """
    found = LINK.fullmatch(said)
    if found is None:
        raise DataError(
            f"{where}: {said[:30]!r} is no link; expected SOURCE-TARGET (sure) or SOURCE?TARGET (possible): 0-0 1?2"
        )
    return int(found[1]), int(found[3]), found[2] == "-" and found[4] != "P"


def links_of(line: str, base: int, where: str) -> tuple[frozenset[Link], frozenset[Link]]:
    """The sure links of a line, and all of it, counted from 0.

    Raises:
        DataError: what is none, or is counted from 0 where ``base`` is 1.
    """
    sure, every = set(), set()
    for said in line.split():
        *numbers, certain = link_of(said, where)
        link = numbers[0] - base, numbers[1] - base
        if min(link) < 0:
            raise DataError(f"{where}: {said} is of word {min(numbers)}, and words are counted from {base}")
        every.add(link)
        if certain:
            sure.add(link)
    return frozenset(sure), frozenset(every)
