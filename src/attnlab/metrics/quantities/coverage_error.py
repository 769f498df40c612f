"""How far an interval is from covering what it says: |share of points between the outermost quantiles - nominal|."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attnlab.metrics.noted import forecast_of, quantiles_of
from attnlab.metrics.quantity import Record, Summed

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float


class CoverageError(Summed):
    """C is: points inside, points that would be, how many."""

    def count(self, record: Record) -> Sequence[float] | None:
        found, quantiles = forecast_of(record), quantiles_of(record)
        if found is None or quantiles is None or len(quantiles) < 2:
            return None
        low, high = min(quantiles), max(quantiles)
        inside = (quantiles[low] <= found[0]) & (found[0] <= quantiles[high])
        points = float(found[0].size)
        return float(inside.sum()), (high - low) * points, points

    def close(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        return abs(sums[..., 0] - sums[..., 1]) / sums[..., 2]


COVERAGE_ERROR = CoverageError(
    name="coverage_error", title="coverage error", better="lower", digits=4, lowest=0, highest=1, tests=("bs",)
)
