"""Token ids and classes of a split, as padded tensors."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from attnlab.data.labelled.ngrams import Speller
from attnlab.data.labelled.tokenized import Cutter, InMemory, Sentences
from attnlab.data.sentences import Weightless, padded
from attnlab.data.tokenizers.base import Token, Tokenizer
from attnlab.data.tokenizers.joined import BLANK
from attnlab.types import NO_SENTENCE, UNK, Spelled, tree_map


class LabelledBatch(NamedTuple):
    """Texts of one batch, padded to the longest."""

    words: Int[Tensor, "B S"]  #: ids, PAD behind
    mask: Bool[Tensor, "B S"]
    label: Int[Tensor, " B"]
    index: Int[Tensor, " B"]  # type: ignore[assignment]  #: number in its split (hides tuple.index)
    spelled: Spelled | None = None  #: the n-grams of the words, where the data have some
    sentences: Int[Tensor, "B N"] | None = None  #: words of each sentence of a document, 0 behind

    @property
    def inputs(self) -> tuple[Any, ...]:
        """What a model is called with."""
        return self.words, self.mask, self.spelled, self.sentences

    def moved(self, device: torch.device) -> "LabelledBatch":
        """The same on another device."""
        return tree_map(lambda leaf: leaf.to(device), self)


class Split(NamedTuple):
    """A split in memory; where an item has several sides, its texts stand one after another."""

    texts: list[str]
    labels: NDArray[Any]  #: [N]
    ids: InMemory
    spellings: InMemory | None = None  #: of each id, the number of the word as it is spelt
    sentences: InMemory | None = None  #: ids of each sentence, where texts are documents

    @property
    def lengths(self) -> NDArray[np.int64]:
        return self.ids.lengths


class Texts(Dataset[LabelledBatch]):
    """A list of rows comes back as one batch, padded to a ``multiple`` of columns."""

    def __init__(self, split: Split, multiple: int = 1, speller: Speller | None = None) -> None:
        self.split, self.multiple, self.speller = split, multiple, speller

    def __len__(self) -> int:
        return len(self.split.labels)

    def __getitem__(self, row: int) -> LabelledBatch:
        return self.__getitems__([row])

    def __getitems__(self, rows: Sequence[int]) -> LabelledBatch:
        index = np.asarray(rows, np.int64)
        words, mask = padded(self.split.ids, index, self.multiple)
        labels = self.split.labels[index]
        spelled = None
        if self.speller is not None and self.split.spellings is not None:
            spelled = self.speller.spell(padded(self.split.spellings, index, self.multiple)[0])
        sentences = None
        if self.split.sentences is not None:
            sentences = torch.from_numpy(padded(self.split.sentences, index)[0])
        if isinstance(rows, Weightless):
            index = np.full_like(index, NO_SENTENCE)
        tensor = torch.from_numpy
        return LabelledBatch(tensor(words), tensor(mask), tensor(labels), tensor(index), spelled, sentences)


def split_of(
    texts: Iterable[str],
    labels: Sequence[int],
    tokenizer: Tokenizer,
    speller: Speller | None = None,
    sentences: Sentences | None = None,
) -> Split:
    """A split of texts and the numbers of their classes.

    Args:
        texts: gone through once.
        labels: of each.
        tokenizer: makes ids of them.
        speller: numbers their words as they are spelt.
        sentences: how they are read where they are documents.
    """
    cutter = Cutter(tokenizer, speller, sentences)
    cut = cutter(texts)
    return Split(cut.texts, np.array(labels, np.int64), cutter.ids(cut), cut.spellings, cut.sentences)


def ids_of(tokenizer: Tokenizer, text: str) -> list[int]:
    """One at least: where a tokenizer sees nothing (a lone accent) an unknown one."""
    return tokenizer.encode(text) or [UNK]


def pieces(tokenizer: Tokenizer, text: str, sentences: Sentences | None = None) -> list[str]:
    """What the columns of an attention map are called: the tokens as the text has them; of a document those read."""
    if sentences is not None:
        each = (pieces(tokenizer, sentence)[: sentences.longest] for sentence in sentences.of(text))
        return [piece for found in each for piece in found]
    tokens: list[Token] = tokenizer.tokenize(text)
    return [text[token.start : token.end].strip() or BLANK for token in tokens] or [text]
