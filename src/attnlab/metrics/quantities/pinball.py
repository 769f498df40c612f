r"""The pinball loss of forecast quantiles, over levels, steps and targets: a proper score of a distribution.

$$\rho_q(y, \hat y) = \max\bigl(q (y - \hat y), (q - 1)(y - \hat y)\bigr)$$

Koenker and Bassett 1978, "Regression quantiles". At the level 1/2 it is half the absolute error.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attnlab.metrics.noted import forecast_of, quantiles_of
from attnlab.metrics.quantities.mae import MeanAbsolute
from attnlab.metrics.quantity import Record

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float


class Pinball(MeanAbsolute):
    """C is: the sum of the losses, how many."""

    def count(self, record: Record) -> Sequence[float] | None:
        found, quantiles = forecast_of(record), quantiles_of(record)
        if found is None or quantiles is None:
            return None
        total = sum(float(pinball(found[0] - values, level).sum()) for level, values in quantiles.items())
        return total, float(found[0].size * len(quantiles))


def pinball(errors: "Float[np.ndarray, '*N']", level: float) -> "Float[np.ndarray, '*N']":
    """The loss of what came less the quantile of a level."""
    import numpy as np

    return np.maximum(level * errors, (level - 1) * errors)


PINBALL = Pinball(name="pinball", title="pinball loss", better="lower", lowest=0, tests=("bs", "ar", "dm"))
