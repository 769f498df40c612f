"""Accuracy: the share of the items whose class is found."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attnlab.metrics.noted import classes_of
from attnlab.metrics.quantity import Record, Summed

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float


class Accuracy(Summed):
    """C is: right or not, 1."""

    def count(self, record: Record) -> Sequence[float] | None:
        found = classes_of(record)
        return None if found is None else (float(found[0] == found[1]), 1.0)

    def close(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        return sums[..., 0] / sums[..., 1]


ACCURACY = Accuracy(
    name="accuracy", title="accuracy", better="higher", digits=4, lowest=0, highest=1, tests=("bs", "ar", "mcnemar")
)
