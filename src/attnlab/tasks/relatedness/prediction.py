"""The scores of single pairs, by a finished run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attnlab.data.labelled.ngrams import Ngrams
from attnlab.data.pairs.rated import SCALE
from attnlab.data.pairs.scale import RatingScale
from attnlab.models.pair_classifier import Paired
from attnlab.tasks.entailment.prediction import PairPredictor
from attnlab.tasks.entailment.records import Pair
from attnlab.tasks.prediction import Predictor
from attnlab.tasks.relatedness.records import Told


class ScorePredictor(PairPredictor[Told]):
    """Tells the score of pairs.

    Args:
        folder: with ``scale.json`` besides.
        ngrams: of words, where the data had some.
    """

    def __init__(self, folder: Path, ngrams: Ngrams | None = None) -> None:
        super().__init__(folder, ngrams)
        self.rated = RatingScale.load(folder / SCALE)

    @property
    def scale(self) -> tuple[float, float]:
        return self.rated.lowest, self.rated.highest

    @property
    def classes(self) -> int:
        return self.rated.points

    def tell(self, found: Paired, pairs: Sequence[Pair]) -> list[Told]:
        return list(map(Told, pairs, self.rated.expected(found.logits.double()).tolist()))


def predictor(folder: Path, data: Mapping[str, Any]) -> Predictor:
    """Of a finished run, from the folder of its vocabulary and scale and the settings of its data."""
    return ScorePredictor(folder, data.get("ngrams"))
