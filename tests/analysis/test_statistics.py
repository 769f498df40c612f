"""The test over seeds and sentences: its variance and level by simulation, its parts against closed forms."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import nct, t, ttest_ind

from attnlab.analysis.statistics import (
    Spread,
    degrees_of_seeds,
    difference_within,
    hedges_g,
    holm,
    interaction,
    interval,
    percentile_interval,
    spread,
    two_sided,
    within,
)
from attnlab.metrics.quantities.accuracy import ACCURACY
from attnlab.metrics.quantities.bleu import BLEU
from attnlab.metrics.quantities.nll import NLL
from attnlab.metrics.quantities.ppl import PERPLEXITY
from attnlab.metrics.quantity import Counted
from attnlab.metrics.registry import find

EXTREMES = {  # what an item contributes of which nothing is right, or everything, from the least score
    "accuracy": [(0, 1), (1, 1)],
    "macro_f1": [(0, 1, 0, 0, 0, 1), (1, 1, 1, 0, 0, 0)],
    "calibration_error": [(*[0] * 15, 1), (*[0] * 14, 1, 1)],
    "bleu": [(9, 9, 0, 0, 0, 0, 9, 8, 7, 6), (9, 9, 9, 8, 7, 6, 9, 8, 7, 6)],
    "chrf": [(9, 9, 0) * 6, (9, 9, 9) * 6],
    "aer": [(2, 2, 2, 2), (0, 0, 2, 2)],
    "nll": [(0, 1)],
    "ter": [(0, 9)],
}
BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def calibration(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import calibration

    return calibration


def test_equal_spread_over_seeds_is_the_two_sample_t_test() -> None:
    """Where both variances over seeds are the same number, and sentences add nothing.

    Satterthwaite's degrees of freedom freed from their bias are then 2 (K + 1) - 2 = 6, four more than one side has;
    the module counts these one and a half times.
    """
    a, b = np.array([30.0, 31.0, 32.0]), np.array([33.5, 32.5, 34.5])
    known = spread([a, b], [1.0, -1.0], None, 100)
    t_value, _ = two_sided(float(a.mean() - b.mean()), known)
    expected = ttest_ind(a, b)
    assert t_value == pytest.approx(expected.statistic)
    assert known.df == pytest.approx(2 + 1.5 * 4)
    assert spread([a], [1.0], None, 100).df == pytest.approx(2)  # one sample: K - 1


@pytest.mark.parametrize("counts", [(3, 3), (4, 4), (3, 4), (5, 5), (3, 10)])
@pytest.mark.parametrize("ratio", [0.1, 0.25, 1, 2, 4, 5, 8, 20])
def test_no_spreads_bring_the_level_above_what_is_aimed_at(counts: tuple[int, int], ratio: float) -> None:
    """Where the seeds are all there is, by 400,000 draws of two normal samples (standard error below 0.0004)."""
    generator = np.random.default_rng(3)
    sides = [sd * generator.normal(size=(count, 400_000)) for sd, count in zip((1.0, ratio), counts, strict=True)]
    parts = [side.var(0, ddof=1) / len(side) for side in sides]
    grid = np.linspace(0, 1, 401)  # of the first side's share in the variance
    quantiles = [Spread(1.0, min(counts) - 1, degrees_of_seeds([s, 1 - s], counts)).quantile(0.05) for s in grid]
    t_values = (sides[0].mean(0) - sides[1].mean(0)) / np.sqrt(sum(parts))
    found = (np.abs(t_values) > np.interp(parts[0] / sum(parts), grid, quantiles)).mean()
    assert 0.02 < found < 0.065


@pytest.mark.parametrize("level", [0.05, 0.01, 1e-4])
def test_two_seeds_are_one_degree_of_freedom(level: float) -> None:
    """Whatever the other side has: its spread may be nothing against theirs."""
    known = spread([np.array([1.0, 2.0]), np.arange(10.0)], [1.0, -1.0], None, 100)
    assert known.quantile(level) == pytest.approx(t.ppf(1 - level / 2, 1))


def test_far_from_five_percent_the_smallest_count_decides() -> None:
    known = spread([np.arange(3.0), np.arange(4.0)], [1.0, -1.0], None, 100)
    assert known.quantile(1e-7) == pytest.approx(t.ppf(1 - 0.5e-7, 2), rel=1e-4)
    assert t.ppf(0.975, 7) < known.quantile(0.05) < t.ppf(0.975, 2)


def test_p_is_the_level_of_the_interval_that_ends_at_zero() -> None:
    known = Spread(1.3, 3, 5.2, 0.7, 199)
    for difference in (0.4, 2.9, 7.0, 60.0):
        p = two_sided(difference, known)[1]
        assert interval(difference, known, p)[0] == pytest.approx(0, abs=1e-9)


def test_seeds_and_sentences_are_mixed_as_by_cochran_and_cox() -> None:
    """Two seeds, w = 0.25: the quantiles of 1 and of 99 degrees of freedom, weighted with the variances."""
    known = Spread(1.0, 1, 1, 0.25, 99)
    assert known.quantile(0.05) == pytest.approx(0.25 * t.ppf(0.975, 1) + 0.75 * t.ppf(0.975, 99))


def test_p_and_interval_are_those_of_student() -> None:
    known = Spread(standard_error=2.0, lowest=7.3, seeds=7.3)
    t_value, p = two_sided(-5.0, known)
    assert t_value == -2.5
    assert p == pytest.approx(2 * t.sf(2.5, 7.3))
    low, high = interval(-5.0, known, 0.05)
    assert (low, high) == pytest.approx((-5 - 2 * t.ppf(0.975, 7.3), -5 + 2 * t.ppf(0.975, 7.3)))
    assert two_sided(0.0, Spread(0.0, 2)) == (0.0, 1.0)
    assert two_sided(0.5, Spread(0.0, 2)) == (math.inf, 0.0)


def test_variance_is_unbiased_in_a_world_of_normal_effects() -> None:
    """Effects of seed, sentences, and both together with known variances; scores are means over sentences."""
    generator, sentences, seeds, trials = np.random.default_rng(0), 200, 3, 1500
    seed_sd, own_sd, both_sd = 0.05, 0.8, 1.0
    true = 2 * (seed_sd**2 / seeds + own_sd**2 / sentences + both_sd**2 / (seeds * sentences))
    estimates, differences = [], []
    for _ in range(trials):
        shared = generator.normal(size=sentences)
        tables = [
            shared[:, None]
            + own_sd * generator.normal(size=(sentences, 1))
            + both_sd * generator.normal(size=(sentences, seeds))
            + seed_sd * generator.normal(size=seeds)
            for _ in range(2)
        ]
        weights = generator.multinomial(sentences, np.full(sentences, 1 / sentences), 60) / sentences
        values = [table.mean(0) for table in tables]
        known = spread(values, [1.0, -1.0], [weights @ table for table in tables], sentences)
        estimates.append(known.standard_error**2)
        differences.append(values[0].mean() - values[1].mean())
    assert np.var(differences) == pytest.approx(true, rel=0.12)
    assert np.mean(estimates) == pytest.approx(true, rel=0.05)


def test_interaction_is_the_mean_square_of_a_table_without_its_margins() -> None:
    resampled = np.random.default_rng(1).normal(size=(500, 4)) + np.random.default_rng(2).normal(size=(500, 1))
    residual = resampled - resampled.mean(1, keepdims=True) - resampled.mean(0) + resampled.mean()
    assert interaction(resampled) == pytest.approx((residual**2).sum() / (499 * 3))


def test_sentences_count_where_seeds_are_alike() -> None:
    """Runs that are copies: only the sentences are left, with as many degrees of freedom."""
    resampled = np.random.default_rng(3).normal(size=(400, 1)) * [1.0, 1.0, 1.0]
    same = np.array([5.0, 5.0, 5.0])
    known = spread([same, same + 1], [1.0, -1.0], [resampled, -resampled], 200)
    assert known.standard_error == pytest.approx(float((2 * resampled[:, 0]).std(ddof=1)))
    assert known.df == pytest.approx(199)


def test_identical_systems_keep_the_level(calibration) -> None:
    """A fast version of benchmarks/calibration.py; with 400 trials, 99.9% of such counts are within 8 and 36."""
    chance = calibration.CASES["identical systems"]

    def p_value(world) -> float:
        return next(calibration.over_seeds(world.trial(chance, [3, 3], [0, 0]), calibration.number(world)))

    found = calibration.share(400, p_value, seed=11) * 400
    assert 8 <= found <= 36


def test_a_true_difference_is_found_as_often_as_theory_says(calibration) -> None:
    chance = calibration.Chance(seeds=0.1)
    world = calibration.World(calibration.SENTENCES, np.random.default_rng(5))
    drawn = [world.trial(chance, [5, 5], [0.25, 0]) for _ in range(300)]
    differences = np.array([a.mean() - b.mean() for a, b in map(calibration.means, drawn)])
    shift, critical = differences.mean() / differences.std(), t.ppf(0.975, 8)
    theory = nct.sf(critical, 8, shift) + nct.cdf(-critical, 8, shift)
    found = np.mean([next(calibration.over_seeds(systems, 1)) < 0.05 for systems in drawn])
    assert 0.5 < theory < 0.95
    assert found == pytest.approx(theory, abs=3.3 * math.sqrt(theory * (1 - theory) / 300))


def test_holm() -> None:
    """The worked example of Holm's procedure with four hypotheses: 4 p1, 3 p3, 2 p4, p2, made monotone."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


