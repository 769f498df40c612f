"""The mean negative log-likelihood, in nats a unit (a target token, a sentence)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attnlab.metrics.noted import numbers
from attnlab.metrics.quantity import Record, Summed

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class Loss(Summed):
    """The sum over items of ``loss`` over the sum of their units.

    Attributes:
        units: where a record says how many units its ``loss`` is summed over; empty where an item is one unit.
    """

    units: str = "target_tokens"

    def count(self, record: Record) -> Sequence[float] | None:
        loss, units = record.get("loss"), record.get(self.units) if self.units else 1
        return None if loss is None or units is None else numbers("loss", (loss, units), 2)

    def close(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        return sums[..., 0] / sums[..., 1]


LOSS = Loss(name="loss", title="loss", better="lower", digits=3, unit="nats/token", column=False, lowest=0)
