"""Sentence pairs for a Lightning trainer, and for use without one."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from attnlab.data.base import origin
from attnlab.data.labelled.module import LabelledData
from attnlab.data.pairs.batches import PairTexts
from attnlab.data.pairs.corpus import require_labels_of_pairs
from attnlab.data.pairs.overlap import NAMES, Overlap, Words
from attnlab.data.tokenizers.base import Tokenizer

FILE = "overlap.json"  #: of a run folder's vocabularies


class PairData(LabelledData):
    """Sentence pairs of a corpus as batches, settings as those of labelled texts; both sides share one vocabulary.

    What the two sentences share is counted where the model reads it (``model.overlap``).
    """

    sides: ClassVar[tuple[str, ...]] = ("premise", "hypothesis")
    require_corpus = staticmethod(require_labels_of_pairs)
    overlap: Overlap | None = None

    def dataset(self, split: str, multiple: int = 1) -> PairTexts:  # type: ignore[override]
        features = None if self.overlap is None else self.features(split)
        return PairTexts(self._splits[split], multiple, self.speller, features)

    def dimensions(self) -> dict[str, Any]:
        return {**super().dimensions(), "features": len(NAMES)}

    def check_model(self, model: Any) -> None:
        super().check_model(model)
        if getattr(model, "reads_overlap", False) and self.overlap is None:
            if self.saved is not None:
                self.overlap = Overlap.load(self.saved / FILE)
            else:
                words = words_of(self.tokenizer, self._splits["train"].texts)
                self.overlap = Overlap.fit([words[row] for row in self._train_rows])
            self._features: dict[str, Float[np.ndarray, "N F"]] = {}

    def features(self, split: str) -> Float[np.ndarray, "N F"]:
        """What the sentences of each pair share, counted once."""
        assert self.overlap is not None, "nobody reads features: see check_model"
        if split not in self._features:
            pairs = words_of(self.tokenizer, self._splits[split].texts)
            self._features[split] = self.overlap(pairs).astype(np.float32)
        return self._features[split]

    def pair(self, split: str, index: int) -> tuple[str, str]:
        """Premise and hypothesis at ``index`` of a split."""
        premise, hypothesis = self._splits[origin(split)].texts[2 * index : 2 * index + 2]
        return premise, hypothesis

    def training_features(self) -> tuple[Float[np.ndarray, "N F"], NDArray[Any]]:
        """The features of every pair that is trained on, and what is told of it."""
        rows = self._train_rows
        return self.features("train")[rows], self._splits["train"].labels[rows]

    def save(self, folder: Path) -> None:
        """Write ``text.json`` and ``labels.json``, and ``overlap.json`` where the model reads features."""
        super().save(folder)
        if self.overlap is not None:
            self.overlap.save(folder / FILE)


def words_of(tokenizer: Tokenizer, texts: Iterable[str]) -> Sequence[tuple[Words, Words]]:
    """The words of pairs, whose sentences stand in turn: in lower case, so that a first word is like any other."""
    words = map(partial(lowered, tokenizer), texts)
    return list(zip(words, words, strict=True))


def lowered(tokenizer: Tokenizer, text: str) -> Words:
    return [text[token.start : token.end].strip().lower() for token in tokenizer.tokenize(text)]