def test_hedges_g() -> None:
    """By hand: means 4 and 2, pooled deviation sqrt((2*1 + 3*4)/5), correction 1 - 3/19."""
    a, b = np.array([3.0, 4.0, 5.0]), np.array([0.0, 2.0, 2.0, 4.0])
    pooled = math.sqrt((2 * 1 + 8) / 5)
    assert hedges_g(a, b) == pytest.approx(2 / pooled * (1 - 3 / 19))
    assert hedges_g(a[:1], b[:1]) is None
    assert hedges_g(np.array([1.0, 1.0]), np.array([2.0, 2.0])) is None


def test_percentiles() -> None:
    assert percentile_interval(np.arange(1001.0), 0.1) == (50.0, 950.0)


def test_no_interval_reaches_what_cannot_be() -> None:
    assert within(ACCURACY, -0.2, 1.3) == (0, 1)
    assert within(BLEU, 99.0, 100.4) == (99.0, 100)
    assert within(NLL, -0.1, 7.0) == (0, 7.0)
    assert within(ACCURACY, 0.2, 0.3) == (0.2, 0.3)
    assert difference_within(ACCURACY, -1.4, 0.1) == (-1, 0.1)
    assert difference_within(BLEU, -250.0, 250.0) == (-100, 100)
    assert difference_within(NLL, -250.0, 250.0) == (-250, 250)
    assert difference_within(PERPLEXITY, -9.0, 9.0) == (-9, 9)


@pytest.mark.parametrize("name", ["accuracy", "macro_f1", "calibration_error", "bleu", "chrf", "aer", "nll", "ter"])
def test_bounds_are_those_of_the_score(name: str) -> None:
    """The best and the worst output there is, counted."""
    quantity = find(name)
    assert isinstance(quantity, Counted)
    assert [quantity.score(np.array([rows], dtype=float)) for rows in EXTREMES[name]] == pytest.approx(
        [bound for bound in (quantity.lowest, quantity.highest) if np.isfinite(bound)]
    )
