"""What can be said of a mean over a few training runs on one test set.

A score varies for two reasons: another seed gives another model, and another test set other sentences. Both are
accounted for together. Write a run's score on a test set as

    y_k = mu + a_k + b + c_k        a: the seed, b: the sentences drawn, c: how the seed fares with these sentences

The variance over seeds s^2, taken on the one test set there is, estimates var(a) + var(c). The bootstrap over
sentences, with the same resamples for all runs, estimates the covariance of what b and c do to every run; what
it says about differences between runs of one configuration is c alone. Of a linear combination of configurations
(one mean, or the difference of two, weights w_g) over K_g seeds the variance is therefore, without bias,

    V = sum_g w_g^2 s_g^2 / K_g  +  max(0, V_sentences - sum_g w_g^2 var_g(c) / K_g)

V_sentences being the bootstrap variance of the combination of means. The second sum is the part of it that the
first term holds already. (A bootstrap that draws seeds and then sentences takes three seeds for a population and
counts c twice: it calls identical systems with three seeds different at 5% in 2% of all cases where seeds matter
little, and in 20% where they matter much.)

Quantiles are those of Student's t. The first term V_1 has Satterthwaite's degrees of freedom; as estimated from
two or three runs they are too few (Welch's test then rejects in 3.5% of all cases at 5%), so they are freed from
their bias, E[v_g^2] being E[v_g]^2 (1 + 2/f_g) for v_g = w_g^2 s_g^2 / K_g with f_g = K_g - 1. The second term V_2
has those of its N sentences:

    f_1 = V_1^2 / sum_g (v_g^2 / (f_g + 2)) - 2, at least min_g f_g;    f = V^2 / (V_1^2 / f_1 + V_2^2 / (N - 1))

How often this calls equal configurations different is measured in benchmarks/calibration.py.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import stdtr, stdtrit

from attnlab.analysis.scoring import Scorer

CHUNK = 10_000_000  # numbers of a weight table that are in memory at once: 80 MB


class Spread(NamedTuple):
    """What a linear combination of configurations' means is known to."""

    standard_error: float
    df: float


def bootstrap(
    scorer: Scorer, rows: Sequence[Float[np.ndarray, "N C"]], resamples: int, seed: int
) -> Float[np.ndarray, "R G"]:
    """The score of every run on every resample of the sentences; a resample is the same for all runs.

    Args:
        scorer: closes the sums.
        rows: for each run, what each sentence contributes.
        resamples: how many, each of as many sentences as there are.
        seed: of the draws.
    """
    sentences, columns = rows[0].shape
    side_by_side = np.concatenate(rows, axis=1)
    generator = np.random.default_rng(seed)
    parts, left = [], resamples
    while left:
        now = min(left, max(1, CHUNK // sentences))
        drawn = generator.integers(sentences, size=(now, sentences)) + np.arange(now)[:, None] * sentences
        weights = np.bincount(drawn.ravel(), minlength=now * sentences).reshape(now, sentences)
        sums = weights.astype(np.float64) @ side_by_side
        parts.append(scorer.close(sums.reshape(now, len(rows), columns)))
        left -= now
    return np.concatenate(parts)


def spread(
    values: Sequence[Float[np.ndarray, " _"]],
    weights: Sequence[float],
    resampled: Sequence[Float[np.ndarray, "R _"]] | None,
    sentences: int,
) -> Spread:
    """Standard error and degrees of freedom of ``sum_g weights_g mean(values_g)``, see the module's docstring.

    Args:
        values: for each configuration, the score of each of its runs; two runs or more.
        weights: of the configurations.
        resampled: for each configuration, the scores of its runs on the resamples, the same ones for all; None to
            account for the seeds only.
        sentences: how many were resampled.
    """
    parts = [w**2 * float(v.var(ddof=1)) / len(v) for w, v in zip(weights, values, strict=True)]
    seeds, from_sentences = sum(parts), 0.0
    lowest = min(len(v) for v in values) - 1
    if resampled is not None:
        combined = sum(w * r.mean(1) for w, r in zip(weights, resampled, strict=True))
        counted = sum(w**2 * interaction(r) / r.shape[1] for w, r in zip(weights, resampled, strict=True))
        from_sentences = max(0.0, float(np.var(combined, ddof=1)) - counted)
    total = seeds + from_sentences
    if total == 0:
        return Spread(0.0, lowest)
    inverse = (from_sentences / total) ** 2 / max(1, sentences - 1)
    if seeds:
        freed = seeds**2 / sum(part**2 / (len(v) + 1) for part, v in zip(parts, values, strict=True)) - 2
        inverse += (seeds / total) ** 2 / max(lowest, freed)
    return Spread(float(np.sqrt(total)), 1 / inverse)


def interaction(resampled: Float[np.ndarray, "R K"]) -> float:
    """How much a run of a configuration varies over the sentences, apart from what all its runs do."""
    own = resampled - resampled.mean(1, keepdims=True)
    return float(own.var(axis=0, ddof=1).sum() / (resampled.shape[1] - 1))


def interval(centre: float, spread: Spread, level: float) -> tuple[float, float]:
    """The two-sided interval that covers 1 - level."""
    reach = spread.standard_error * float(stdtrit(spread.df, 1 - level / 2))
    return centre - reach, centre + reach


def two_sided(difference: float, spread: Spread) -> tuple[float, float]:
    """t and its two-sided p; no difference at all is p = 1, a difference without any spread is p = 0."""
    if difference == 0:
        return 0.0, 1.0
    if spread.standard_error == 0:
        return float(np.copysign(np.inf, difference)), 0.0
    t = difference / spread.standard_error
    return t, float(2 * stdtr(spread.df, -abs(t)))


def percentile_interval(resampled: Float[np.ndarray, " R"], level: float) -> tuple[float, float]:
    """The bootstrap interval of one run, over sentences."""
    low, high = np.quantile(resampled, [level / 2, 1 - level / 2])
    return float(low), float(high)


def hedges_g(a: Float[np.ndarray, " K"], b: Float[np.ndarray, " L"]) -> float | None:
    """The difference in standard deviations over seeds (Hedges 1981), freed from bias; None without spread.

    g = (mean_a - mean_b) / s (1 - 3 / (4 f - 1)), s the pooled standard deviation, f = K + L - 2.
    """
    f = len(a) + len(b) - 2
    if f == 0:
        return None
    pooled = np.sqrt(((len(a) - 1) * _variance(a) + (len(b) - 1) * _variance(b)) / f)
    if pooled == 0:
        return None
    return float((a.mean() - b.mean()) / pooled * (1 - 3 / (4 * f - 1)))


def _variance(values: Float[np.ndarray, " K"]) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down correction: the i-th smallest of m is multiplied by m - i + 1, made monotone."""
    order = np.argsort(p_values, kind="stable")
    scaled = np.array(p_values, dtype=np.float64)[order] * np.arange(len(order), 0, -1)
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(scaled))
    return [float(p) for p in corrected]
