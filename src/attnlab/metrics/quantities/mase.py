r"""The mean absolute scaled error: errors in units of the seasonal naive forecast's on the points before the test.

$$\frac{1}{H} \sum_h \frac{|y_{t+h} - \hat y_{t+h}|}{\frac{1}{n-s} \sum_{i>s} |y_i - y_{i-s}|}$$

Hyndman and Koehler 2006, "Another look at measures of forecast accuracy". Every target has a scale of its own, which a
record notes as ``scale``.
"""

from collections.abc import Sequence

from attnlab.errors import DataError
from attnlab.metrics.noted import forecast_of, table
from attnlab.metrics.quantities.mae import MeanAbsolute
from attnlab.metrics.quantity import Record


class MeanAbsoluteScaled(MeanAbsolute):
    """C is: the sum of |y - forecast| / scale, how many."""

    def count(self, record: Record) -> Sequence[float] | None:
        found, noted = forecast_of(record), record.get("scale")
        if found is None or noted is None:
            return None
        scale = table("scale", [noted])[0]
        if len(scale) != found[0].shape[1] or not (scale > 0).all():
            raise DataError(f"scale is {noted}, expected a number above 0 for each of {found[0].shape[1]} targets")
        return float((abs(found[0] - found[1]) / scale).sum()), float(found[0].size)


MASE = MeanAbsoluteScaled(name="mase", title="MASE", better="lower", digits=4, lowest=0, tests=("bs", "ar", "dm"))
