"""Pretrained word vectors, as GloVe and fastText publish them: a word and its numbers a line, parted by blanks."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from attnlab.data.files import lines
from attnlab.types import SPECIALS, DataError

log = logging.getLogger(__name__)


class Vectors(NamedTuple):
    """What the embedding of a vocabulary begins from."""

    table: Float[np.ndarray, "V E"]  #: zeros where a word has none
    known: NDArray[np.bool_]  #: [V]


def read_vectors(path: Path, words: Sequence[str], counts: Int[np.ndarray, " V"]) -> Vectors:
    """The vectors of the words of a vocabulary; the first of a word counts. How many it covers is reported.

    A word that is only there in another case takes that vector.

    Args:
        path: the file, plain or gzip; a first line of two numbers (words, dimension) is passed over.
        words: of the vocabulary, by id.
        counts: how often each occurs in training.

    Raises:
        DataError: a line has another number of numbers than the first, or the file covers no word.
    """
    exact, folded = (places(words, fold) for fold in (str, str.lower))
    found: dict[int, NDArray[np.float32]] = {}
    near: dict[int, NDArray[np.float32]] = {}
    width = 0
    for number, line in enumerate(lines(path), 1):
        text = line.decode("utf-8", "replace").rstrip(" ")
        if number == 1 and text.count(" ") == 1:  # words, dimension
            width = int(text.split(" ")[1]) if text.split(" ")[1].isdigit() else 0
            continue
        width = width or text.count(" ")
        word, *texts = text.rsplit(" ", width) if width else [text]  # a published word may have blanks
        more = sum(map(is_number, word.split(" ")[1:]))  # a word may have blanks; numbers among its parts are too many
        if len(texts) != width or not width or more:
            raise DataError(
                f"{path}:{number}: {len(texts) + more} numbers follow {word[:30]!r}, expected {width or 'some'}; a "
                "word and its vector a line, parted by blanks, as in GloVe's and fastText's text files"
            )
        if (same := folded.get(word.lower())) is not None:
            vector = numbers_of(texts, path, number)
            for place in same:
                (found if place in exact.get(word, ()) else near).setdefault(place, vector)
    wanted, found = len(words) - len(SPECIALS), {**near, **found}
    if not found:
        raise DataError(f"{path}: has a vector for none of {wanted} words; does it fit the language and its case?")
    table, known = np.zeros((len(words), width), np.float32), np.zeros(len(words), np.bool_)
    for place, vector in found.items():
        table[place], known[place] = vector, True
    share, running = len(found) / wanted, counts[known].sum() / max(1, counts[len(SPECIALS) :].sum())
    log.warning(
        "%s: vectors for %d of %d words (%.1f%%; %.1f%% of the training text)",
        *(path.name, len(found), wanted, 100 * share, 100 * running),
    )
    return Vectors(table, known)


def places(words: Sequence[str], fold: Callable[[str], str]) -> dict[str, list[int]]:
    """The ids of each word; a word may have several, with and without a mark of where it was joined."""
    found: dict[str, list[int]] = {}
    for number, word in enumerate(words):
        if number >= len(SPECIALS):
            found.setdefault(fold(word), []).append(number)
    return found


def numbers_of(texts: Sequence[str], path: Path, number: int) -> NDArray[np.float32]:
    try:
        vector = np.array(texts, dtype=np.float32)
    except ValueError as error:
        raise DataError(f"{path}:{number}: no vector ({error})") from None
    if not np.isfinite(vector).all():
        raise DataError(f"{path}:{number}: a vector with a number that is not finite")
    return vector


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
