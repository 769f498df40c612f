"""Training runs that stand apart from the others of their configuration: some failed, most likely.

The generalized extreme Studentized deviate test (Rosner 1983), which with one suspect is Grubbs's (1969):

    R_i = max |x - mean(x)| / s of what is left after i - 1 of them were taken out,
    lambda_i = (m - 1) t / sqrt((m - 2 + t^2) m),  t = t(m - 2; 1 - alpha / (2 m)),  m = n - i + 1 values left

The outliers are the first i, for the largest i with R_i > lambda_i. Several are looked for at once because two failed
runs hide each other from a test of one. A third of the runs are suspects at most; of two runs nothing can be said.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

LEVEL = 0.05  # in so many samples without any an outlier is named
FEWEST = 3


def outlying(values: Sequence[float], level: float = LEVEL) -> list[int]:
    """The places of the values that stand apart, the farthest first."""
    left = {place: value for place, value in enumerate(values) if np.isfinite(value)}
    taken: list[int] = []
    found = 0
    for suspects in range(1, len(left) // FEWEST + 1):
        m = len(left)
        known = np.array(list(left.values()))
        spread = float(known.std(ddof=1))
        if spread <= 1e-12 * float(np.abs(known).max()):
            break
        farthest = max(left, key=lambda place: abs(left[place] - known.mean()))
        if abs(left.pop(farthest) - known.mean()) / spread > critical(m, level):
            found = suspects
        taken.append(farthest)
    return taken[:found]


def critical(m: int, level: float) -> float:
    """What the largest of m Studentized deviates exceeds with this probability (Grubbs 1969)."""
    t = float(stdtrit(m - 2, 1 - level / (2 * m)))
    return (m - 1) * t / float(np.sqrt((m - 2 + t**2) * m))
