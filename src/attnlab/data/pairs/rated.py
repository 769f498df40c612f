"""Sentence pairs with a score for a Lightning trainer, and for use without one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnlab.data.pairs.corpus import SentencePair, require_scores
from attnlab.data.pairs.module import PairData
from attnlab.data.pairs.scale import RatingScale

SCALE = "scale.json"  #: of a run folder's vocabularies


class RatedPairs(PairData):
    """Sentence pairs as batches whose label is a score; the scale is that of the training pairs."""

    require_corpus = staticmethod(require_scores)
    scale: RatingScale

    def _learn_labels(self, examples: dict[str, list[SentencePair]]) -> None:
        self.scale = RatingScale.of([pair.score or 0.0 for pair in examples["train"]], self.corpus.name)

    def _restore(self, folder: Path) -> None:
        self.scale = RatingScale.load(folder / SCALE)

    def _labels(self, rows: Sequence[SentencePair], where: str) -> NDArray[Any]:
        return np.array([pair.score for pair in rows], np.float32)

    def dimensions(self) -> dict[str, Any]:
        return {**super().dimensions(), "classes": self.scale.points}

    def _keep_labels(self, folder: Path) -> None:
        self.scale.save(folder / SCALE)
