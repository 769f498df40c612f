"""Whether runs look at the same: the attention of one instance in two runs, of other seeds or of other mechanisms.

How far the attention of two seeds is apart is what the divergence of an adversary is to be held against: Wiegreffe and
Pinter 2019, "Attention is not not explanation", section 4.2.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon

from attnlab.errors import DataError
from attnlab.explanation.rankings import tau_of

Line = Mapping[str, Any]  #: of ``explanation.jsonl``


class Agreement(NamedTuple):
    """Of one instance, the mean over the other runs."""

    divergence: float  #: Jensen-Shannon, in nats
    tau: float  #: Kendall's; nan where there is none


def agreement(line: Line, others: Sequence[Mapping[tuple[int, int], Line]]) -> Agreement:
    """How an instance is looked at here and in other runs.

    Args:
        line: of the instance.
        others: the lines of each other run, by ``key``.

    Raises:
        DataError: another run was not asked about it, or reads it in other pieces.
    """
    own, found = attention(line), []
    for other in others:
        theirs = other.get(key(line))
        if theirs is None or theirs["positions"] != line["positions"]:
            raise DataError(
                f"others: item {line['number']} ({line['input'][:40]!r}) is not in the explanation of every run, or "
                "has other words there; explain them with the same items, steps and tokenizer"
            )
        there = attention(theirs)
        found.append((float(jensenshannon(own, there)) ** 2, tau_of(own, there)))
    taus = [tau for _, tau in found if np.isfinite(tau)]
    return Agreement(float(np.mean([far for far, _ in found])), float(np.mean(taus)) if taus else float("nan"))


def attention(line: Line) -> NDArray[np.float64]:
    """As a distribution."""
    sizes = np.abs(np.array(line["rankings"]["attention"], dtype=np.float64))
    return sizes / sizes.sum() if sizes.sum() else np.full(len(sizes), 1 / len(sizes))


def key(line: Line) -> tuple[int, int]:
    """Which instance it is."""
    return line["number"], line.get("step", 0)


def by_key(lines: Iterable[Line]) -> dict[tuple[int, int], Line]:
    return {key(line): line for line in lines}
