"""Searches whose hypotheses do not compete: each row chooses its next token for itself."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from attnlab.search.backpointers import Ending
from attnlab.search.limits import Limits
from attnlab.types import EOS


class Rows(NamedTuple):
    """The sentences still searched, K rows each."""

    limit: Int[Tensor, " B"]
    log_prob: Float[Tensor, "B K"]
    length: Int[Tensor, "B K"]  #: steps taken until EOS, EOS counted
    ended: Bool[Tensor, "B K"]
    draws: Float[Tensor, "B T K"] | None  #: uniform random numbers, one a step and row


class Independent(ABC):
    """Policy of the loop: ``choose`` says how; a sentence is over when all its rows have ended."""

    width = 1

    limits: Limits

    @abstractmethod
    def choose(self, allowed: Float[Tensor, "N V"], draws: Float[Tensor, " N"] | None) -> Int[Tensor, " N"]:
        """Choose a token for each row of log-probabilities, which are -inf where a token is forbidden."""

    def draws(
        self, source: Int[Tensor, "B S"], source_mask: Bool[Tensor, "B S"], steps: Int[Tensor, " B"]
    ) -> Float[Tensor, "B T K"] | None:
        """Give the random numbers of the whole search; none where the choice is not random."""
        return None

    def start(self, source: Int[Tensor, "B S"], source_mask: Bool[Tensor, "B S"], steps: Int[Tensor, " B"]) -> Rows:
        zeros = torch.zeros(len(source), self.width, device=source.device)
        draws = self.draws(source, source_mask, steps)
        return Rows(steps, zeros, zeros.long(), zeros.bool(), draws)

    def grow(
        self, live: Rows, log_probs: Float[Tensor, "N V"], weights: Float[Tensor, "N S"] | None, t: int
    ) -> tuple[Rows, Int[Tensor, "B K"], None]:
        draws = None if live.draws is None else live.draws[:, t].flatten()
        with self.limits.forbid(log_probs, t) as allowed:
            chosen = self.choose(allowed, draws)
            gained = allowed.gather(1, chosen[:, None]).view_as(live.log_prob)
        tokens = chosen.view_as(live.ended).masked_fill(live.ended, EOS)
        grown = live._replace(
            log_prob=live.log_prob + gained.masked_fill(live.ended, 0.0),
            length=live.length + ~live.ended,
            ended=tokens == EOS,
        )
        return grown, tokens, None

    def over(self, live: Rows, t: int) -> Bool[Tensor, " B"]:
        return live.ended.all(1) | (t + 1 >= live.limit)

    def endings(self, gone: Rows, t: int) -> list[list[Ending]]:
        """Rank by log-probability."""
        found = []
        for log_probs, lengths in zip(gone.log_prob.tolist(), gone.length.tolist(), strict=True):
            rows = enumerate(zip(lengths, log_probs, strict=True))
            endings = [Ending(slot, length, log_prob, log_prob) for slot, (length, log_prob) in rows]
            found.append(sorted(endings, key=lambda ending: -ending.score))
        return found
