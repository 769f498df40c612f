"""Pearson's correlation of what is predicted for items with what people have said, r; 0 where one of them is constant.

r = (sum xy - sum x sum y / N) / sqrt((sum xx - (sum x)^2 / N) (sum yy - (sum y)^2 / N))
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attnlab.metrics.noted import numbers
from attnlab.metrics.quantity import Record, Summed

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float

    from attnlab.metrics.quantity import Rows

TINY = 1e-12  #: of sums of squares, below which a side is constant but for rounding


class Pearson(Summed):
    """A function of sums: C is 1, x, y, xx, yy, xy of ``predicted`` and ``score``."""

    def count(self, record: Record) -> Sequence[float] | None:
        found = scores_of(record)
        if found is None:
            return None
        x, y = found
        return 1.0, x, y, x * x, y * y, x * y

    def close(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        import numpy as np

        n, x, y, xx, yy, xy = np.moveaxis(np.asarray(sums, np.float64), -1, 0)
        of_x, of_y, both = xx - x * x / n, yy - y * y / n, xy - x * y / n
        varied = (of_x > TINY * xx) & (of_y > TINY * yy)
        scale = np.sqrt(np.where(varied, of_x * of_y, 1.0))
        return np.where(varied, np.clip(both / scale, -1.0, 1.0), 0.0)

    def item_scores(self, rows: "Rows") -> "Float[np.ndarray, ' N']":
        """Not a number: a single item correlates with nothing."""
        import numpy as np

        return np.full(len(rows), np.nan)


def scores_of(record: Record) -> list[float] | None:
    """``predicted`` and ``score`` of an item; None where its record does not say.

    Raises:
        DataError: they are no numbers.
    """
    predicted, score = record.get("predicted"), record.get("score")
    return None if predicted is None or score is None else numbers("predicted and score", (predicted, score), 2)


PEARSON = Pearson(name="pearson", title="Pearson's r", better="higher", digits=4, lowest=-1, highest=1)
