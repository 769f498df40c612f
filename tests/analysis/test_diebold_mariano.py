"""Diebold and Mariano's test against scipy's paired t-test, statsmodels' HAC variance, and a scalar transcription."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import t as student
from scipy.stats import ttest_rel
from statsmodels.stats.sandwich_covariance import S_hac_simple, weights_bartlett, weights_uniform

from attnlab.analysis.diebold_mariano import diebold_mariano, long_run_variance, overlap_of


def losses(seed, items=14):
    draw = np.random.default_rng(seed)
    shared = draw.gamma(2.0, size=items)
    return shared + 0.3 * draw.normal(size=items), shared + 0.3 * draw.normal(size=items) - 0.2


@pytest.mark.parametrize("seed", range(4))
def test_origins_a_horizon_apart_make_it_the_paired_t_test(seed):
    a, b = losses(seed)
    assert diebold_mariano(a, b) == pytest.approx(ttest_rel(a, b).pvalue, rel=1e-9)


@pytest.mark.parametrize("overlap", [2, 3])
def test_the_variance_is_that_of_statsmodels(overlap):
    d = np.subtract(*losses(7, 60))
    moved = (d - d.mean())[:, None]
    uniform = S_hac_simple(moved, nlags=overlap - 1, weights_func=weights_uniform)[0, 0] / len(d)
    assert uniform > 0
    assert long_run_variance(d, overlap) == pytest.approx(uniform, rel=1e-9)


def test_where_that_is_negative_newey_and_west_have_it():
    d = np.array([1.0, -1.0] * 20) + 0.1
    assert S_hac_simple((d - d.mean())[:, None], nlags=1, weights_func=weights_uniform)[0, 0] < 0
    fitted = sm.OLS(d, np.ones(len(d))).fit(cov_type="HAC", cov_kwds={"maxlags": 1, "use_correction": False})
    assert long_run_variance(d, 2) / len(d) == pytest.approx(fitted.cov_params()[0, 0], rel=1e-9)
    assert weights_bartlett(1).tolist() == [1.0, 0.5]


def test_the_correction_in_scalars():
    a, b = losses(3, 30)
    d, n, h = [x - y for x, y in zip(a, b, strict=True)], 30, 3
    mean = sum(d) / n
    gamma = [sum((d[i] - mean) * (d[i - k] - mean) for i in range(k, n)) / n for k in range(h)]
    statistic = mean / math.sqrt((gamma[0] + 2 * gamma[1] + 2 * gamma[2]) / n)
    statistic *= math.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
    assert diebold_mariano(a, b, h) == pytest.approx(2 * student.sf(abs(statistic), n - 1), rel=1e-9)


def test_what_is_alike_or_too_few():
    a, _ = losses(1)
    assert diebold_mariano(a, a.copy()) == 1.0
    assert diebold_mariano(a[:1], a[:1] + 1) == 1.0
    assert diebold_mariano(np.ones(5) + 1, np.ones(5)) == 0.0  # better by as much everywhere


def test_it_keeps_its_level():
    draw = np.random.default_rng(0)
    found = [diebold_mariano(*draw.normal(size=(2, 14))) for _ in range(2000)]
    assert 0.035 < np.mean(np.array(found) < 0.05) < 0.065


def test_how_many_forecasts_reach_over_one_point():
    def records(apart, steps, items=4):
        return [{"origin": 100 + apart * n, "truth": [[0.0]] * steps} for n in range(items)]

    assert overlap_of(records(48, 48)) == 1
    assert overlap_of(records(1, 12)) == 12
    assert overlap_of(records(5, 12)) == 3
    assert overlap_of([{"label": "x"}]) == 1
