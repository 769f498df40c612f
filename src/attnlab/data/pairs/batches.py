"""Token ids of sentence pairs of a split, what is told of them and what they share, as padded tensors."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.utils.data import Dataset

from attnlab.data.labelled.batches import Split
from attnlab.data.labelled.ngrams import Speller
from attnlab.data.sentences import Weightless, padded
from attnlab.types import NO_SENTENCE, Side


class PairBatch(NamedTuple):
    """Pairs of one batch."""

    premise: Side
    hypothesis: Side
    label: Shaped[Tensor, " B"]  #: the number of the class, or a score
    index: Shaped[Tensor, " B"]  # type: ignore[assignment]  #: number in its split (hides tuple.index)
    overlap: Float[Tensor, "B F"] | None = None  #: features of what the two share, where the model reads them

    @property
    def inputs(self) -> tuple[Any, ...]:
        """What a model is called with."""
        return self.premise, self.hypothesis, self.overlap


class PairTexts(Dataset[PairBatch]):
    """A list of rows comes back as one batch, each side padded to a ``multiple`` of columns.

    Args:
        split: of which premises and hypotheses stand in turn.
        multiple: of columns.
        speller: has the n-grams of the words.
        overlap: features, a row a pair.
    """

    def __init__(
        self,
        split: Split,
        multiple: int = 1,
        speller: Speller | None = None,
        overlap: Float[np.ndarray, "N F"] | None = None,
    ) -> None:
        self.split, self.multiple, self.speller, self.overlap = split, multiple, speller, overlap

    def __len__(self) -> int:
        return len(self.split.labels)

    def __getitem__(self, row: int) -> PairBatch:
        return self.__getitems__([row])

    def __getitems__(self, rows: Sequence[int]) -> PairBatch:
        index = np.asarray(rows, np.int64)
        premise, hypothesis = self._side(2 * index), self._side(2 * index + 1)
        labels = torch.from_numpy(self.split.labels[index])
        overlap = None if self.overlap is None else torch.from_numpy(self.overlap[index])
        if isinstance(rows, Weightless):
            index = np.full_like(index, NO_SENTENCE)
        return PairBatch(premise, hypothesis, labels, torch.from_numpy(index), overlap)

    def _side(self, texts: np.ndarray) -> Side:
        words, mask = padded(self.split.ids, texts, self.multiple)
        spelled = None
        if self.speller is not None and self.split.spellings is not None:
            spelled = self.speller.spell(padded(self.split.spellings, texts, self.multiple)[0])
        return Side(torch.from_numpy(words), torch.from_numpy(mask), spelled)
