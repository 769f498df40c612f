r"""A scale on which people have rated items, as the classes of a classifier.

    r = (lowest, …, highest), evenly spaced,  y_hat = r^T p_hat,
    p_i = 1 - |y - r_i| / d  for the two points next to y,  0 elsewhere,  d the distance of points

Tai, Socher and Manning 2015, "Improved semantic representations from tree-structured long short-term memory networks",
section 4.2: their r is 1 … 5. So r^T p = y, and y_hat is whatever lies between.
"""

from collections.abc import Sequence
from math import ceil, floor
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.atomic import replacing
from attnlab.bounded import read_json
from attnlab.data.tokenizers.load import LARGEST
from attnlab.strict_json import dumps
from attnlab.types import DataError

MOST = 11  #: points


class RatingScale(NamedTuple):
    """From the lowest to the highest score, with so many points."""

    lowest: float
    highest: float
    points: int

    @classmethod
    def of(cls, scores: Sequence[float], name: str) -> "RatingScale":
        """From whole number to whole number, a point for each of them, eleven at most.

        Args:
            scores: of a training split.
            name: of the corpus, for messages.

        Raises:
            DataError: all are the same.
        """
        lowest, highest = floor(min(scores)), ceil(max(scores))
        if min(scores) == max(scores):
            raise DataError(f"{name}: all training pairs have the score {scores[0]}; expected different ones")
        return cls(lowest, highest, min(highest - lowest + 1, MOST))

    def grid(self, like: Tensor) -> Float[Tensor, " K"]:
        """r."""
        return torch.linspace(self.lowest, self.highest, self.points, dtype=like.dtype, device=like.device)

    def shares(self, scores: Float[Tensor, " B"]) -> Float[Tensor, "B K"]:
        """p of each score; one beyond the scale counts as its end."""
        step = (self.highest - self.lowest) / (self.points - 1)
        inside = scores.clamp(self.lowest, self.highest).unsqueeze(-1)
        return (1 - (inside - self.grid(scores)).abs() / step).clamp(min=0)

    def expected(self, logits: Float[Tensor, "B K"]) -> Float[Tensor, " B"]:
        """y_hat."""
        return logits.softmax(-1) @ self.grid(logits)

    def save(self, path: Path) -> None:
        with replacing(path) as temporary:
            temporary.write_text(dumps(self._asdict()), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "RatingScale":
        """Of a finished run.

        Raises:
            DataError: the file is missing or damaged.
        """
        try:
            found = cls(**read_json(path, LARGEST))
            if not (found.lowest < found.highest and 2 <= found.points <= MOST):
                raise ValueError(f"{found} is no scale")
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise DataError(f"{path}: no rating scale of a run ({error})") from error
        return found
