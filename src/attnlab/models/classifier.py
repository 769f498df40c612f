"""A text to its class: embeddings, encoder, pooling (where attention stands), a linear layer."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.encoders.base import Encoder
from attnlab.layers.initialization import Initialization
from attnlab.layers.positions.base import longest
from attnlab.models.word_reader import SMALLEST, WordReader
from attnlab.pooling.base import Pooled, Pooling
from attnlab.ranges import Fraction, Positive, Width, ZeroOrMore
from attnlab.types import Encoded, Sample, Spelled


class Classified(NamedTuple):
    """What a model says of texts."""

    logits: Float[Tensor, "B C"]
    weights: Float[Tensor, "B R S"] | None  #: None where the pooling looks at nothing
    penalty: Float[Tensor, " B"] | None = None  #: what the pooling adds to the objective of a text
    sample: Sample | None = None  #: of weights that were drawn at random
    sentence_weights: Float[Tensor, "B R N"] | None = None  #: where sentences are looked at, too
    word_sample: Sample | None = None  #: of weights within sentences, a row a sentence


class TextClassifier(WordReader):
    """Embeddings, encoder, pooling, output layer: what a classifier of texts has, and one of documents.

    Args:
        vocabulary: words.
        classes: how many.
        encoder, pooling: factories; sizes are handed on from left to right.
        initialization: what is done to the weights after torch's own initialisation.
        embedding_dim: size of the word embeddings.
        embedding_std: of what the embeddings of words begin from; those of n-grams, of which a mean is taken, begin
            from sqrt(3) times as much.
        dropout: before the output layer.
        word_dropout: share of the words that training reads as unknown (Iyyer et al. 2015 leave them out).
        ngram_dropout: share of those words whose n-grams are hidden, too.
        state_dropout: on the encoder's annotations.
        hidden_dim: of a layer with ReLU before the output layer; None for none.
        train_embeddings: false leaves pretrained vectors as they came; words without one are learnt all the same.
        embedding_dropout: on embedded words, but for encoders that have places of their own; None is ``dropout``.
        ngrams: buckets of character n-grams, whose mean embedding is added to a word's, also where it reads as unknown;
            0 for none (``data.ngrams`` makes them).
        vectors: what embeddings begin from (``table`` [V, E] and ``known`` [V]); None begins at random.

    Raises:
        ConfigError: vectors of another size than the embeddings.
    """

    # The least that it can be built for, to see whether settings go together before there are data.
    smallest: ClassVar[Mapping[str, Any]] = {"vocabulary": SMALLEST, "classes": 2}

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        encoder: Callable[..., Encoder],
        pooling: Callable[..., Pooling],
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
        hidden = dropout if embedding_dropout is None else embedding_dropout
        super().__init__(vocabulary, embedding_dim, hidden, word_dropout, ngram_dropout, ngrams)
        self.state_dropout = nn.Dropout(state_dropout)
        self.dropout = nn.Dropout(dropout)
        self.encoder = encoder(embedding_dim=embedding_dim)
        self.pooling = pooling(source=self.encoder.dims)
        size = self.pooling.output_dim
        self.hidden = nn.Identity() if hidden_dim is None else nn.Sequential(nn.Linear(size, hidden_dim), nn.ReLU())
        self.output = nn.Linear(hidden_dim or size, classes)
        initialization(self)
        self.begin(embedding_std, vectors, train_embeddings)

    @property
    def own_dropout(self) -> bool:
        """Encoders that have places of their own drop out words with them."""
        return self.encoder.own_dropout

    @property
    def has_weights(self) -> bool:
        """Whether there is attention to look at."""
        return bool(getattr(self.pooling.attention, "has_weights", False))

    @property
    def looks(self) -> tuple[str, ...]:
        """What each row of the weights is."""
        return self.pooling.rows

    @property
    def sentence_looks(self) -> tuple[str, ...]:
        """What each row of the weights of sentences is: here none is looked at."""
        return ()

    @property
    def longest_text(self) -> int | None:
        """Most words of a text, where the encoder knows so many positions only; None is any number."""
        return longest(self.encoder)

    def encode(self, words: Int[Tensor, "B S"], mask: Bool[Tensor, "B S"], spelled: Spelled | None = None) -> Encoded:
        encoded: Encoded = self.encoder(self.read(words, mask, spelled), mask)
        return encoded._replace(states=self.state_dropout(encoded.states))

    def forward(
        self,
        words: Int[Tensor, "B S"],
        mask: Bool[Tensor, "B S"],
        spelled: Spelled | None = None,
        sentences: Int[Tensor, "B N"] | None = None,
    ) -> Classified:
        """A document is read as one text; its ``sentences`` are for models that read it by them."""
        pooled: Pooled = self.pooling(self.encode(words, mask, spelled))
        logits = self.output(self.dropout(self.hidden(pooled.vector)))
        return Classified(logits, pooled.weights, pooled.penalty, pooled.sample)

    def losses(
        self,
        found: Classified,
        label: Int[Tensor, " B"],
        smoothing: float = 0.0,
        class_weights: Float[Tensor, " C"] | None = None,
    ) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"]]:
        """Of each text: what is minimised, and the (smoothed) cross-entropy in it, in nats."""
        return class_losses(found.logits, found.penalty, label, smoothing, class_weights)

    def surrogate(
        self, found: Classified, label: Int[Tensor, " B"], real: Bool[Tensor, " B"], sentences: Tensor | None = None
    ) -> Float[Tensor, ""] | None:
        """What weights that were drawn at random add to the objective, summed; None where none were."""
        if found.sample is None:
            return None
        reward = -F.cross_entropy(found.logits.detach().float(), label, reduction="none")
        looks = real.unsqueeze(1).expand(-1, found.sample.log_prob.size(1))
        return self.pooling.attention.surrogate(found.sample, reward, looks)  # type: ignore[union-attr, operator]

    @torch.no_grad()
    def weights_by_head(
        self,
        words: Int[Tensor, "B S"],
        mask: Bool[Tensor, "B S"],
        spelled: Spelled | None = None,
        sentences: Tensor | None = None,
    ) -> Float[Tensor, "B L H R S"] | None:
        return self.pooling.weights_by_head(self.encode(words, mask, spelled))


def class_losses(
    logits: Float[Tensor, "B C"],
    penalty: Float[Tensor, " B"] | None,
    label: Int[Tensor, " B"],
    smoothing: float,
    class_weights: Float[Tensor, " C"] | None,
) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"]]:
    """Of each item: what is minimised, and the (smoothed) cross-entropy in it, in nats."""
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    entropy = F.cross_entropy(wide, label, reduction="none", label_smoothing=smoothing)
    objective = entropy if class_weights is None else entropy * class_weights.to(entropy)[label]
    return objective if penalty is None else objective + penalty, entropy


class Classifier(TextClassifier):
    """Reads a text, or a document as one text; settings as those of :class:`TextClassifier`."""
