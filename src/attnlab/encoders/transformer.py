"""The encoder of a Transformer: layers of self-attention (Vaswani et al. 2017, section 3.1)."""

from collections.abc import Callable

from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.encoders.base import Encoder
from attnlab.layers.dims import SourceDims
from attnlab.layers.positions.base import Position
from attnlab.layers.transformer import EncoderLayer, LayerSettings, Stack
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
        layers: int = 4,
        scale_embeddings: bool = True,
    ) -> None:
        super().__init__()
        self.dims = SourceDims(states=embedding_dim, summary=embedding_dim, final=embedding_dim, layers=1, parts=1)
        made = [EncoderLayer(embedding_dim, self_attention, layer) for _ in range(layers)]
        self.stack = Stack(made, position, embedding_dim, layer, False, scale_embeddings)

    def forward(self, embedded: Float[Tensor, "B S E"], mask: Bool[Tensor, "B S"]) -> Encoded:
        states = self.stack.enter(embedded)
        for layer, position in self.stack:
            states = layer(states, mask, position)
        real = mask.unsqueeze(-1)
        states = self.stack.norm(states) * real
        summary = states.sum(1) / real.sum(1)
        return Encoded(states, mask, summary, (summary.unsqueeze(1),))
