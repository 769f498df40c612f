r"""Hierarchical attention: words make a sentence, sentences make a document.

$$h_{it} = \operatorname{encoder}(x_{i1} \dots x_{iT})_t, \qquad
\alpha_{it} = \operatorname{softmax}_t\bigl(u_w^\top \tanh(W_w h_{it} + b_w)\bigr), \qquad
s_i = \sum_t \alpha_{it} h_{it}$$
$$h_i = \operatorname{encoder}(s_1 \dots s_L)_i, \qquad
\alpha_i = \operatorname{softmax}_i\bigl(u_s^\top \tanh(W_s h_i + b_s)\bigr), \qquad
v = \sum_i \alpha_i h_i$$

Yang et al. 2016, "Hierarchical attention networks for document classification", equations (1) to (11). Encoder, pooling
and attention of each level are to be chosen; theirs are bidirectional GRUs, ``pooling=context_vector`` and
``attention=tanh_dot`` at both.

Sentences of a batch are not padded to its longest one: they are read in groups of like length, so that time and memory
follow the number of words.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.encoders.base import Encoder
from attnlab.layers.initialization import Initialization
from attnlab.layers.positions.base import longest
from attnlab.models.classifier import Classified, TextClassifier
from attnlab.pooling.base import Pooled, Pooling
from attnlab.ranges import Fraction, Positive, Width, ZeroOrMore
from attnlab.types import Encoded, Sample, Spelled

FILLED = 0.5  # of a group's longest sentence its shortest one has at least so much: measured to be fastest on a CPU


class Group(NamedTuple):
    """Sentences of like length."""

    rows: Int[Tensor, " M"]  #: their numbers, document after document
    places: Int[Tensor, "M W"]  #: of their words, in the batch's words one after another
    mask: Bool[Tensor, "M W"]


class Sentences(NamedTuple):
    """What the words of a batch have become, a row a sentence."""

    vectors: Float[Tensor, "M D"]
    weights: Float[Tensor, "B R S"] | None  #: of R looks at the words, sentence by sentence; no gradient
    penalty: Float[Tensor, " M"] | None
    sample: Sample | None


class Levels(nn.Module):
    """Words to sentences to annotations of sentences.

    Args:
        embedding_dim: size of the embedded words.
        words, sentences: encoders of the two levels.
        pooling: of words.
        dropout: on the annotations of words.
    """

    def __init__(
        self,
        embedding_dim: int,
        words: Callable[..., Encoder],
        pooling: Callable[..., Pooling],
        sentences: Callable[..., Encoder],
        dropout: float,
    ) -> None:
        super().__init__()
        self.words = words(embedding_dim=embedding_dim)
        self.pooling = pooling(source=self.words.dims)
        self.sentences = sentences(embedding_dim=self.pooling.output_dim)
        self.dropout = nn.Dropout(dropout)
        self.dims, self.own_dropout = self.sentences.dims, self.words.own_dropout

    def forward(
        self, embedded: Float[Tensor, "B S E"], mask: Bool[Tensor, "B S"], sentences: Int[Tensor, "B N"]
    ) -> tuple[Encoded, Sentences]:
        rows, real, found = self.vectors(embedded, sentences)
        return self.sentences(rows, real), found

    def vectors(
        self, embedded: Float[Tensor, "B S E"], sentences: Int[Tensor, "B N"]
    ) -> tuple[Float[Tensor, "B N D"], Bool[Tensor, "B N"], Sentences]:
        """A vector a sentence, which of them there are, and what was found in the words."""
        found = self.read(embedded, sentences)
        real = sentences > 0
        rows = found.vectors.new_zeros(*real.shape, found.vectors.size(-1))
        rows[real] = found.vectors  # (M, D) -> (B, N, D)
        return rows, real, found

    def read(self, embedded: Float[Tensor, "B S E"], sentences: Int[Tensor, "B N"]) -> Sentences:
        """Each sentence by itself."""
        flat = embedded.flatten(0, 1)
        numbers, parts, weights = [], [], None
        for rows, places, mask in groups(sentences, embedded.size(1)):
            pooled = self._pooled(flat[places] * mask.unsqueeze(-1), mask)
            numbers.append(rows)
            parts.append(pooled)
            if pooled.weights is not None:
                if weights is None:
                    weights = pooled.weights.new_zeros(len(flat), pooled.weights.size(1))
                weights[places[mask]] = pooled.weights.detach().transpose(1, 2)[mask]
        if weights is not None:
            weights = weights.unflatten(0, embedded.shape[:2]).transpose(1, 2)  # (B * S, R) -> (B, R, S)
        return ordered(torch.cat(numbers), parts, weights)

    def _pooled(self, words: Float[Tensor, "M W E"], mask: Bool[Tensor, "M W"]) -> Pooled:
        encoded: Encoded = self.words(words, mask)
        found: Pooled = self.pooling(encoded._replace(states=self.dropout(encoded.states)))
        return found


class Hierarchical(TextClassifier):
    """Embeddings, the two levels, an output layer.

    Args:
        vocabulary: words.
        classes: how many.
        encoder, pooling: factories of the level of words.
        sentence_encoder, sentence_pooling: and of that of sentences.
        initialization, embedding_dim, embedding_std, dropout, word_dropout, ngram_dropout, hidden_dim,
            train_embeddings, embedding_dropout, ngrams, vectors: as those of :class:`TextClassifier`.
        state_dropout: on the annotations of words, and on those of sentences.

    Raises:
        ConfigError: vectors of another size than the embeddings.
    """

    encoder: Levels  # type: ignore[assignment]

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        encoder: Callable[..., Encoder],
        pooling: Callable[..., Pooling],
        sentence_encoder: Callable[..., Encoder],
        sentence_pooling: Callable[..., Pooling],
        initialization: Initialization,
        embedding_dim: Width = 128,
        embedding_std: Positive = 0.1,
        dropout: Fraction = 0.0,
        word_dropout: Fraction = 0.0,
        ngram_dropout: Fraction = 0.0,
        state_dropout: Fraction = 0.0,
        hidden_dim: Width | None = None,
        train_embeddings: bool = True,
        embedding_dropout: Fraction | None = None,
        ngrams: ZeroOrMore = 0,
        vectors: Any = None,
    ) -> None:
        levels: Any = partial(Levels, words=encoder, pooling=pooling, sentences=sentence_encoder, dropout=state_dropout)
        super().__init__(
            vocabulary, classes, levels, sentence_pooling, initialization, embedding_dim, embedding_std, dropout,
            word_dropout, ngram_dropout, state_dropout, hidden_dim, train_embeddings, embedding_dropout, ngrams,
            vectors,
        )  # fmt: skip

    @property
    def has_weights(self) -> bool:
        """Whether there is attention to look at, at either level."""
        return super().has_weights or bool(getattr(self.encoder.pooling.attention, "has_weights", False))

    @property
    def looks(self) -> tuple[str, ...]:
        """What each row of the weights of words is."""
        return self.encoder.pooling.rows

    @property
    def sentence_looks(self) -> tuple[str, ...]:
        """What each row of the weights of sentences is."""
        return self.pooling.rows

    @property
    def longest_text(self) -> None:
        """Of sentences there are limits, of the words of a document there is none."""
        return None

    @property
    def sentence_limits(self) -> Mapping[str, int | None]:
        """Positions that the encoders know; None is any number."""
        return {"sentences": longest(self.encoder.sentences), "words in a sentence": longest(self.encoder.words)}

    def forward(
        self,
        words: Int[Tensor, "B S"],
        mask: Bool[Tensor, "B S"],
        spelled: Spelled | None = None,
        sentences: Int[Tensor, "B N"] | None = None,
    ) -> Classified:
        if sentences is None:
            raise ValueError("a hierarchical model reads documents, and the batch says of no sentence where it ends")
        encoded, read = self.encoder(self.read(words, mask, spelled), mask, sentences)
        pooled: Pooled = self.pooling(encoded._replace(states=self.state_dropout(encoded.states)))
        logits = self.output(self.dropout(self.hidden(pooled.vector)))
        penalty = added(pooled.penalty, None if read.penalty is None else means(read.penalty, sentences))
        return Classified(logits, read.weights, penalty, pooled.sample, pooled.weights, read.sample)

    def surrogate(
        self, found: Classified, label: Int[Tensor, " B"], real: Bool[Tensor, " B"], sentences: Tensor | None = None
    ) -> Float[Tensor, ""] | None:
        """Of both levels: a document's reward is that of each of its sentences."""
        above = super().surrogate(found, label, real)
        if found.word_sample is None or sentences is None:
            return above
        reward = -F.cross_entropy(found.logits.detach().float(), label, reduction="none")
        documents = (sentences > 0).nonzero()[:, 0]
        looks = real[documents].unsqueeze(1).expand_as(found.word_sample.log_prob)
        attention: Any = self.encoder.pooling.attention
        return added(above, attention.surrogate(found.word_sample, reward[documents], looks))

    def weights_by_head(
        self, words: Tensor, mask: Tensor, spelled: Spelled | None = None, sentences: Tensor | None = None
    ) -> None:
        """The mean of heads is shown, which stands in the weights: of two levels and their heads there is no figure."""


