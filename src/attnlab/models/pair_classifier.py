"""Two sentences to their class: words, a matching (where attention stands), features of both, a classifier."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.layers.initialization import Initialization
from attnlab.layers.positions.base import longest
from attnlab.models.classifier import class_losses
from attnlab.models.matching import Drawn, Embedded, Matched, Matching, feed_forward
from attnlab.models.word_reader import SMALLEST, WordReader
from attnlab.ranges import Fraction, Positive, Width, ZeroOrMore
from attnlab.types import Side

FEATURES = 2  #: for which a model is built to see whether it can be


class Paired(NamedTuple):
    """What a model says of pairs."""

    logits: Float[Tensor, "B C"]
    weights: Float[Tensor, "B T S"] | None  #: of the hypothesis over the premise; None where nobody looks
    back: Float[Tensor, "B S T"] | None  #: of the premise over the hypothesis
    drawn: tuple[Drawn, ...] = ()  #: weights that were drawn at random
    penalty: Float[Tensor, " B"] | None = None  #: what a pooling adds to the objective of a pair


class PairClassifier(WordReader):
    """Words, matching, output layer.

    Args:
        vocabulary: words.
        classes: how many.
        features: how many there are of a pair.
        matching: a factory, called with the size of the embedded words.
        initialization: what is done to the weights after torch's own initialisation.
        embedding_dim: size of the word embeddings.
        embedding_std: of what the embeddings of words begin from; those of n-grams, of which a mean is taken, begin
            from sqrt(3) times as much.
        dropout: before each layer of the classifier.
        word_dropout: share of the words that training reads as unknown.
        ngram_dropout: share of those words whose n-grams are hidden, too.
        embedding_dropout: on embedded words, but for encoders that have places of their own.
        hidden_dim: of the classifier's layers with ReLU before its output.
        hidden_layers: how many of these.
        overlap: tell the classifier, too, what the sentences share, by features (``attnlab.data.pairs.overlap``).
        train_embeddings: false leaves pretrained vectors as they came; words without one are learnt all the same.
        ngrams: buckets of character n-grams, whose mean embedding is added to a word's; 0 for none.
        vectors: what embeddings begin from (``table`` [V, E] and ``known`` [V]); None begins at random.
    """

    smallest: ClassVar[Mapping[str, Any]] = {"vocabulary": SMALLEST, "classes": 2, "features": FEATURES}

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        features: int,
        matching: Callable[..., Matching],
        initialization: Initialization,
        embedding_dim: Width = 100,
        embedding_std: Positive = 0.1,
        dropout: Fraction = 0.0,
        word_dropout: Fraction = 0.0,
        ngram_dropout: Fraction = 0.0,
        embedding_dropout: Fraction = 0.0,
        hidden_dim: Width = 200,
        hidden_layers: ZeroOrMore = 1,
        overlap: bool = False,
        train_embeddings: bool = True,
        ngrams: ZeroOrMore = 0,
        vectors: Any = None,
    ) -> None:
        super().__init__(vocabulary, embedding_dim, embedding_dropout, word_dropout, ngram_dropout, ngrams)
        self.matching = matching(embedding_dim=embedding_dim)
        self.reads_overlap = overlap
        size = self.matching.output_dim + features * overlap
        self.hidden = feed_forward(size, hidden_dim, hidden_layers, dropout)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden_dim if hidden_layers else size, classes)
        initialization(self)
        self.begin(embedding_std, vectors, train_embeddings)

    @property
    def own_dropout(self) -> bool:
        return self.matching.encoder.own_dropout

    @property
    def has_weights(self) -> bool:
        """Whether there is an alignment to look at."""
        return self.matching.aligns

    @property
    def longest_text(self) -> int | None:
        """Most words of a sentence, where the encoder knows so many positions only; None is any number."""
        return longest(self.matching.encoder)

    def forward(self, premise: Side, hypothesis: Side, overlap: Float[Tensor, "B F"] | None = None) -> Paired:
        return self.classify(self.embedded(premise), self.embedded(hypothesis), overlap)

    def classify(self, premise: Embedded, hypothesis: Embedded, overlap: Float[Tensor, "B F"] | None) -> Paired:
        """The same of embedded words."""
        matched: Matched = self.matching(premise, hypothesis)
        told = [matched.vector]
        if self.reads_overlap:
            if overlap is None:
                raise ValueError("this model reads what sentences share, and the batch does not say")
            told.append(overlap.to(matched.vector.dtype))
        logits = self.output(self.dropout(self.hidden(torch.cat(told, -1))))
        return Paired(logits, *matched[1:])

    def embedded(self, side: Side) -> Embedded:
        return Embedded(self.read(*side), side.mask)

    @torch.no_grad()
    def weights_by_head(
        self, premise: Side, hypothesis: Side, overlap: Float[Tensor, "B F"] | None = None
    ) -> Float[Tensor, "B L H T S"] | None:
        return self.matching.weights_by_head(self.embedded(premise), self.embedded(hypothesis))

    def losses(
        self,
        found: Paired,
        label: Int[Tensor, " B"],
        smoothing: float = 0.0,
        class_weights: Float[Tensor, " C"] | None = None,
    ) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"]]:
        """Of each pair: what is minimised, and the (smoothed) cross-entropy in it, in nats."""
        return class_losses(found.logits, found.penalty, label, smoothing, class_weights)

    def surrogate(self, found: Paired, label: Int[Tensor, " B"], real: Bool[Tensor, " B"]) -> Float[Tensor, ""] | None:
        """What weights that were drawn at random add to the objective, summed; None where none were."""
        return self.learn_draws(found, -F.cross_entropy(found.logits.detach().float(), label, reduction="none"), real)

    def learn_draws(
        self, found: Paired, reward: Float[Tensor, " B"], real: Bool[Tensor, " B"]
    ) -> Float[Tensor, ""] | None:
        """The same for any reward of a pair."""
        if not found.drawn:
            return None
        by = self.matching.drawn_by
        parts = [by.surrogate(d.sample, reward, d.mask & real.unsqueeze(1)) for d in found.drawn]  # type: ignore
        return torch.stack(parts).sum()
