"""Any encoder of the laboratory, one look at its states with any mechanism of it, and a linear layer."""

from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from attnlab.ranges import Fraction, Width
from attnlab.types import PAD


class Judgement(NamedTuple):
    logits: Tensor  #: [B, C]
    weights: Tensor | None  #: [B, S]; None where the mechanism has none


class MyTaskModel(nn.Module):
    """What an encoder says of all words together asks which of them count.

    Args:
        vocabulary: words, of the data.
        classes: likewise.
        encoder: made for the size of an embedding.
        attention: made for the sizes of the encoder.
        embedding_dim: of a word.
        dropout: of embedded words.
    """

    smallest: ClassVar[Mapping[str, int]] = {"vocabulary": 5, "classes": 2}

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        encoder: Callable[..., nn.Module],
        attention: Callable[..., nn.Module],
        embedding_dim: Width = 16,
        dropout: Fraction = 0.0,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding_dim, padding_idx=PAD)
        self.dropout = nn.Dropout(dropout)
        self.encoder = encoder(embedding_dim=embedding_dim)
        sizes = self.encoder.dims
        self.attention = attention(query_dim=sizes.summary, key_dim=sizes.states, summary_dim=sizes.summary)
        self.output = nn.Linear(self.attention.context_dim, classes)

    def forward(self, words: Tensor, mask: Tensor) -> Judgement:
        encoded = self.encoder(self.dropout(self.embedding(words)), mask)
        memory = self.attention.memory(encoded)
        found = self.attention(encoded.summary.unsqueeze(1), memory, self.attention.initial_state(memory))
        return Judgement(self.output(found.context[:, 0]), None if found.weights is None else found.weights[:, 0])
