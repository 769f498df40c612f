"""A quantity from outside, whole: translations that are the reference to the letter."""

from attnlab.metrics.quantity import Summed


class ExactMatch(Summed):
    """An item contributes whether it is right, and itself."""

    def count(self, record):
        return [float(record["hypothesis"] == record["reference"]), 1.0]

    def close(self, sums):
        return 100 * sums[..., 0] / sums[..., 1]


EXACT = ExactMatch(name="exact", title="exact match", unit="%", better="higher", digits=1)
