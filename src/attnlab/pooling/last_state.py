r"""Attention whose query is the encoder's last state.

$$a = \operatorname{softmax}(H q), \qquad z = H^\top a, \qquad q = [\overrightarrow{h}_S; \overleftarrow{h}_1]$$

The attention of the well-known BiLSTM tutorials on sentiment; the score is any mechanism's, the dot product by default.
Other encoders have another summary for a last state: see each.
"""

from collections.abc import Callable
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.layers.dims import SourceDims
from attnlab.pooling.base import Pooled, Pooling, attend, require_no_history
from attnlab.pooling.heads import by_head
from attnlab.types import Encoded


class LastState(Pooling):
    """One look at the words, asked by the last state.

    Args:
        source: sizes of what the encoder hands on.
        attention: called with the sizes of query and keys.

    Raises:
        ConfigError: a mechanism that asks where it has looked before.
    """

    attention: nn.Module
    rows = ("last state",)

    def __init__(self, source: SourceDims, attention: Callable[..., nn.Module]) -> None:
        super().__init__(source)
        self.attention = attention(query_dim=source.summary, key_dim=source.states, summary_dim=source.summary)
        require_no_history(self.attention, "pooling=last_state")
        self.output_dim = cast(int, self.attention.context_dim)

    def forward(self, encoded: Encoded) -> Pooled:
        context, weights, sample = attend(self.attention, encoded.summary.unsqueeze(1), encoded)
        return Pooled(context.squeeze(1), weights, None, sample)

    @torch.no_grad()
    def weights_by_head(self, encoded: Encoded) -> Float[Tensor, "B L H R S"] | None:
        return by_head(self.attention, encoded.summary.unsqueeze(1), encoded)
