"""The encoder of a Transformer: layers of self-attention (Vaswani et al. 2017, section 3.1)."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.encoders.base import Encoder
from attnlab.encoders.compiled_layers import read
from attnlab.layers.dims import SourceDims
from attnlab.layers.positions.base import Position
from attnlab.layers.transformer import EncoderLayer, LayerSettings, Stack, stacked
from attnlab.ranges import Depth
from attnlab.types import Encoded


class Transformer(Encoder):
    """A stack of layers; its size is that of the embeddings. The summary C is the mean annotation.

    Args:
        embedding_dim: size of the embedded words and of everything that layers hand on.
        position: where words stand.
        self_attention: an ``Attention`` but for its sizes.
        layer: what the layers have in common.
        layers: how many.
        scale_embeddings: multiply embedded words by sqrt(embedding_dim) (Vaswani et al. 2017, section 3.4).

    Raises:
        ConfigError: a combination that cannot be built.
    """

    own_dropout = True

    def __init__(
        self,
        embedding_dim: int,
        position: Callable[..., Position],
        self_attention: Callable[..., nn.Module],
        layer: LayerSettings,
        layers: Depth = 4,
        scale_embeddings: bool = True,
    ) -> None:
        super().__init__()
        self.dims = SourceDims(states=embedding_dim, summary=embedding_dim, final=embedding_dim, layers=1, parts=1)
        made = [EncoderLayer(embedding_dim, self_attention, layer) for _ in range(layers)]
        self.stack = Stack(made, position, embedding_dim, layer, False, scale_embeddings)

    def forward(self, embedded: Float[Tensor, "B S E"], mask: Bool[Tensor, "B S"]) -> Encoded:
        states, _ = self._mix(embedded, mask, wanted=False)
        real = mask.unsqueeze(-1)
        states = self.stack.norm(states) * real
        summary = states.sum(1) / real.sum(1)
        return Encoded(states, mask, summary, (summary.unsqueeze(1),))

    @torch.no_grad()
    def self_weights(
        self, embedded: Float[Tensor, "B S E"], mask: Bool[Tensor, "B S"]
    ) -> Float[Tensor, "B L H S S"] | None:
        return stacked(self._mix(embedded, mask, wanted=True)[1])

    def _mix(
        self, embedded: Float[Tensor, "B S E"], mask: Bool[Tensor, "B S"], wanted: bool
    ) -> tuple[Float[Tensor, "B S E"], list[Tensor | None]]:
        """Through all layers; and the weights of each."""
        states, weights = self.stack.enter(embedded), []
        if not wanted and (found := read(self.stack, states, mask)) is not None:
            return found, []
        for layer, position in self.stack:
            states, _, seen = layer(states, mask, position, wanted)
            weights.append(seen)
        return states, weights
