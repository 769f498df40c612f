"""My quantity: the share of outputs that are the reference to the letter."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from attnlab.metrics.quantity import Record, Summed


class MyQuantity(Summed):
    """A sum over items, and a closed form at the end: any batching and any number of processes give the same."""

    def count(self, record: Record) -> Sequence[float] | None:
        """What an item contributes: whether it is right, and 1; None where its line does not say."""
        if "hypothesis" not in record or "reference" not in record:
            return None
        return float(record["hypothesis"] == record["reference"]), 1.0

    def close(self, sums: Float[np.ndarray, "*R C"]) -> Float[np.ndarray, "*R"]:
        """The number, from the sum of what items contribute."""
        return 100 * sums[..., 0] / sums[..., 1]
