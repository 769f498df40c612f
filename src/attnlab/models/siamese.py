r"""A control: each sentence becomes one vector without a look at the other, and the two are compared.

    u = pool(encode(premise)),  v = pool(encode(hypothesis)),  z = [u, v, |u - v|, u * v]

Bowman et al. 2015 and Mou et al. 2016 compare sentences so; Conneau et al. 2017, "Supervised learning of universal
sentence representations from natural language inference data", section 3.1, have this z. What stands in ``pooling=``
may attend within a sentence (``mean`` does not), and nothing aligns the two.
"""

from collections.abc import Callable

import torch
from torch import nn

from attnlab.encoders.base import Encoder
from attnlab.models.matching import Drawn, Embedded, Matched, Matching, compared
from attnlab.pooling.base import Pooled, Pooling
from attnlab.ranges import Fraction
from attnlab.types import Encoded


class Siamese(Matching):
    """One encoder and one pooling for both sentences.

    Args:
        embedding_dim: size of the embedded words.
        encoder, pooling: factories.
        state_dropout: on the annotations.
    """

    def __init__(
        self,
        embedding_dim: int,
        encoder: Callable[..., Encoder],
        pooling: Callable[..., Pooling],
        state_dropout: Fraction = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder(embedding_dim=embedding_dim)
        self.pooling, self.attention = pooling(source=self.encoder.dims), None
        self.state_dropout = nn.Dropout(state_dropout)
        self.output_dim = 4 * self.pooling.output_dim

    @property
    def drawn_by(self) -> nn.Module | None:
        return self.pooling.attention

    def forward(self, premise: Embedded, hypothesis: Embedded) -> Matched:
        u, v = self.pool(premise), self.pool(hypothesis)
        drawn = tuple(
            Drawn(found.sample, torch.ones_like(found.sample.log_prob, dtype=torch.bool))
            for found in (u, v)
            if found.sample is not None
        )
        penalty = None if u.penalty is None or v.penalty is None else u.penalty + v.penalty
        vector = torch.cat([u.vector, v.vector, *compared(u.vector, v.vector)], -1)
        return Matched(vector, drawn=drawn, penalty=penalty)

    def pool(self, side: Embedded) -> Pooled:
        encoded: Encoded = self.encoder(side.words, side.mask)
        found: Pooled = self.pooling(encoded._replace(states=self.state_dropout(encoded.states)))
        return found
