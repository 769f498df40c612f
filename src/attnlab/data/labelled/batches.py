"""Token ids and classes of a split, as padded tensors."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from attnlab.data.sentences import Weightless
from attnlab.data.tokenizers.base import Token, Tokenizer
from attnlab.types import NO_SENTENCE, PAD


class LabelledBatch(NamedTuple):
    """Texts of one batch, padded to the longest."""

    words: Int[Tensor, "B S"]  #: ids, PAD behind
    mask: Bool[Tensor, "B S"]
    label: Int[Tensor, " B"]
    index: Int[Tensor, " B"]  # type: ignore[assignment]  #: number in its split (hides tuple.index)


class Split(NamedTuple):
    """A split in memory: rows of ids lie one after another."""

    texts: list[str]
    labels: NDArray[np.int64]  #: [N]
    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]  #: [N + 1]

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.offsets)


class Texts(Dataset[LabelledBatch]):
    """A list of rows comes back as one batch, padded to a ``multiple`` of columns."""

    def __init__(self, split: Split, multiple: int = 1) -> None:
        self.split, self.multiple = split, multiple

    def __len__(self) -> int:
        return len(self.split.labels)

    def __getitem__(self, row: int) -> LabelledBatch:
        return self.__getitems__([row])

    def __getitems__(self, rows: Sequence[int]) -> LabelledBatch:
        index = np.asarray(rows, np.int64)
        starts, lengths = self.split.offsets[index], self.split.lengths[index]
        longest = int(lengths.max(initial=0))
        places = np.arange(longest + -longest % self.multiple)
        mask = places < lengths[:, None]
        words = np.full(mask.shape, PAD, np.int64)
        words[mask] = self.split.ids[(starts[:, None] + places)[mask]]
        labels = self.split.labels[index]
        if isinstance(rows, Weightless):
            index = np.full_like(index, NO_SENTENCE)
        return LabelledBatch(*(torch.from_numpy(part) for part in (words, mask, labels, index)))


def pieces(tokenizer: Tokenizer, text: str) -> list[str]:
    """What the columns of an attention map are called: the tokens as the text has them."""
    tokens: list[Token] = tokenizer.tokenize(text)
    return [text[token.start : token.end] for token in tokens] or [text]