def groups(sentences: Int[Tensor, "B N"], width: int) -> Iterator[Group]:
    """The sentences of a batch, longest first, in groups.

    Args:
        sentences: words of each, 0 where there is none.
        width: of the batch: where the words of the next document begin.
    """
    begin = sentences.cumsum(1) - sentences + width * torch.arange(len(sentences), device=sentences.device)[:, None]
    begin, lengths = begin[sentences > 0], sentences[sentences > 0]
    order = lengths.argsort(descending=True, stable=True)
    for start, end, longest_one in alike(lengths[order].tolist()):
        rows = order[start:end]
        columns = torch.arange(longest_one, device=sentences.device)
        mask = columns < lengths[rows, None]
        yield Group(rows, (begin[rows, None] + columns) * mask, mask)


def alike(lengths: list[int]) -> Iterator[tuple[int, int, int]]:
    """Where groups begin and end in descending ``lengths``, and the longest of each."""
    start = 0
    for end in range(1, len(lengths) + 1):
        if end == len(lengths) or lengths[end] < FILLED * lengths[start]:
            yield start, end, lengths[start]
            start = end


def ordered(numbers: Int[Tensor, " M"], parts: list[Pooled], weights: Tensor | None) -> Sentences:
    """What groups have become, document after document."""
    back = numbers.argsort()
    vectors = torch.cat([part.vector for part in parts])[back]
    penalties = [part.penalty for part in parts if part.penalty is not None]
    samples = [part.sample for part in parts if part.sample is not None]
    sample = Sample(*(torch.cat(each)[back] for each in zip(*samples, strict=True))) if samples else None
    return Sentences(vectors, weights, torch.cat(penalties)[back] if penalties else None, sample)


def means(values: Float[Tensor, " M"], sentences: Int[Tensor, "B N"]) -> Float[Tensor, " B"]:
    """The mean over the sentences of each document."""
    real = sentences > 0
    rows = values.new_zeros(real.shape)
    rows[real] = values
    return rows.sum(1) / real.sum(1)


def added(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    if first is None or second is None:
        return first if second is None else second
    return first + second
