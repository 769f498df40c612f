r"""Monotonic chunkwise attention (MoChA): soft attention over the few words that end where the monotonic one stands.

$$b_{ij} = \sum_{k=j}^{j+w-1} a_{ik} \, \frac{\exp(u_{ij})}{\sum_{l=k-w+1}^{k} \exp(u_{il})}$$

Paper: Chiu and Raffel 2018, "Monotonic chunkwise attention", sections 2.3 and 2.4.
Cost: time and memory O(B T S (log S + w)), besides the score's and the chunk score's, whose keys are made once a
sentence, too.

a is the alignment of monotonic attention, expected in training and hard otherwise; the weights are b. The chunk
energies u come from a second score, with keys of its own. Near the beginning a chunk is shorter than w.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from attnlab.attention.base import Attention, Normalizer, Score, WindowOutput
from attnlab.attention.windows.monotonic import Monotonic
from attnlab.ranges import Real, Weight, Width
from attnlab.types import ConfigError, History, Memory


class Mocha(Monotonic):
    """Chunks behind a monotonic window.

    Args:
        query_dim, key_dim: sizes of queries and annotations.
        chunk_score: the score of u; called with both sizes.
        w: words in a chunk.
        r, noise: of the monotonic window.

    Raises:
        ConfigError: a chunk without a word, or a normalizer other than ``sigmoid``.
    """

    def __init__(
        self,
        query_dim: int,
        key_dim: int,
        chunk_score: Callable[..., Score],
        w: Width = 3,
        r: Real = 0.0,
        noise: Weight = 1.0,
    ) -> None:
        super().__init__(query_dim, key_dim, r, noise)
        if w < 1:
            raise ConfigError(f"attention.window.w must be at least 1, got {w}: a chunk has to hold a word")
        self.chunk_score, self.w = chunk_score(query_dim=query_dim, key_dim=key_dim), w

    def check(self, attention: Attention) -> None:
        super().check(attention)
        if type(self.chunk_score).next_state is not Score.next_state:
            raise ConfigError(
                f"a chunk looks at some words of one step, and {type(self.chunk_score).__name__} keeps a state of its "
                "own from step to step. Give attention.window.chunk_score another score, such as that of bahdanau, or "
                "take attention/window=monotonic"
            )

    def memory(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S K"]:
        return self.chunk_score.keys(states)

    def initial_state(self, memory: Memory) -> Float[Tensor, "B S"]:
        return memory.values.new_zeros(memory.mask.shape)

    def weigh(
        self,
        scores: Float[Tensor, "B T S"],
        normalizer: Normalizer,
        query: Float[Tensor, "B T Q"],
        memory: Memory,
        history: History | None,
    ) -> WindowOutput:
        assert history is not None  # needs_history
        a = self.align(scores, normalizer, memory, history, history.window)
        u = self.chunk_score(query, memory._replace(keys=memory.window), history)
        return WindowOutput(spread(a, u, self.w), a.flatten(0, 1))


def spread(a: Float[Tensor, "B T S"], u: Float[Tensor, "B T S"], w: int) -> Float[Tensor, "B T S"]:
    """Give what stands at k to the w words that end there, by the softmax of their energies."""
    chunks = F.pad(u, (w - 1, 0), value=float("-inf")).unfold(-1, w, 1)  # [B, T, S, w], the last one is u_k
    shares: Any = (a.unsqueeze(-1) * chunks.softmax(-1)).unbind(-1)
    size = a.size(-1)
    # Share m of chunk k belongs to word k - (w - 1 - m); those before the first word are zero.
    moved = [F.pad(share, (0, w))[..., w - 1 - m :][..., :size] for m, share in enumerate(shares)]
    return torch.stack(moved).sum(0)
