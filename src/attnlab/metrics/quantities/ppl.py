"""Perplexity: exp of the mean negative log-likelihood in nats a unit (a target token, a character)."""

from typing import TYPE_CHECKING

from attnlab.metrics.quantities.loss import Loss

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float


class Perplexity(Loss):
    """Its scale is its logarithm, the loss, which is finite where a perplexity is above 1.8e308."""

    def close(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        return self.from_scale(self.close_on_scale(sums))

    def close_on_scale(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        return sums[..., 0] / sums[..., 1]


PERPLEXITY = Perplexity(name="ppl", title="perplexity", better="lower", digits=3, scale="log")
