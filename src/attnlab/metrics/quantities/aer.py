"""Alignment error rate (Och and Ney 2003), of the forced decoding of the reference."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attnlab.metrics.noted import numbers
from attnlab.metrics.quantity import Record, Summed

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float


class AlignmentErrorRate(Summed):
    """1 - (|A∩S| + |A∩P|) / (|A| + |S|): an item contributes these four numbers of links."""

    def count(self, record: Record) -> Sequence[float] | None:
        return numbers("links", record.get("links"), 4)

    def close(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        return 1 - (sums[..., 0] + sums[..., 1]) / (sums[..., 2] + sums[..., 3]).clip(min=1)


AER = AlignmentErrorRate(name="aer", title="AER", better="lower", digits=3, lowest=0, highest=1)
