r"""Alignments against gold links, with intervals and a paired test.

With links A, sure gold links S and possible ones P, of which the sure ones are a part (Och and Ney 2003),

    precision = |A∩P| / |A|,  recall = |A∩S| / |S|,  AER = 1 - (|A∩S| + |A∩P|) / (|A| + |S|)

and F1 is the harmonic mean of the first two. Where all gold links are sure, AER = 1 - F1. Sums are over all pairs.
Intervals are percentiles of resamples of the pairs; two alignments of the same pairs are told apart by exchanging them
pair by pair (approximate randomisation, Noreen 1989), p = (1 + exchanges with a difference as large) / (1 + all).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from attnlab.metrics.alignment import link_counts
from attnlab.metrics.quantities.aer import AER
from attnlab.metrics.word_alignment.symmetrization import Links

DRAWS = 2000
LEVEL = 0.05
Counts = Float[np.ndarray, "N 4"]  #: |A∩S|, |A∩P|, |A|, |S| of each pair


class Gold(NamedTuple):
    """The gold links of a pair; sure ones are possible, too."""

    sure: Links
    possible: Links


class Interval(NamedTuple):
    """A value, and where it would lie with other pairs."""

    value: float
    low: float
    high: float


class Score(NamedTuple):
    """What an alignment is worth."""

    aer: Interval
    precision: Interval
    recall: Interval
    f1: Interval
    links: int


def counts(found: Sequence[Links], gold: Sequence[Gold]) -> Counts:
    """What each pair contributes."""
    rows = [link_counts(links, *right) for links, right in zip(found, gold, strict=True)]
    return np.array(rows, np.float64)


def score(rows: Counts, seed: int = 1) -> Score:
    """The scores of an alignment, with intervals at 95%."""
    drawn = np.random.default_rng(seed).integers(len(rows), size=(DRAWS, len(rows)))
    whole, resampled = rows.sum(0, keepdims=True), rows[drawn].sum(1)
    aer, p, r, f = (Interval(float(of(whole)[0]), *bounds(of(resampled))) for of in (AER.close, precision, recall, f1))
    return Score(aer, p, r, f, int(whole[0, 2]))


def bounds(values: Float[np.ndarray, " R"]) -> tuple[float, float]:
    low, high = np.quantile(values, [LEVEL / 2, 1 - LEVEL / 2])
    return float(low), float(high)


def precision(sums: Float[np.ndarray, "R 4"]) -> Float[np.ndarray, " R"]:
    return sums[..., 1] / np.maximum(sums[..., 2], 1)


def recall(sums: Float[np.ndarray, "R 4"]) -> Float[np.ndarray, " R"]:
    return sums[..., 0] / np.maximum(sums[..., 3], 1)


def f1(sums: Float[np.ndarray, "R 4"]) -> Float[np.ndarray, " R"]:
    p, r = precision(sums), recall(sums)
    return 2 * p * r / np.maximum(p + r, 1e-12)


def paired_test(a: Counts, b: Counts, seed: int = 1) -> float:
    """Whether two alignments of the same pairs differ in AER: p, two-sided."""
    swapped = np.random.default_rng(seed).random((DRAWS, len(a))) < 0.5
    first, second = AER.exchanged(a, b, swapped)
    observed = abs(AER.score(a) - AER.score(b))
    return float((1 + np.sum(np.abs(first - second) >= observed - 1e-12)) / (1 + DRAWS))
