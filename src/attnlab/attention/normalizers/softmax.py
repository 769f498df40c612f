r"""Softmax with a temperature: every position in the window gets some weight.

$$a_{ij} = \frac{\exp(e_{ij} / \tau)}{\sum_k \exp(e_{ik} / \tau)}$$

Paper: Bahdanau, Cho and Bengio 2015, "Neural machine translation by jointly learning to align and translate", equation
(6), where tau is 1.
Cost: time and memory O(B T S).
"""

from jaxtyping import Bool, Float
from torch import Tensor

from attnlab.attention.base import Normalizer
from attnlab.kernels.denormals import without_denormals
from attnlab.ranges import Positive
from attnlab.types import ConfigError


class Softmax(Normalizer):
    """Softmax with a temperature.

    Args:
        temperature: tau; 1 is the plain softmax, towards 0 the weights harden.

    Raises:
        ConfigError: the temperature is not positive.
    """

    def __init__(self, temperature: Positive = 1.0) -> None:
        super().__init__()
        if temperature <= 0:
            raise ConfigError(f"attention.normalizer.temperature must be above 0, got {temperature}")
        self.temperature = temperature

    def forward(self, scores: Float[Tensor, "B T S"], mask: Bool[Tensor, "B #T S"]) -> Float[Tensor, "B T S"]:
        # Minus infinity, not a large number: a masked position weighs exactly zero in every precision.
        return without_denormals((scores / self.temperature).masked_fill(~mask, float("-inf"))).softmax(-1)
