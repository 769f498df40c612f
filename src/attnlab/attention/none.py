r"""Control: no attention. Every step reads the one fixed context C, as in the plain encoder-decoder.

$$c_i = C$$

Paper: Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder for statistical machine
translation", section 2.2.
Cost: time and memory O(B T V), nothing that grows with S.

C is the encoder's summary of the whole sentence. There are no weights, so no alignment is drawn.
"""

from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.base import Attended
from attnlab.attention.checks import check_rows
from attnlab.types import Encoded, History, Memory


class NoAttention(nn.Module):
    """The fixed context C at every step; the sizes of queries and keys do not matter."""

    has_weights = False
    needs_history = looks_back = False

    def __init__(self, query_dim: int, key_dim: int, summary_dim: int) -> None:
        super().__init__()
        self.context_dim = summary_dim

    def memory(self, encoded: Encoded) -> Memory:
        check_rows(encoded.mask)
        return Memory(encoded.states, encoded.states, encoded.mask, encoded.summary)

    def initial_state(self, memory: Memory) -> None:
        return None

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None = None) -> Attended:
        return Attended(memory.summary.unsqueeze(1).expand(-1, query.size(1), -1), None, history)
