"""a_ij = exp(e_ij / tau) / sum_k exp(e_ik / tau) over the window."""

from jaxtyping import Bool, Float
from torch import Tensor

from attnlab.attention.base import Normalizer
from attnlab.types import ConfigError


class Softmax(Normalizer):
    """Softmax with a temperature.

    Args:
        temperature: tau; 1 is the plain softmax, towards 0 the weights harden.

    Raises:
        ConfigError: the temperature is not positive.
    """

    def __init__(self, temperature: float = 1.0) -> None:
        super().__init__()
        if temperature <= 0:
            raise ConfigError(f"attention.normalizer.temperature must be above 0, got {temperature}")
        self.temperature = temperature

    def forward(self, scores: Float[Tensor, "B T S"], mask: Bool[Tensor, "B #T S"]) -> Float[Tensor, "B T S"]:
        # Minus infinity, not a large number: a masked position weighs exactly zero in every precision.
        return (scores / self.temperature).masked_fill(~mask, float("-inf")).softmax(-1)
