"""Paired tests of two outputs, for any quantity that items contribute to.

They ask what sacreBLEU's tests ask of BLEU, chrF and TER: do two *outputs* differ beyond the choice of items? With d
the difference of the two scores on the quantity's scale, and d_r that of the r-th of R draws,

    approximate randomisation (Noreen 1989; Riezler and Maxwell 2005): the outputs exchange each item or not,
        p = (1 + #{|d_r| >= |d|}) / (1 + R)
    McNemar's (1947), exact: of m items that one output alone gets right, a has k, b the others,
        p = min(1, 2 P[X <= min(k, m - k)]), X binomial of m and 1/2
    bootstrap (Efron and Tibshirani 1993, section 16.4): items are drawn with replacement, the same ones of both,
        p = (1 + #{|d_r - d| >= |d|}) / (1 + R)

Of forecasts, whose items come one after the other in time, :mod:`attnlab.analysis.diebold_mariano` has one more.

Items that count the same in both cannot tell them apart. Where m others have no more than R exchanges, all 2^m of them
are gone through, and p = #{|d_r| >= |d|} / 2^m is exact. McNemar's test, of a share such as accuracy, asks what
randomisation asks, and its p is that of all 2^m exchanges, whatever m is.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import bdtr

from attnlab.analysis.diebold_mariano import diebold_mariano
from attnlab.analysis.runs import Run
from attnlab.analysis.significance import Outcome
from attnlab.errors import DataError
from attnlab.metrics.quantity import Counted, Test

DRAWS: Mapping[Test, int] = {"bs": 1000, "ar": 10_000}  # as many as sacreBLEU's
CHUNK = 10_000_000  # numbers of a table of draws that are in memory at once
SAME = 1e-9  # of a difference: sums in another order are none


class ExchangeTests:
    """Tests between runs on one split.

    Args:
        quantity: closes what items contribute.
        rows: that, of each run.
        seed: of the draws.
        overlap: how many forecasts reach over one point, for Diebold and Mariano's test.
    """

    def __init__(
        self, quantity: Counted, rows: Mapping[Run, Float[np.ndarray, "N C"]], seed: int, overlap: int = 1
    ) -> None:
        self.quantity, self.rows, self.seed, self.overlap = quantity, rows, seed, overlap
        self.signatures: dict[Test, str] = {}

    def __call__(self, kind: Test, baseline: Run, systems: Sequence[Run]) -> list[Outcome]:
        """Test each system against the baseline."""
        own = self.rows[baseline]
        score = self.quantity.score(own)
        return [
            Outcome(self.quantity.score(self.rows[run]), score, self.p(kind, self.rows[run], own)) for run in systems
        ]

    def p(self, kind: Test, a: Float[np.ndarray, "N C"], b: Float[np.ndarray, "N C"]) -> float:
        if kind == "mcnemar":
            self.signatures[kind] = "mcnemar:exact"
            return mcnemar(self.quantity, a, b)
        if kind == "dm":
            self.signatures[kind] = f"dm:origins|overlap:{self.overlap}|correction:HLN"
            return diebold_mariano(self.quantity.item_scores(a), self.quantity.item_scores(b), self.overlap)
        draws = DRAWS[kind]
        self.signatures[kind] = f"{kind}:{draws}|seed:{self.seed}"
        return (randomisation if kind == "ar" else bootstrap)(self.quantity, a, b, draws, self.seed)


def mcnemar(quantity: Counted, a: Float[np.ndarray, "N C"], b: Float[np.ndarray, "N C"]) -> float:
    """The two-sided p of McNemar's exact test.

    Raises:
        DataError: items are not right or wrong, so the quantity should not have allowed it.
    """
    right = [quantity.item_scores(rows) for rows in (a, b)]
    if not all(np.isin(scores, (0, 1)).all() for scores in right):
        raise DataError(f"{quantity.title}: McNemar's test is of items that score 0 or 1, and some score otherwise")
    only_a, only_b = (int((x > y).sum()) for x, y in (right, right[::-1]))
    return min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))


def randomisation(
    quantity: Counted, a: Float[np.ndarray, "N C"], b: Float[np.ndarray, "N C"], draws: int, seed: int
) -> float:
    """The two-sided p of approximate randomisation; exact where so few items differ."""
    observed = quantity.score_on_scale(a) - quantity.score_on_scale(b)
    differ = np.flatnonzero((a != b).any(1))
    exact = 2 ** len(differ) <= draws if len(differ) < 63 else False
    parts = every_exchange(len(a), differ) if exact else drawn_exchanges(len(a), differ, draws, seed)
    found = [np.subtract(*quantity.exchanged(a, b, swapped)) for swapped in parts]
    return share(np.concatenate(found), observed, exact)


def bootstrap(
    quantity: Counted, a: Float[np.ndarray, "N C"], b: Float[np.ndarray, "N C"], draws: int, seed: int
) -> float:
    """The two-sided p of the paired bootstrap, of differences that are moved to have no difference as their centre."""
    observed = quantity.score_on_scale(a) - quantity.score_on_scale(b)
    generator, found = np.random.default_rng(seed), []
    for now in portions(draws, len(a)):
        scores = quantity.scores([a, b], generator.integers(len(a), size=(now, len(a))))
        found.append(scores[:, 0] - scores[:, 1] - observed)
    return share(np.concatenate(found), observed, False)


def every_exchange(items: int, differ: "np.ndarray") -> Iterator[Bool[np.ndarray, "R N"]]:
    """All exchanges of the items that differ; the first one exchanges nothing."""
    bits = np.arange(2 ** len(differ))[:, None] >> np.arange(len(differ)) & 1
    for part in np.array_split(bits, -(-bits.size // CHUNK) or 1):
        swapped = np.zeros((len(part), items), dtype=np.bool_)
        swapped[:, differ] = part == 1
        yield swapped


def drawn_exchanges(items: int, differ: "np.ndarray", draws: int, seed: int) -> Iterator[Bool[np.ndarray, "R N"]]:
    """Exchanges at random."""
    generator = np.random.default_rng(seed)
    for now in portions(draws, items):
        swapped = np.zeros((now, items), dtype=np.bool_)
        swapped[:, differ] = generator.integers(2, size=(now, len(differ))) == 1
        yield swapped


def portions(draws: int, items: int) -> Iterator[int]:
    """How many draws at once."""
    most = max(1, CHUNK // items)
    yield from (min(most, draws - done) for done in range(0, draws, most))


def share(found: Float[np.ndarray, " R"], observed: float, exact: bool) -> float:
    """The part of the draws that differ as much; those whose score is not defined do not count."""
    known = np.abs(found[~np.isnan(found)])
    as_much = int((known >= abs(observed) * (1 - SAME)).sum())
    return as_much / len(known) if exact and len(known) else (1 + as_much) / (1 + len(known))
