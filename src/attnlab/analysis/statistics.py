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

What a difference is held against is a mixture of quantiles of Student's t, of the seeds and of the N sentences, as
that of Cochran and Cox (1950, section 4.14):

    c = w^e t(f; alpha) + (1 - w^e) t(N - 1; alpha),    w = V_1 / V, the first term's share of the variance

The seeds' degrees of freedom f lie between those that never fail and those that are right for equal spreads. Never
does the smallest f_g = K_g - 1 fail, whatever the spreads are (Hajek 1962). Weights s_g = v_g / V_1 of
v_g = w_g^2 s_g^2 / K_g give f_c = 1 / sum_g (s_g / f_g); Satterthwaite's (1946) degrees of freedom, freed from their
bias (E[v_g^2] being E[v_g]^2 (1 + 2/f_g)), give f_s = 1 / sum_g (s_g^2 / (f_g + 2)) - 2, at least f_c:

    f = f_min + min(1, alpha / 0.05) (f_c - f_min + k (K_min / K_max)^3 (4 s_a s_b)^2 (f_s - f_c))

k being 2, or 1.5 where f_min is 2; and e is as f_min - 1/2, between 1 and 2.5, moved towards 1 by the same factor
below 5%. What is added to f_min is so chosen that in a world of normal effects no two spreads and no shares of the
variance bring the level above 0.065 at 5%, nor that of a family (Holm) much above it, and that equal counts lose
little. Against Satterthwaite's degrees of freedom three seeds on each side lose 4 points of power at equal spreads and
up to about 12 at spreads of 1:5, where those called equal systems different in up to 8% of all cases; four or five on
each side lose next to nothing at equal spreads, 1 to 4 points at unequal ones. Of all tests that depend on t and the
shares, none with a level below 0.065 loses less than 2 points with three (by linear programming over a table's cells).
With two seeds on a side f is 1: nothing less keeps the level when the spread lies on that side.

How often equal configurations are called different, and what is found, is measured in benchmarks/calibration.py.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import stdtrit

from attnlab.metrics.quantity import Counted, Quantity

USUAL = 0.05  # the level that degrees of freedom beyond the lowest are right for
LEAST, HALVINGS = -600.0, 60  # of log p, and of the interval in which it is looked for
CHUNK = 10_000_000  # numbers of a weight table that are in memory at once: 80 MB


class Spread(NamedTuple):
    """What a linear combination of configurations' means is known to."""

    standard_error: float
    lowest: float  #: degrees of freedom of the configuration with the fewest seeds
    seeds: float = np.inf  #: degrees of freedom of all seeds together, at 5%; ``lowest`` at least
    share: float = 1.0  #: of the seeds in the variance
    sentences: float = np.inf  #: degrees of freedom of the sentences, which have the rest of the variance

    @property
    def df(self) -> float:
        """Of seeds and sentences together, at 5%: what is shown."""
        return 1 / (self.share / self.seeds + (1 - self.share) / self.sentences)

    def quantile(self, level: float) -> float:
        """How many standard errors are exceeded, either way, with this probability."""
        near = min(1.0, level / USUAL)
        power = 1 + near * (min(2.5, max(1.0, self.lowest - 0.5)) - 1)
        weight = self.share**power
        degrees = self.lowest + near * (self.seeds - self.lowest)
        return -float(weight * stdtrit(degrees, level / 2) + (1 - weight) * stdtrit(self.sentences, level / 2))


def bootstrap(
    quantity: Counted, rows: Sequence[Float[np.ndarray, "N C"]], resamples: int, seed: int
) -> Float[np.ndarray, "R G"]:
    """The score of every run on every resample of the items, on its scale; a resample is the same for all runs.

    Args:
        quantity: closes them.
        rows: for each run, what each item contributes.
        resamples: how many, each of as many items as there are.
        seed: of the draws.
    """
    items = len(rows[0])
    generator = np.random.default_rng(seed)
    parts, left = [], resamples
    while left:
        now = min(left, max(1, CHUNK // items))
        parts.append(quantity.scores(rows, generator.integers(items, size=(now, items))))
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
    counts = [len(v) for v in values]
    lowest = min(counts) - 1
    if resampled is not None:
        combined = sum(w * r.mean(1) for w, r in zip(weights, resampled, strict=True))
        counted = sum(w**2 * interaction(r) / r.shape[1] for w, r in zip(weights, resampled, strict=True))
        # Seeds that happen to score the same show nothing of what counts twice.
        from_sentences = max(0.0, float(np.var(combined, ddof=1)) - (counted if seeds else 0.0))
    total = seeds + from_sentences
    if total == 0:
        return Spread(0.0, lowest, lowest)
    shares = [part / seeds for part in parts] if seeds else [1 / len(parts)] * len(parts)
    degrees = degrees_of_seeds(shares, counts)
    return Spread(float(np.sqrt(total)), lowest, degrees, seeds / total, float(max(1, sentences - 1)))


def degrees_of_seeds(shares: Sequence[float], counts: Sequence[int]) -> float:
    """Degrees of freedom of the seeds at 5%, f in the module's docstring.

    Args:
        shares: of each configuration in the variance over seeds; they sum to one.
        counts: seeds of each.
    """
    degrees = [count - 1 for count in counts]
    lowest, few, many = min(degrees), min(counts), max(counts)
    if lowest == 1 or len(counts) == 1:
        return float(lowest)
    careful = 1 / sum(share / f for share, f in zip(shares, degrees, strict=True))
    freed = 1 / sum(share**2 / (f + 2) for share, f in zip(shares, degrees, strict=True)) - 2
    balance = (4 * shares[0] * shares[1]) ** 2 * (few / many) ** 3
    return float(careful + (1.5 if lowest == 2 else 2.0) * balance * max(0.0, freed - careful))


def interaction(resampled: Float[np.ndarray, "R K"]) -> float:
    """How much a run of a configuration varies over the sentences, apart from what all its runs do."""
    own = resampled - resampled.mean(1, keepdims=True)
    return float(own.var(axis=0, ddof=1).sum() / (resampled.shape[1] - 1))


def interval(centre: float, spread: Spread, level: float) -> tuple[float, float]:
    """The two-sided interval that covers 1 - level."""
    reach = spread.standard_error * spread.quantile(level)
    return centre - reach, centre + reach


def within(quantity: Quantity, low: float, high: float) -> tuple[float, float]:
    """The part of an interval of values that the quantity can have: Student's t knows no bounds."""
    return max(low, quantity.lowest), min(high, quantity.highest)


def difference_within(quantity: Quantity, low: float, high: float) -> tuple[float, float]:
    """The part of an interval of differences, on the quantity's scale, that two values of it can have."""
    if not np.isfinite([quantity.lowest, quantity.highest]).all():
        return low, high
    reach = float(np.ptp(quantity.to_scale(np.array([quantity.lowest, quantity.highest]))))
    return max(low, -reach), min(high, reach)


def two_sided(difference: float, spread: Spread) -> tuple[float, float]:
    """t and its two-sided p: the level at whose quantile it lies.

    No difference at all is p = 1, a difference without any spread is p = 0.
    """
    if difference == 0:
        return 0.0, 1.0
    if spread.standard_error == 0:
        return float(np.copysign(np.inf, difference)), 0.0
    t = difference / spread.standard_error
    low, high = LEAST, 0.0  # log p: a larger level has a smaller quantile
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if spread.quantile(np.exp(middle)) < abs(t) else (middle, high)
    return t, float(np.exp(high)) if high > LEAST / 2 else 0.0


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
