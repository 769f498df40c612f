"""What a translation model can be asked about the attention by which it chooses a word."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnlab.attention.given import as_called, as_looks, given, heads_of, norms_of, watched, watching
from attnlab.data.module import TranslationData
from attnlab.models.seq2seq import Seq2Seq
from attnlab.tasks.explaining import About, Asked, Instances, mixed_by
from attnlab.tasks.translation.looking import numbered
from attnlab.types import Batch, Encoded


@dataclass(eq=False)
class WordInstances(Instances):
    """Target words at one step of their sentences, behind the reference's words; positions are the source words.

    What is replaced are the weights of this step, of all layers that look at the source; words before it were read with
    the weights that the model has for them, whatever is asked.

    Attributes:
        model: of the run.
        previous: BOS and the words before.
        memory: of the source, as the decoder looks at it.
        state: of the decoder before the step.
    """

    model: Seq2Seq
    previous: Int[Tensor, "N T"]
    memory: Any = field(init=False)
    state: Any = field(init=False)

    def __post_init__(self) -> None:
        with torch.no_grad():
            self.memory, self.state = self._before(self.inputs, self.mask)
        self.ask()

    def _before(self, inputs: Float[Tensor, "N S E"], mask: Bool[Tensor, "N S"]) -> tuple[Any, Any]:
        encoded: Encoded = self.model.encoder(inputs, mask)
        memory, state = self.model.start(encoded)
        if self.previous.size(1) > 1:
            state = self.model.decode(self.previous[:, :-1], memory, state).state
        return memory, state

    def _step(self, memory: Any, state: Any) -> Float[Tensor, "N V"]:
        decoded = self.model.decode(self.previous[:, -1:], memory, state)
        return self.model.word_logits(decoded)[:, 0].softmax(-1)

    def read(
        self,
        inputs: Float[Tensor, "N S E"],
        mask: Bool[Tensor, "N S"],
        weights: Float[Tensor, "N L S"] | None = None,
    ) -> Asked:
        memory, state = self._before(inputs, mask)
        if weights is not None:
            return Asked(self._given(memory, state, weights), weights)
        with ExitStack() as stack:
            seen = [(stack.enter_context(watched(one)), heads_of(one)) for one in self.attentions]
            output = self._step(memory, state)
        return Asked(output, torch.cat([as_looks(calls[0], heads) for calls, heads in seen], 1))

    def given(self, weights: Float[Tensor, "N L S"]) -> Float[Tensor, "N V"]:
        return self._given(self.memory, self.state, weights)

    def _given(self, memory: Any, state: Any, weights: Float[Tensor, "N L S"]) -> Float[Tensor, "N V"]:
        layers = weights.split([heads_of(one) for one in self.attentions], 1)
        with ExitStack() as stack:
            for one, looks in zip(self.attentions, layers, strict=True):
                stack.enter_context(given(one, as_called(looks, heads_of(one))))
            return self._step(memory, state)

    @torch.no_grad()
    def norms(self) -> Float[Tensor, "N S"] | None:
        """Of the last layer, as ``attention``."""
        if not self.model.sums_vectors:
            return None
        last = self.attentions[-1]
        with watching(last) as spy:
            self._step(self.memory, self.state)
        return norms_of(last, spy.seen[0], spy.values[0])[:, 0] * self.mask

    def mixing(self) -> Float[Tensor, "N K S S"] | None:
        return mixed_by(self.model.encoder, self.inputs, self.mask)

    @property
    def attentions(self) -> list[nn.Module]:
        """What looks at the source, layer by layer."""
        return self.model.decoder.attentions

    @property
    def attention(self) -> Float[Tensor, "N S"]:
        """Of the last layer, the mean of its heads: what is drawn of a run."""
        return self.weights[:, -heads_of(self.attentions[-1]) :].mean(1)


def word_instances(
    model: Seq2Seq, data: TranslationData, split: str, numbers: Sequence[int], steps: int
) -> Iterator[tuple[WordInstances, list[About]]]:
    """Words of some sentences, at most ``steps`` of each, those of one step together.

    Raises:
        ConfigError: the model looks at nothing.
    """
    batch: Batch = data.batch(split, numbers)
    sentences = list(numbered(batch))
    by_step: dict[int, list[int]] = {}
    for row, (_, _, target) in enumerate(sentences):
        for step in spread(len(target), steps):
            by_step.setdefault(step, []).append(row)
    device = next(model.parameters()).device
    for step, rows in sorted(by_step.items()):
        chosen = torch.tensor(rows)
        mask = batch.source_mask[chosen]
        longest = int(mask.sum(1).max())
        source, mask = batch.source[chosen, :longest].to(device), mask[:, :longest].to(device)
        with torch.no_grad():
            inputs = model.read_source(source)
        found = WordInstances(inputs, mask, model, batch.target[chosen, : step + 1].to(device))
        yield found, [about(data, sentences[row], step, found, place) for place, row in enumerate(rows)]


def spread(length: int, steps: int) -> list[int]:
    """So many steps of a sentence, evenly spread; all of a shorter one."""
    count = min(length, steps)
    return [(2 * n + 1) * length // (2 * count) for n in range(count)]


def about(
    data: TranslationData, sentence: tuple[int, list[int], list[int]], step: int, found: WordInstances, place: int
) -> About:
    number, source, target = sentence
    words = data.target_tokenizer.tokens(target)
    probability, predicted = found.output[place].max(0)
    (said,) = data.target_tokenizer.tokens([int(predicted)])
    more = {"step": step, "target": words[step], "probability": float(probability), "before": words[:step]}
    return About(number, data.source_tokenizer.tokens(source), said, more)
