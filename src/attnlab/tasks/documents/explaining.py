"""What a model that reads documents by sentences can be asked about its attention to their words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnlab.attention.given import given, heads_of, mechanism_of, watched
from attnlab.attention.row_sums import RowSum
from attnlab.data.labelled.batches import LabelledBatch, pieces
from attnlab.data.labelled.module import LabelledData
from attnlab.errors import ConfigError
from attnlab.models.hierarchical import Hierarchical, groups
from attnlab.pooling.base import Pooled
from attnlab.tasks.classification.explaining import about_texts
from attnlab.tasks.explaining import About, Asked, Instances


@dataclass(eq=False)
class DocumentWords(Instances):
    r"""Documents; positions are all their words, in one look: $\gamma_{it} = \beta_i \alpha_{it}$.

    A word has the weight that its sentence has, times its own within it. Weights that are given stand for both:
    $\beta_i = \sum_t \gamma_{it}$ and $\alpha_{it} = \gamma_{it} / \beta_i$; in a sentence with no weight the model's
    own stay, since its vector is still read beside those of the others.

    Attributes:
        model: of the run.
        sentence: the number of the sentence of each word.
        within: the model's own weights of words within their sentences.
    """

    model: Hierarchical
    sentence: Int[Tensor, "N S"]
    within: Float[Tensor, "N S"] = field(init=False)

    def __post_init__(self) -> None:
        with torch.no_grad():
            self.within = self._watched(self.inputs, self.mask, self.sentence)[2]
        self.ask()

    def read(
        self,
        inputs: Float[Tensor, "N S E"],
        mask: Bool[Tensor, "N S"],
        weights: Float[Tensor, "N L S"] | None = None,
    ) -> Asked:
        if weights is not None:
            return Asked(self._given(inputs, mask, weights.squeeze(1)), weights)
        output, joint, _ = self._watched(inputs, mask, self.sentence)
        return Asked(output, joint.unsqueeze(1))

    def given(self, weights: Float[Tensor, "N L S"]) -> Float[Tensor, "N C"]:
        return self._given(self.inputs, self.mask, weights.squeeze(1))

    def without(self, left_out: Bool[Tensor, "N S"]) -> Float[Tensor, "N C"]:
        order, mask = self.closed_up(left_out)
        inputs = self.inputs.gather(1, order.unsqueeze(-1).expand(-1, -1, self.inputs.size(-1)))
        return self._watched(inputs * mask.unsqueeze(-1), mask, self.sentence.gather(1, order))[0]

    def _said(self, inputs: Tensor, mask: Tensor, lengths: Tensor) -> Float[Tensor, "N C"]:
        encoded, _ = self.model.encoder(inputs, mask, lengths)
        pooled: Pooled = self.model.pooling(encoded)
        logits: Tensor = self.model.output(self.model.hidden(pooled.vector))
        return logits.softmax(-1)

    def _watched(self, inputs: Tensor, mask: Tensor, sentence: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The output, joint weights, and those within sentences."""
        lengths, places = numbered(sentence, mask)
        words, above = self.attentions
        with watched(words) as low, watched(above) as high:
            output = self._said(inputs, mask, lengths)
        within = inputs.new_zeros(mask.numel())
        for (_, where, real), weights in zip(groups(lengths, mask.size(1)), low, strict=True):
            within = within.index_put((where[real],), weights[:, 0][real])
        within = within.view(mask.shape)
        return output, within * high[0][:, 0].gather(1, places) * mask, within

    def _given(self, inputs: Tensor, mask: Tensor, joint: Float[Tensor, "N S"]) -> Float[Tensor, "N C"]:
        lengths, places = numbered(self.sentence, mask)
        above = joint.new_zeros(lengths.shape).scatter_add(1, places, joint * mask)
        sums = above.gather(1, places)
        looked = sums > 0
        within = torch.where(looked, joint / sums.where(looked, torch.ones_like(sums)), self.within).flatten()
        each = [(within[where] * real).unsqueeze(1) for _, where, real in groups(lengths, mask.size(1))]
        with given(self.attentions[0], *each), given(self.attentions[1], above.unsqueeze(1)):
            return self._said(inputs, mask, lengths)

    @property
    def attentions(self) -> tuple[nn.Module | None, nn.Module | None]:
        """What looks at words, and at sentences."""
        return self.model.encoder.pooling.attention, self.model.pooling.attention


def numbered(sentence: Int[Tensor, "N S"], mask: Bool[Tensor, "N S"]) -> tuple[Int[Tensor, "N M"], Int[Tensor, "N S"]]:
    """How many words each sentence has, those without any left out; and the place of each word's among these."""
    count = int(sentence.max()) + 1
    lengths = sentence.new_zeros(len(sentence), count).scatter_add(1, sentence, mask.to(sentence))
    order = (lengths == 0).to(torch.int8).argsort(dim=1, stable=True)
    return lengths.gather(1, order), order.argsort(1).gather(1, sentence)


def document_words(
    model: Any, data: LabelledData, split: str, numbers: Sequence[int]
) -> tuple[DocumentWords, list[About]]:
    """Some documents of a split.

    Raises:
        ConfigError: the model does not read sentences, or does not look at both levels once, with weights of sum 1.
    """
    require_two_levels(model)
    batch: LabelledBatch = data.batch(split, numbers).moved(next(model.parameters()).device)
    assert batch.sentences is not None  # of data that a hierarchical model was trained on
    with torch.no_grad():
        inputs = model.read(batch.words, batch.mask, batch.spelled)
    found = DocumentWords(inputs, batch.mask, model, sentences_of_words(batch.sentences, batch.mask))
    names = [pieces(data.tokenizer, data.text(split, number), data.sentences) for number in numbers]
    return found, about_texts(found, data, batch, numbers, names)


def require_two_levels(model: Any) -> None:
    """Raise ConfigError where words have no joint weights."""
    if not isinstance(model, Hierarchical):
        raise ConfigError("words=true: this run does not read by sentences; its positions are words without it")
    for pooling, what in ((model.encoder.pooling, "pooling"), (model.pooling, "sentence_pooling")):
        mechanism = mechanism_of(pooling.attention)
        if len(pooling.rows) != 1 or heads_of(pooling.attention) != 1 or mechanism.row_sum is not RowSum.ONE:
            raise ConfigError(
                f"words=true: the weight of a word is that of its sentence times its own, which takes one look without "
                f"heads at either level, with weights that sum to 1; {what} has others. Without words=true sentences "
                "are explained"
            )


def sentences_of_words(sentences: Int[Tensor, "N M"], mask: Bool[Tensor, "N S"]) -> Int[Tensor, "N S"]:
    """The number of the sentence of each word; 0 on padding."""
    ends = sentences.cumsum(1)
    places = torch.arange(mask.size(1), device=mask.device).expand(len(mask), -1).contiguous()
    return torch.searchsorted(ends, places, right=True) * mask
