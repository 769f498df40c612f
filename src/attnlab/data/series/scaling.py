"""Standardised columns, by the mean and the deviation of the points that are trained on and of no others."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

LEAST = 1e-12  #: of a deviation, relative to the largest number; a column that never changes is only moved


class Scaling(NamedTuple):
    """What was learnt of columns."""

    mean: Float[np.ndarray, " C"]
    deviation: Float[np.ndarray, " C"]

    @classmethod
    def learnt(cls, values: Float[np.ndarray, "T C"]) -> "Scaling":
        deviation = values.std(0)
        return cls(values.mean(0), np.where(deviation > LEAST * np.abs(values).max(0), deviation, 1.0))

    def scaled(self, values: Float[np.ndarray, "T C"]) -> Float[np.ndarray, "T C"]:
        return (values - self.mean) / self.deviation

    def unscaled(self, values: Float[np.ndarray, "*N H K Q"]) -> Float[np.ndarray, "*N H K Q"]:
        """Quantiles of the first columns in their own units; those that cross are put in order.

        Sorting does so without loss (Chernozhukov, Fernandez-Val and Galichon 2010).
        """
        targets = slice(0, values.shape[-2])
        told = np.sort(values.astype(np.float64), axis=-1)
        return told * self.deviation[targets, None] + self.mean[targets, None]


def calendar(points: "np.ndarray", periods: tuple[int, ...], harmonics: int) -> Float[np.ndarray, "T F"]:
    """Where points stand in each period, as sines and cosines of its first harmonics: nothing but the position is read.

    Args:
        points: their numbers from the first row of the series on, which is where every period begins.
        periods: in points.
        harmonics: of each period; those that repeat within two points are left out.
    """
    waves = [(period, n) for period in periods for n in range(1, harmonics + 1) if 2 * n < period]
    angles = np.array([2 * np.pi * n * points / period for period, n in waves]).reshape(len(waves), len(points)).T
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
