"""The paired tests of any quantity are those of scipy and of plain loops, and keep their level."""

import math
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from attnlab.analysis import exchange
from attnlab.analysis.exchange import ExchangeTests, bootstrap, mcnemar, randomisation
from attnlab.analysis.runs import Run
from attnlab.errors import DataError
from attnlab.metrics.quantities.accuracy import ACCURACY
from attnlab.metrics.quantities.aer import AER
from attnlab.metrics.quantities.bleu import BLEU
from attnlab.metrics.quantities.ppl import PERPLEXITY
from attnlab.metrics.quantity import Counted, OfItems
from attnlab.metrics.registry import known


@dataclass(frozen=True, kw_only=True)
class RankCorrelation(OfItems):
    def count(self, record: Any) -> Any:
        return record["x"], record["y"]

    def close(self, rows: Any) -> float:
        if (rows == rows[0]).all(0).any():
            return math.nan  # of equal values there is none
        return float(stats.spearmanr(rows[:, 0], rows[:, 1]).statistic)


SPEARMAN = RankCorrelation(name="spearman", title="rank correlation", better="higher")
COLUMNS = {BLEU: 10, AER: 4, PERPLEXITY: 2, SPEARMAN: 2}


def outputs(quantity: Counted, items: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    a, b = (draw.integers(1, 9, (items, COLUMNS[quantity])).astype(np.float64) for _ in range(2))
    return a, b


@pytest.mark.parametrize("quantity", COLUMNS, ids=lambda quantity: quantity.name)
def test_randomisation_is_scipys_where_all_exchanges_are_gone_through(quantity: Counted) -> None:
    """Of 9 items 7 differ; the numbers of an item are exchanged together, so scipy is given the items' numbers."""
    a, b = outputs(quantity, 9)
    b[:2] = a[:2]
    tables = np.stack([a, b])

    def difference(of_a: np.ndarray, of_b: np.ndarray) -> float:
        """From the outputs that the items are taken from, 0 or 1."""
        first, second = (tables[chosen.astype(int), np.arange(9)] for chosen in (of_a, of_b))
        return quantity.score_on_scale(first) - quantity.score_on_scale(second)

    theirs = stats.permutation_test(
        (np.zeros(9), np.ones(9)), difference, permutation_type="samples", n_resamples=np.inf, vectorized=False
    )
    assert randomisation(quantity, a, b, 10_000, seed=1) == pytest.approx(theirs.pvalue)
    observed, extreme = difference(np.zeros(9), np.ones(9)), 0
    for swapped in product((0.0, 1.0), repeat=9):
        extreme += abs(difference(np.array(swapped), 1 - np.array(swapped))) >= abs(observed) * (1 - 1e-9)
    assert randomisation(quantity, a, b, 10_000, seed=1) == pytest.approx(extreme / 2**9)


@pytest.mark.parametrize("quantity", [AER, PERPLEXITY], ids=lambda quantity: quantity.name)
def test_randomisation_by_drawing_comes_near(quantity: Counted) -> None:
    a, b = outputs(quantity, 12)
    exact = randomisation(quantity, a, b, 2**12, seed=1)
    drawn = [randomisation(quantity, a, b, 2**12 - 1, seed) for seed in range(5)]
    assert drawn == pytest.approx([exact] * 5, abs=4 * math.sqrt(exact * (1 - exact) / 2**12) + 1e-3)
    assert len(set(drawn)) > 1


@pytest.mark.parametrize("quantity", COLUMNS, ids=lambda quantity: quantity.name)
def test_bootstrap_is_that_of_a_loop(quantity: Counted) -> None:
    a, b = outputs(quantity, 15)
    observed = quantity.score_on_scale(a) - quantity.score_on_scale(b)
    extreme, defined = 0, 0
    for drawn in np.random.default_rng(7).integers(15, size=(300, 15)):
        difference = quantity.score_on_scale(a[drawn]) - quantity.score_on_scale(b[drawn])
        defined += not math.isnan(difference)
        extreme += abs(difference - observed) >= abs(observed) * (1 - 1e-9)
    assert bootstrap(quantity, a, b, 300, seed=7) == pytest.approx((1 + extreme) / (1 + defined))


def test_bootstrap_draws_what_scipys_does() -> None:
    """The differences of resamples have scipy's distribution."""
    a, b = outputs(AER, 400)
    drawn = np.random.default_rng(3).integers(400, size=(4000, 400))
    scores = AER.scores([a, b], drawn)

    def difference(items: Any, axis: int = -1) -> Any:
        rows = items.astype(int)
        return AER.close_on_scale(a[rows].sum(-2)) - AER.close_on_scale(b[rows].sum(-2))

    theirs = stats.bootstrap(
        (np.arange(400.0),), difference, n_resamples=4000, method="percentile", rng=np.random.default_rng(4)
    )
    ours = scores[:, 0] - scores[:, 1]
    assert ours.std(ddof=1) == pytest.approx(theirs.standard_error, rel=0.05)
    assert np.quantile(ours, [0.025, 0.975]) == pytest.approx(list(theirs.confidence_interval), abs=0.25 * ours.std())


@pytest.mark.parametrize("test", [randomisation, bootstrap])
def test_the_same_output_twice(test: Any) -> None:
    a, _ = outputs(AER, 40)
    assert test(AER, a, a.copy(), 500, seed=1) == 1.0


@pytest.mark.parametrize("test", [randomisation, bootstrap])
def test_large_tables_are_gone_through_in_parts(test: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [test(AER, *outputs(AER, items), 999, 5) for items in (6, 30)]
    monkeypatch.setattr(exchange, "CHUNK", 50)
    assert [test(AER, *outputs(AER, items), 999, 5) for items in (6, 30)] == whole


@pytest.mark.parametrize("test", [randomisation, bootstrap])
def test_equal_systems_are_seldom_called_different(test: Any) -> None:
    """Two outputs of one distribution, 400 times: p < 0.05 in 5% of them (standard error 1.1 points)."""
    p_values = [test(AER, *outputs(AER, 60, seed), 400, seed + 10**6) for seed in range(400)]
    assert np.mean([p < 0.05 for p in p_values]) < 0.085
    assert np.mean([p < 0.5 for p in p_values]) == pytest.approx(0.5, abs=0.1)


def test_between_runs() -> None:
    a, b = outputs(PERPLEXITY, 30)
    runs = [Run(Path(name), {}, {}, (), {}) for name in "abc"]
    tests = ExchangeTests(PERPLEXITY, dict(zip(runs, (a, b, a), strict=True)), seed=9)
    worse, same = tests("ar", runs[0], runs[1:])
    assert (worse.score, worse.baseline_score) == (PERPLEXITY.score(b), PERPLEXITY.score(a))
    assert worse.p == randomisation(PERPLEXITY, b, a, 10_000, 9)
    assert same.p == 1.0
    assert tests.signatures == {"ar": "ar:10000|seed:9"}


def judged(rights: str) -> np.ndarray:
    return np.array([(float(letter == "x"), 1.0) for letter in rights])


@pytest.mark.parametrize(
    ("only_a", "only_b", "alike"), [(0, 0, 9), (1, 0, 3), (5, 5, 0), (9, 2, 30), (40, 21, 500), (600, 500, 2000)]
)
def test_mcnemars_test_is_scipys_binomial_test(only_a: int, only_b: int, alike: int) -> None:
    """Exact, two-sided, of the items that one output alone gets right (McNemar 1947; statsmodels' ``exact=True``)."""
    a, b = judged("x" * only_a + "." * only_b + "x" * alike), judged("." * only_a + "x" * only_b + "x" * alike)
    expected = stats.binomtest(only_a, only_a + only_b, 0.5).pvalue if only_a + only_b else 1.0
    assert mcnemar(ACCURACY, a, b) == pytest.approx(expected, rel=1e-12)
    assert mcnemar(ACCURACY, b, a) == pytest.approx(expected, rel=1e-12)


def test_mcnemars_test_is_randomisation_gone_through() -> None:
    draw = np.random.default_rng(3)
    for _ in range(20):
        a, b = (judged("".join(draw.choice(["x", "."], 12))) for _ in range(2))
        assert mcnemar(ACCURACY, a, b) == pytest.approx(randomisation(ACCURACY, a, b, 10_000, 1), rel=1e-12)


def test_mcnemars_test_is_of_what_is_right_or_wrong() -> None:
    a, b = outputs(AER, 30)
    with pytest.raises(DataError, match="McNemar's test is of items that score 0 or 1"):
        mcnemar(AER, a, b)
    assert [quantity.id for quantity in known().values() if "mcnemar" in getattr(quantity, "tests", ())] == ["accuracy"]
