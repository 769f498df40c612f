r"""Key-value attention: one half of an annotation is compared, the other half is read.

$$h_j = [k_j; v_j], \qquad e_{ij} = w^\top \tanh(W_Y k_j + W_h s_i), \qquad c_i = \sum_j a_{ij} v_j$$

Paper: Daniluk, Rocktäschel, Welbl and Riedel 2017, "Frustratingly short attention spans in neural language modeling",
section 2.2.
Cost: time O(B T A (Q + S)), memory O(B T S A); the keys O(B S K A / 2) once a sentence.

The paper's language model looks back at its own outputs, and its query is the key half of the newest one; here the
annotations are the encoder's and the query is the decoder's whole state. The context has half the annotations' size.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.base import Score
from attnlab.ranges import Width
from attnlab.types import ConfigError, History, Memory


class KeyValue(Score):
    """Additive score on the first half of the annotations; the values are the second half.

    Args:
        query_dim, key_dim: sizes of s and h.
        attention_dim: A, the size inside the tanh; None takes ``query_dim``.

    Raises:
        ConfigError: annotations of an odd size.
    """

    def __init__(self, query_dim: int, key_dim: int, attention_dim: Width | None = None) -> None:
        super().__init__(query_dim, key_dim)
        if key_dim % 2:
            raise ConfigError(
                f"attention=key_value splits the annotations in two halves, but they have the odd size {key_dim}. "
                "Set an even encoder.hidden_dim, or take attention=bahdanau, which compares and reads all of them"
            )
        attention_dim = attention_dim or query_dim
        self.W_Y = nn.Linear(key_dim // 2, attention_dim, bias=False)
        self.W_h = nn.Linear(query_dim, attention_dim, bias=False)
        self.w = nn.Linear(attention_dim, 1, bias=False)

    @property
    def value_dim(self) -> int:
        return self.key_dim // 2

    def keys(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S A"]:
        return self.W_Y(states[..., : self.value_dim])

    def values(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S C"]:
        return states[..., self.value_dim :]

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        inside = self.W_h(query).unsqueeze(2) + memory.keys.unsqueeze(1)  # [B, T, S, A]
        return self.w(torch.tanh(inside)).squeeze(-1)
