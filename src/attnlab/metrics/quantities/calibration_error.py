"""Expected calibration error: how far confidence and accuracy are apart (Guo et al. 2017, equation 3)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attnlab.metrics.noted import classes_of, probabilities_of
from attnlab.metrics.quantity import Record, Summed

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float

BINS = 15  #: of equal width


class CalibrationError(Summed):
    r"""$\sum_b \frac{n_b}{N} |\mathrm{acc}_b - \mathrm{conf}_b|$ over bins of the largest probability.

    C is, bin by bin, the sum of confidence - right; then 1: n_b cancels.
    """

    def count(self, record: Record) -> Sequence[float] | None:
        found, probabilities = classes_of(record), probabilities_of(record)
        if found is None or probabilities is None:
            return None
        confidence, counts = max(probabilities.values()), [0.0] * (BINS + 1)
        counts[min(int(confidence * BINS), BINS - 1)] = confidence - float(found[0] == found[1])
        counts[BINS] = 1.0
        return counts

    def close(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        import numpy as np

        return np.abs(sums[..., :BINS]).sum(-1) / sums[..., BINS]


CALIBRATION_ERROR = CalibrationError(
    name="calibration_error", title="calibration error", better="lower", digits=4, lowest=0, highest=1, tests=("bs",)
)
