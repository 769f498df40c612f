"""Words as vectors: embeddings, character n-grams beside them, and what training hides of both."""

from typing import Any, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnlab.types import PAD, SPECIALS, UNK, ConfigError, Spelled

SMALLEST = len(SPECIALS) + 6  #: words


class WordReader(nn.Module):
    """The part of a model that reads words; what is built upon it reads texts.

    Args:
        vocabulary: words.
        embedding_dim: size of the word embeddings.
        embedding_dropout: on embedded words.
        word_dropout: share of the words that training reads as unknown (Iyyer et al. 2015 leave them out).
        ngram_dropout: share of those words whose n-grams are hidden, too.
        ngrams: buckets of character n-grams, whose mean embedding is added to a word's, also where it reads as unknown;
            0 for none.
    """

    def __init__(
        self,
        vocabulary: int,
        embedding_dim: int,
        embedding_dropout: float,
        word_dropout: float,
        ngram_dropout: float,
        ngrams: int,
    ) -> None:
        super().__init__()
        self.word_dropout, self.ngram_dropout = word_dropout, ngram_dropout
        self.embedding_dropout = nn.Dropout(embedding_dropout)
        self.ngrams = nn.EmbeddingBag(ngrams, embedding_dim, mode="mean") if ngrams else None
        self.embedding = nn.Embedding(vocabulary, embedding_dim, padding_idx=PAD)

    @property
    def own_dropout(self) -> bool:
        """Whether what reads the embedded words drops them out itself."""
        return False

    @torch.no_grad()
    def begin(self, std: float, vectors: Any = None, train_embeddings: bool = True) -> None:
        """What embeddings begin from, once the model is initialised.

        Args:
            std: of those of words; those of n-grams, of which a mean is taken, begin from sqrt(3) times as much.
            vectors: ``table`` [V, E] and ``known`` [V]; None begins at random.
            train_embeddings: false leaves these vectors as they came; words without one are learnt all the same.

        Raises:
            ConfigError: vectors of another size than the embeddings.
        """
        nn.init.normal_(self.embedding.weight, std=std)
        self.embedding.weight[PAD] = 0.0
        if self.ngrams is not None:
            nn.init.normal_(self.ngrams.weight, std=3**0.5 * std)
        if vectors is not None:
            self._begin_from(vectors, train_embeddings)

    def _begin_from(self, vectors: Any, train_embeddings: bool) -> None:
        table, known = torch.from_numpy(vectors.table), torch.from_numpy(vectors.known)
        if table.size(1) != self.embedding.embedding_dim:
            raise ConfigError(
                f"data.vectors has vectors of {table.size(1)} numbers, and model.embedding_dim is "
                f"{self.embedding.embedding_dim}; set model.embedding_dim={table.size(1)}"
            )
        self.embedding.weight[known] = table[known].to(self.embedding.weight.dtype)
        if not train_embeddings:
            self.register_buffer("fixed_rows", known.nonzero().flatten(), persistent=False)
            self.register_buffer("fixed", table[known], persistent=False)

    @torch.no_grad()
    def _keep_fixed(self) -> None:
        """Undo what an update did to vectors that are to stay: weight decay moves them without a gradient, too."""
        if (fixed := getattr(self, "fixed", None)) is not None:
            self.embedding.weight.index_copy_(0, cast(Tensor, self.fixed_rows), fixed.to(self.embedding.weight))

    def read(
        self, words: Int[Tensor, "B S"], mask: Bool[Tensor, "B S"], spelled: Spelled | None = None
    ) -> Float[Tensor, "B S E"]:
        """Embedded words; in training some of them unknown, but for their n-grams."""
        self._keep_fixed()
        hidden = None
        if self.training and self.word_dropout:
            hidden = mask & (torch.rand(words.shape, device=words.device) < self.word_dropout)
            words = words.masked_fill(hidden, UNK)
        embedded: Tensor = self.embedding(words)
        if self.ngrams is not None:
            embedded = embedded + self._spell(mask, hidden, spelled)
        return embedded if self.own_dropout else self.embedding_dropout(embedded)

    def _spell(
        self, mask: Bool[Tensor, "B S"], hidden: Bool[Tensor, "B S"] | None, spelled: Spelled | None
    ) -> Float[Tensor, "B S E"]:
        """The mean embedding of each word's n-grams."""
        if self.ngrams is None or spelled is None:
            raise ValueError("this model reads n-grams of words, and the batch has none; see data.ngrams")
        if hidden is not None and self.ngram_dropout:
            mask = mask & ~(hidden & (torch.rand(mask.shape, device=mask.device) < self.ngram_dropout))
        found: Tensor = self.ngrams(spelled.ngrams, spelled.starts)[spelled.places]
        return found * mask.unsqueeze(-1)
