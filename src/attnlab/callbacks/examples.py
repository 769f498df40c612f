"""A fixed choice of sentences that is looked at after every validation."""

from typing import NamedTuple

import torch

from attnlab.types import NO_SENTENCE, PAD, Batch


class Example(NamedTuple):
    number: int  #: of the sentence in its split
    source: list[int]  #: ids
    target: list[int]  #: ids, BOS and EOS included


class Examples:
    """Collect the sentences of one validation, then choose some, spread over the lengths.

    The choice depends on the sentences alone, not on their order or batching, so that it is the same in every
    epoch, after a resume, and for two runs on the same data.

    Args:
        count: how many to choose.
        max_length: source length in tokens beyond which a sentence is chosen only where too few are shorter.
    """

    def __init__(self, count: int, max_length: int | None = None) -> None:
        self.count, self.max_length = count, max_length
        self.chosen: list[Example] = []
        self._seen: dict[int, Example] = {}

    def add(self, batch: Batch) -> None:
        """Remember the sentences of a batch until the choice is made."""
        if self.chosen:
            return
        sources, targets, numbers = batch.source.tolist(), batch.target.tolist(), batch.index.tolist()
        source_lengths = batch.source_mask.sum(1).tolist()
        target_lengths = batch.target_mask.sum(1).tolist()
        for row, number in enumerate(numbers):
            source, target = sources[row][: source_lengths[row]], targets[row][: target_lengths[row] + 1]
            if source and number != NO_SENTENCE:  # an empty side can be measured but not looked at
                self._seen[number] = Example(number, source, target)

    def choose(self) -> list[Example]:
        """The choice, shortest first; made at the first call."""
        if not self.chosen:
            ordered = sorted(self._seen.values(), key=lambda example: (len(example.source), example.number))
            longest = len(ordered[-1].source) if self.max_length is None and ordered else self.max_length or 0
            short = [example for example in ordered if len(example.source) <= longest]
            pool = short if len(short) >= self.count else ordered[: self.count]
            # The middles of `count` equal parts: the extremes of a corpus are rarely typical.
            parts = min(self.count, len(pool))
            self.chosen = [pool[int((part + 0.5) * len(pool) / parts)] for part in range(parts)]
            self._seen = {}
        return self.chosen


def collate(examples: list[Example], device: torch.device) -> Batch:
    """One batch of the examples, padded."""

    def padded(rows: list[list[int]]) -> torch.Tensor:
        longest = max(map(len, rows))
        return torch.tensor([row + [PAD] * (longest - len(row)) for row in rows], device=device)

    source, target = padded([item.source for item in examples]), padded([item.target for item in examples])
    target_mask = target[:, 1:] != PAD
    return Batch(
        source=source,
        source_mask=source != PAD,
        target=target,
        target_mask=target_mask,
        tokens=target_mask.flatten().nonzero().flatten(),
        index=torch.tensor([item.number for item in examples], device=device),
    )
