r"""Diebold and Mariano's test of two forecasters: do their mean losses differ beyond the choice of origins?

With d_i the difference of what two forecasts from origin i score (MAE, RMSE, … over its steps), in the order of time,

    DM = d / sqrt((g_0 + 2 sum_{k<h} g_k) / n),     g_k the k-th autocovariance of the d_i, n how many there are
    DM* = DM sqrt((n + 1 - 2h + h (h - 1) / n) / n),  held against Student's t with n - 1 degrees of freedom

Diebold and Mariano 1995, equation (1); the correction for few origins is that of Harvey, Leybourne and Newbold 1997,
equation (9). h is how many forecasts reach over one point: 1 where origins are a horizon apart, and then DM* is the
paired t-test. Where the sum of autocovariances is not above 0, they are weighted by 1 - k / h, whose sum always is
(Newey and West 1987).
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import stdtr


def diebold_mariano(a: Float[np.ndarray, " N"], b: Float[np.ndarray, " N"], overlap: int = 1) -> float:
    """The two-sided p; 1 where the two lose the same everywhere, or fewer than two origins tell nothing.

    Args:
        a: losses of one forecaster, origin by origin.
        b: of the other, from the same origins.
        overlap: h.
    """
    d, n = a - b, len(a)
    reach = min(overlap, n - 1)
    if n < 2 or np.allclose(d, 0, rtol=0, atol=1e-12 * max(1.0, float(np.abs(a).max()))):
        return 1.0
    variance = long_run_variance(d, reach) / n
    if variance <= 0:  # all differences alike
        return 0.0
    corrected = (n + 1 - 2 * reach + reach * (reach - 1) / n) / n
    statistic = d.mean() / np.sqrt(variance) * np.sqrt(corrected)
    return float(2 * stdtr(n - 1, -abs(statistic)))


def long_run_variance(d: Float[np.ndarray, " N"], reach: int) -> float:
    """Of the mean of a series, times its length, with autocovariances up to a lag below ``reach``."""
    moved = d - d.mean()
    covariances = np.array([moved[k:] @ moved[: len(d) - k] / len(d) for k in range(reach)])
    found = float(covariances[0] + 2 * covariances[1:].sum())
    if found > 0:
        return found
    weights = 1 - np.arange(1, reach) / reach
    return float(covariances[0] + 2 * (weights * covariances[1:]).sum())


def overlap_of(records: Sequence[Mapping[str, Any]]) -> int:
    """How many forecasts reach over one point, by the origins and the steps that were noted; 1 where none were."""
    origins = [record.get("origin") for record in records]
    steps = max((len(record.get("truth") or ()) for record in records), default=0)
    known = sorted(origin for origin in origins if isinstance(origin, int))
    apart = [b - a for a, b in pairwise(known) if b > a]
    return max(1, ceil(steps / min(apart))) if apart else 1
