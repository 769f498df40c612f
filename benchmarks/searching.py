"""What the benchmarks of decoding share: searches take turns batch by batch, and their translations are compared."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import measure
import torch

from attnlab.models.seq2seq import Seq2Seq
from attnlab.search.penalties import length_penalty
from attnlab.types import BOS, EOS, Batch

Translations = list[list[int]]


class Search(NamedTuple):
    """Of one system."""

    run: Callable[[int], Any]  #: on batch ``number``; this is timed
    read: Callable[[Any], Translations] = list  #: the ids of what it gave, without the end of sentence


class Found(NamedTuple):
    """By one system."""

    rates: list[float]  #: sentences a second, by round
    translations: dict[int, Translations]  #: by number of the batch


def take_turns(
    searches: Mapping[str, Search], batches: Sequence[Batch], options: argparse.Namespace
) -> dict[str, Found]:
    """``options.repeats`` times through the batches, after ``options.warm`` warm ones."""
    given: dict[str, dict[int, Any]] = {name: {} for name in searches}

    def kept(name: str) -> Callable[[int], None]:
        def run(number: int) -> None:
            given[name][number % len(batches)] = searches[name].run(number % len(batches))

        return run

    rounds = len(batches) * options.repeats
    with torch.no_grad():
        seconds = measure.interleave({name: kept(name) for name in searches}, rounds, options.warm, options.clock)
    sizes = [len(batches[(number + options.warm) % len(batches)].index) for number in range(rounds)]
    return {
        name: Found(
            measure.rates(seconds[name], sizes),
            {number: search.read(raw) for number, raw in given[name].items()},
        )
        for name, search in searches.items()
    }


@torch.no_grad()
def agreement(model: Seq2Seq, batches: Sequence[Batch], ours: Found, theirs: Found, alpha: float) -> str:
    """How many translations are equal; where they differ, whose has the higher score by attnlab's model."""
    equal = total = higher = lower = 0
    for number in sorted(ours.translations.keys() & theirs.translations.keys()):
        pairs = zip(ours.translations[number], theirs.translations[number], strict=True)
        for row, (own, other) in enumerate(pairs):
            total += 1
            if own == other:
                equal += 1
                continue
            difference = score_of(model, batches[number], row, own, alpha)
            difference -= score_of(model, batches[number], row, other, alpha)
            higher += difference > 1e-4
            lower += difference < -1e-4
    if equal == total:
        return f"{equal} of {total}"
    ties = total - equal - higher - lower
    return f"{equal} of {total}; else attnlab scores higher {higher}, equal {ties}, lower {lower}"


def score_of(model: Seq2Seq, batch: Batch, row: int, tokens: list[int], alpha: float) -> float:
    """log P / lp, as searches rank; ``alpha`` 0 is log P."""
    ids = [*tokens, EOS]
    memory, state = model.start(model.encode(batch.source[row : row + 1], batch.source_mask[row : row + 1]))
    inputs = torch.tensor([[BOS, *tokens]])
    log_probs = model.logits(model.decode(inputs, memory, state).features)[0].log_softmax(-1)
    return float(log_probs[range(len(ids)), ids].sum()) / length_penalty(float(len(ids)), alpha)
