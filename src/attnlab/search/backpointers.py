"""The path of a search: what each step chose, and from which hypothesis it went on.

Nothing is copied while the search runs; hypotheses are read backwards from their last step, once, at the end.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from attnlab.types import EOS, Hypothesis

Indices = NDArray[np.int64]


class Ending(NamedTuple):
    """Where a hypothesis ends among the backpointers."""

    slot: int  #: its place in the beam after its last step
    steps: int  #: steps taken, that of EOS included
    log_prob: float
    score: float


class Backpointers:
    """Back-pointers of the sentences still searched; their number falls as sentences leave."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.alive: list[list[int]] = []
        self.tokens: list[Tensor] = []
        self.parents: list[Tensor] = []
        self.weights: list[Tensor] = []

    def add(
        self,
        alive: list[int],
        tokens: Int[Tensor, "B K"],
        parents: Int[Tensor, "B K"] | None,
        weights: Float[Tensor, "N S"] | None,
    ) -> None:
        """Record a step of the sentences ``alive``; ``parents`` None: each row goes on from itself."""
        self.alive.append(alive)
        self.tokens.append(tokens)
        if parents is not None:
            self.parents.append(parents)
        if weights is not None:
            self.weights.append(weights)

    def hypotheses(self, endings: list[list[Ending]], source_mask: Bool[Tensor, "B S"]) -> list[list[Hypothesis]]:
        """Read the hypotheses that end at ``endings`` (by sentence, in the order wanted)."""
        sentences = np.repeat(np.arange(len(endings)), [len(some) for some in endings])
        flat = [ending for some in endings for ending in some]
        steps = np.array([ending.steps for ending in flat], dtype=np.int64)
        tokens, rows = self._trace(sentences, steps, np.array([ending.slot for ending in flat], dtype=np.int64))
        weights = self._pick(rows, steps) if self.weights else None
        masks = source_mask.cpu()
        found: list[list[Hypothesis]] = [[] for _ in endings]
        for h, (sentence, ending) in enumerate(zip(sentences.tolist(), flat, strict=True)):
            ids = tokens[: ending.steps, h].tolist()
            seen = None if weights is None else weights[h][:, masks[sentence]]
            ended = ids[-1] == EOS
            ids = ids[:-1] if ended else ids
            found[sentence].append(Hypothesis(ids, ending.score, ending.log_prob, seen, ended))
        return found

    def _trace(self, sentences: Indices, steps: Indices, slots: Indices) -> tuple[Indices, Indices]:
        """Walk back; give tokens and rows of the model's batch, both [T, H], zeros behind an ending."""
        place = np.zeros((len(self.alive), int(sentences.max()) + 1), dtype=np.int64)
        for t, alive in enumerate(self.alive):
            place[t, alive] = np.arange(len(alive))
        starts = np.cumsum([0] + [len(alive) * self.width for alive in self.alive])
        chosen = _host(self.tokens)
        parents = _host(self.parents) if self.parents else None
        tokens = np.zeros((len(self.alive), len(steps)), dtype=np.int64)
        rows = np.zeros_like(tokens)
        slots = slots.copy()
        for t in reversed(range(len(self.alive))):
            on = steps > t
            at = place[t, sentences[on]] * self.width
            flat = starts[t] + at + slots[on]
            tokens[t, on] = chosen[flat]
            if parents is not None:
                slots[on] = parents[flat]
            rows[t, on] = at + slots[on]
        return tokens, rows

    def _pick(self, rows: Indices, steps: Indices) -> list[Float[Tensor, "T S"]]:
        """Take each hypothesis' attention weights of its own steps, to the CPU in one transfer."""
        on = np.arange(len(rows))[:, None] < steps[None, :]
        wanted = torch.split(torch.from_numpy(rows[on]).to(self.weights[0].device), on.sum(1).tolist())
        picked = [weights.index_select(0, some) for weights, some in zip(self.weights, wanted, strict=True)]
        flat = torch.cat(picked).float().cpu()
        order = np.zeros_like(rows)
        order[on] = np.arange(int(on.sum()))
        return [flat[torch.from_numpy(order[:length, h])] for h, length in enumerate(steps.tolist())]


def _host(tensors: list[Tensor]) -> Indices:
    joined: Indices = torch.cat([tensor.flatten() for tensor in tensors]).cpu().numpy()
    return joined
