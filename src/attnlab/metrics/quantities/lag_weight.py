"""The attention on the lag that matters, where the data know it: the mean over the steps of a forecast."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attnlab.metrics.noted import numbers
from attnlab.metrics.quantity import Record, Summed

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float


class LagWeight(Summed):
    """C is: the weight on the true lag, 1."""

    def count(self, record: Record) -> Sequence[float] | None:
        found = numbers("lag_weight", record.get("lag_weight"), 1)
        return None if found is None else (*found, 1.0)

    def close(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        return sums[..., 0] / sums[..., 1]


LAG_WEIGHT = LagWeight(name="lag_weight", title="weight on true lag", better="higher", digits=4, lowest=0, highest=1)
