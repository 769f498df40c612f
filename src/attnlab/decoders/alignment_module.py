r"""An attention for alignment alone, beside a Transformer whose translations it leaves as they are.

$$a_t = \frac1H \sum_h \mathrm{softmax}_s\!\left(\frac{(W_q^h z_t)^\top W_k^h h_s}{\sqrt{d}}\right)$$

z_t is what a layer of the decoder has made of step t, h_s an annotation of the encoder. No gradient goes from here into
either, so a loss on these weights trains this module alone, as on a frozen model.

Chen, Sun and Liu 2020, "Accurate word alignment induction from neural machine translation" (Shift-AET), section 3.3.
They train it behind a finished model; here both are trained together, which for the translations is the same.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.types import Encoded, Memory


class AlignmentModule(nn.Module):
    """Scaled dot products in heads, whose mean is the alignment.

    Args:
        query_dim: size of a state of the decoder.
        key_dim: size of an annotation.
        heads: that share out ``query_dim``.
    """

    def __init__(self, query_dim: int, key_dim: int, heads: int) -> None:
        super().__init__()
        self.heads, self.scale = heads, (query_dim // heads) ** -0.5
        self.W_q = nn.Linear(query_dim, query_dim, bias=False)
        self.W_k = nn.Linear(key_dim, query_dim, bias=False)

    def memory(self, encoded: Encoded) -> Memory:
        """Keys, projected once a sentence; nothing is summed up, so they stand for values, too."""
        keys = self.W_k(encoded.states.detach())
        return Memory(keys, keys, encoded.mask, encoded.summary)

    def forward(self, states: Float[Tensor, "N T D"], memory: Memory) -> Float[Tensor, "N T S"]:
        """The weights of each step; N may be the hypotheses of a beam, over the memory of fewer sentences."""
        rows, sentences = states.size(0), memory.mask.size(0)
        asked = states.detach().reshape(sentences, -1, states.size(-1))
        query, keys = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.W_q(asked), memory.keys))
        scores = self.scale * query @ keys.transpose(-2, -1)  # (B, H, T, E) @ (B, H, E, S) -> (B, H, T, S)
        wide = torch.promote_types(scores.dtype, torch.float32)
        weights = scores.to(wide).masked_fill(~memory.mask[:, None, None], -torch.inf).softmax(-1).mean(1)
        return weights.to(scores.dtype).reshape(rows, states.size(1), -1)
