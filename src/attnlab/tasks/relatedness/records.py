"""What testing keeps of a rated pair."""

from typing import Any, NamedTuple

from attnlab.runs.writing import Map
from attnlab.tasks.entailment.records import Pair, aligned

COLUMNS = ["number", "premise", "hypothesis", "score", "predicted", "aligned"]  #: of a table of them


class Rated(NamedTuple):
    """A pair, its score and the one that was predicted."""

    pair: Pair
    score: float
    predicted: float

    def line(self) -> dict[str, Any]:
        """A line of ``<split>.jsonl``."""
        return {**self.pair.line(), "score": round(self.score, 6), "predicted": self.predicted}

    def map(self, number: int) -> Map | None:
        return self.pair.map(number, f"{self.score:.2f}, predicted {self.predicted:.2f}")


class Told(NamedTuple):
    """A pair and the score that is predicted."""

    pair: Pair
    predicted: float

    @property
    def short(self) -> str:
        return f"{self.predicted:.4f}"

    def line(self) -> dict[str, Any]:
        """As a line of ``test.jsonl`` has it."""
        return {**self.pair.line(), "predicted": self.predicted}

    def map(self, number: int) -> Map | None:
        return self.pair.map(number, f"predicted {self.predicted:.2f}")


def cells(number: int, item: Rated) -> list[Any]:
    """A row of a table, by ``COLUMNS``."""
    scores = round(item.score, 3), round(item.predicted, 3)
    return [number, item.pair.premise, item.pair.hypothesis, *scores, aligned(item.pair)]
