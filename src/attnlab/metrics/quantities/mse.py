"""Mean squared error of a number that is predicted for an item."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attnlab.metrics.quantities.pearson import scores_of
from attnlab.metrics.quantity import Record, Summed

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float


class MeanSquaredError(Summed):
    """C is: squared error of ``predicted`` against ``score``, 1."""

    def count(self, record: Record) -> Sequence[float] | None:
        found = scores_of(record)
        return None if found is None else ((found[0] - found[1]) ** 2, 1.0)

    def close(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        return sums[..., 0] / sums[..., 1]


MSE = MeanSquaredError(name="mse", title="mean squared error", better="lower", digits=4, lowest=0)
