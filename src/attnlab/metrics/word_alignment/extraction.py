r"""Links read off a table of weights: a row a target word, a column a source word.

    argmax      each target word to the source word it looks at most
    threshold   every pair with a weight of at least theta
    one_to_one  the links, no two of which share a word, whose weights sum to most (Kuhn 1955)

In step t a decoder has read word t - 1 and looks for word t, which it is about to say. In step t + 1 word t is its
input, and the word itself asks: of Transformers that row is nearer to the word's alignment (Chen et al. 2020, "Accurate
word alignment induction from neural machine translation", section 3). ``shifted`` takes it.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from jaxtyping import Float

from attnlab.errors import DataError
from attnlab.metrics.alignment import Span, word_weights

Link = tuple[int, int]  #: (source word, target word), 0-based
Table = Float[np.ndarray, "J I"]


def argmax(weights: Table) -> set[Link]:
    """Each target word to the source word it looks at most; ties go to the leftmost; no weight is no link."""
    return {(int(row.argmax()), j) for j, row in enumerate(weights) if row.any()}


def threshold(weights: Table, theta: float) -> set[Link]:
    """Every pair of words with so much weight."""
    return {(int(i), int(j)) for j, i in zip(*np.nonzero(weights >= theta), strict=True)}


def one_to_one(weights: Table) -> set[Link]:
    """The heaviest links of which no two share a word."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(weights, maximize=True)
    return {(int(i), int(j)) for j, i in zip(rows, columns, strict=True) if weights[j, i] > 0}


def method(name: str, theta: float = 0.2) -> Callable[[Table], set[Link]]:
    """One of the three by its name."""
    known: dict[str, Callable[[Table], set[Link]]] = {
        "argmax": argmax,
        "threshold": partial(threshold, theta=theta),
        "one_to_one": one_to_one,
    }
    return known[name]


def of_words(
    weights: Float[np.ndarray, "T S"],
    pieces: tuple[Sequence[Span], Sequence[Span]],
    words: tuple[Sequence[Span], Sequence[Span]],
    shifted: bool = False,
) -> Table:
    """The weights of words, from those of the pieces that a model reads and writes.

    Args:
        weights: a row a step of the decoder, the end of the sentence last; a column a piece of the source.
        pieces: characters of those of the source and of the target.
        words: likewise.
        shifted: of a target word the step that has read it, and not the one that says it.

    Raises:
        DataError: there is no step behind the last piece.
    """
    if shifted:
        if len(weights) <= len(pieces[1]):
            raise DataError("shift=true: the weights end with the last word; expected the step that reads it, too")
        weights = weights[1:]
    return word_weights(weights, *pieces, *words)
