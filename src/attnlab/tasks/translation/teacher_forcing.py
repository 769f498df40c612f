"""Which previous words the decoder reads in training: the target's, or its own."""

import math
from typing import Literal

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from attnlab.models.seq2seq import Seq2Seq
from attnlab.ranges import OneOrMore, Probability
from attnlab.types import Batch, ConfigError

Draw = Literal["batch", "sentence", "token"]
Decay = Literal["constant", "linear", "exponential", "inverse_sigmoid"]


class TeacherForcing:
    """Teacher forcing with a probability.

    The decoder's own words are its argmax, chosen step by step without gradient and then read like given
    ones. The gradient is that of scheduled sampling (an argmax passes none), and the pass that carries it stays
    parallel. Under dropout the choosing pass has its own masks.

    Args:
        probability: of reading the target's word; 1 is plain maximum likelihood.
        draw: once for a whole ``batch``, for each ``sentence`` (the tutorial's way: all of its words or none),
            or for each ``token`` (scheduled sampling, Bengio et al. 2015).
        decay: how the probability falls with the update i (Bengio et al. 2015, section 2.4), never below
            ``floor``: ``constant``; ``linear`` p - i (p - floor) / steps; ``exponential`` p * 0.5^(i / steps);
            ``inverse_sigmoid`` p * k / (k + exp(i / k)) with k = ``steps``.
        steps: time scale of the decay, in updates.
        floor: lowest probability.

    Raises:
        ConfigError: a value out of its range.
    """

    def __init__(
        self,
        probability: Probability = 1.0,
        draw: Draw = "sentence",
        decay: Decay = "constant",
        steps: OneOrMore = 1000,
        floor: Probability = 0.0,
    ) -> None:
        if not 0 <= floor <= probability <= 1:
            raise ConfigError(
                "task.teacher_forcing needs 0 <= floor <= probability <= 1, "
                f"got floor={floor} and probability={probability}"
            )
        if steps < 1:
            raise ConfigError(f"task.teacher_forcing.steps must be at least 1, got {steps}")
        self.start, self.draw, self.decay, self.steps, self.floor = probability, draw, decay, steps, floor

    def probability(self, update: int) -> float:
        """The probability at an update."""
        if self.decay == "linear":
            value = self.start - (self.start - self.floor) * min(1.0, update / self.steps)
        elif self.decay == "exponential":
            value = self.start * 0.5 ** (update / self.steps)
        elif self.decay == "inverse_sigmoid":
            # Kept from overflowing: beyond an exponent of 700 the value is 0 in float64 anyway.
            value = self.start * self.steps / (self.steps + math.exp(min(update / self.steps, 700.0)))
        else:
            value = self.start
        return max(self.floor, value)

    def forced(self, gold: Int[Tensor, "B T"], update: int) -> Bool[Tensor, "B T"]:
        """Draw which positions read the target's word."""
        shape = {"batch": (1, 1), "sentence": (gold.size(0), 1), "token": tuple(gold.shape)}[self.draw]
        return (torch.rand(shape, device=gold.device) < self.probability(update)).expand_as(gold)

    def inputs(self, model: Seq2Seq, batch: Batch, update: int) -> Int[Tensor, "B T"]:
        """Previous words for every step of a batch."""
        gold = batch.target[:, :-1]
        if self.probability(update) >= 1:
            return gold
        forced = self.forced(gold, update)
        free = (~forced).any(1).nonzero().flatten()
        if free.numel() == 0:
            return gold
        chosen = own_words(model, batch.source[free], batch.source_mask[free], gold[free], forced[free])
        return gold.index_copy(0, free, chosen)


@torch.no_grad()
def own_words(
    model: Seq2Seq,
    source: Int[Tensor, "B S"],
    source_mask: Bool[Tensor, "B S"],
    gold: Int[Tensor, "B T"],
    forced: Bool[Tensor, "B T"],
) -> Int[Tensor, "B T"]:
    """Read ``gold`` where forced and the model's last argmax elsewhere; the first word is always BOS."""
    memory, state = model.start(model.encode(source, source_mask))
    word, words = gold[:, 0], [gold[:, 0]]
    for step in range(1, gold.size(1)):
        decoded = model.decode(word.unsqueeze(1), memory, state)
        own, state = model.word_logits(decoded)[:, 0].argmax(-1), decoded.state
        word = torch.where(forced[:, step], gold[:, step], own)
        words.append(word)
    return torch.stack(words, dim=1)
