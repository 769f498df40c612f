r"""Gold word alignments in Pharaoh's format: a line a pair, its links with blanks between them.

    0-0 1-2 2?1

``3-5``: the fourth word of the source is the sixth of the target, surely; ``3?5`` (or ``3p5``, ``3-5P``, as in the
files of Och and Ney's successors): possibly. Words are what blanks part in the two texts. ``base`` says where they are
counted from.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

from annotated_types import Interval

from attnlab.data.corpus import Alignment, Pair
from attnlab.data.files import lines
from attnlab.data.pharaoh import link_of, words_of
from attnlab.types import DataError

Base = Annotated[int, Interval(ge=0, le=1)]


def with_links(pairs: Iterable[tuple[int, Pair]], path: Path, base: Base, total: int) -> Iterator[Pair]:
    """Pairs with their gold alignments.

    Args:
        pairs: with their line numbers, from 1; lines that cannot be used are left out.
        path: a line for each line of the texts, plain or gzip.
        base: of the numbers of words: 0 or 1.
        total: lines of the texts.

    Raises:
        DataError: another number of lines, what is no link, a link of a word that there is not.
    """
    there = sum(1 for _ in lines(path))
    if there != total:
        raise DataError(f"{path}: {there} lines of links for {total} lines of text; expected as many, some empty")
    numbered = enumerate(lines(path), 1)
    for number, pair in pairs:
        line = next(raw for place, raw in numbered if place == number)
        yield pair._replace(alignment=alignment_of(line, pair, base, f"{path}:{number}"))


def alignment_of(line: bytes, pair: Pair, base: Base, where: str) -> Alignment:
    """The links of a line.

    Raises:
        DataError: what is none, or is of a word that there is not.
    """
    words = words_of(pair.source), words_of(pair.target)
    sure: list[tuple[int, int]] = []
    possible: list[tuple[int, int]] = []
    for said in line.decode("utf-8-sig", "replace").split():
        *numbers, certain = link_of(said, where)
        link = numbers[0] - base, numbers[1] - base
        for place, side, name in zip(link, words, ("source", "target"), strict=True):
            if not 0 <= place < len(side):
                other = f"; are they counted from {1 - base}? (dataset.alignment_base={1 - base})"
                hint = other if place in (-1, len(side)) else ""
                raise DataError(
                    f"{where}: {said} is a link of {name} word {place + base}, and the {name} has {len(side)}, counted "
                    f"from {base}{hint}"
                )
        (sure if certain else possible).append(link)
    source, target = map(tuple, words)
    return Alignment(source, target, tuple(sure), tuple(dict.fromkeys([*sure, *possible])))
