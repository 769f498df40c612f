"""No recurrence: the annotations are the word embeddings themselves. A control for what the encoder contributes."""

from jaxtyping import Bool, Float
from torch import Tensor

from attnlab.encoders.base import Encoder
from attnlab.layers.dims import SourceDims
from attnlab.types import Encoded


class Embedding(Encoder):
    """h_j = E x_j; the summary C is their mean. Word order is lost but for what the decoder knows."""

    def __init__(self, embedding_dim: int) -> None:
        super().__init__()
        self.dims = SourceDims(states=embedding_dim, summary=embedding_dim, final=embedding_dim, layers=1, parts=1)

    def forward(self, embedded: Float[Tensor, "B S E"], mask: Bool[Tensor, "B S"]) -> Encoded:
        real = mask.unsqueeze(-1)
        states = embedded * real
        summary = states.sum(1) / real.sum(1)
        return Encoded(states, mask, summary, (summary.unsqueeze(1),))
