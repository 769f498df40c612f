"""How long a translation may be and which tokens it may hold."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from attnlab.search.options import flag, number, whole
from attnlab.types import BOS, EOS, PAD, UNK, ConfigError, DataError


@dataclass(frozen=True)
class Limits:
    """Length limits and forbidden tokens of a search.

    A translation of a source sentence of ``n`` tokens has between ``min_length`` and
    ``min(max_length, ceil(max_ratio * n) + max_extra)`` tokens. The search takes that many steps at most;
    the step that yields EOS counts. The upper limit is never less than ``min_length + 1`` steps, so that
    every translation can end, and never more than the positions that the model knows. PAD and BOS are never produced.

    Raises:
        ConfigError: an option out of its range, or ``min_length`` not below ``max_length``.
    """

    min_length: int
    max_length: int
    max_ratio: float
    max_extra: int
    forbid_unknown: bool

    def __post_init__(self) -> None:
        whole("min_length", self.min_length, 0)
        whole("max_length", self.max_length, 1)
        number("max_ratio", self.max_ratio, 0.0)
        whole("max_extra", self.max_extra, 0)
        flag("forbid_unknown", self.forbid_unknown)
        if self.min_length >= self.max_length:
            raise ConfigError(
                f"min_length={self.min_length}: expected less than max_length={self.max_length}, "
                "since the end of the sentence takes a step too"
            )

    def steps(self, source_mask: Bool[Tensor, "B S"], most: int | None = None) -> list[int]:
        """Most steps for each sentence, for a model that can take ``most`` of them.

        Raises:
            ConfigError: no translation of ``min_length`` fits into ``most``.
            DataError: a source sentence without a token.
        """
        self.require_room(most)
        lengths = source_mask.sum(1).tolist()
        if 0 in lengths:
            raise DataError(
                f"sentence {lengths.index(0)} of the batch has no source token; expected at least one: "
                "drop empty lines before the search"
            )
        return [self._steps(length) if most is None else min(self._steps(length), most) for length in lengths]

    def require_room(self, most: int | None) -> None:
        """Raise ConfigError where a model that can take ``most`` steps ends before ``min_length`` is reached."""
        if most is not None and self.min_length >= most:
            raise ConfigError(
                f"min_length={self.min_length}: the model knows {most} positions, and the end is "
                f"one of them; set it below {most}, or position.max_positions={self.min_length + 1} or more"
            )

    def _steps(self, length: int) -> int:
        by_source = math.ceil(min(self.max_ratio * length, self.max_length)) + self.max_extra
        return max(min(self.max_length, by_source), self.min_length + 1)

    @contextmanager
    def forbid(self, scores: Float[Tensor, "*rows V"], step: int) -> Iterator[Float[Tensor, "*rows V"]]:
        """Within the block, the tokens that may not be produced at ``step`` (from 0) are at -inf.

        They are put back behind it: the scores are the model's, and a copy of all of them would take as long as
        choosing among them. Filled one by one, because an index tensor would be a copy to the device in every step.
        """
        forbidden = [PAD, BOS] + [UNK] * self.forbid_unknown + [EOS] * (step < self.min_length)
        own = scores if scores.is_contiguous() else scores.clone()
        first = own[..., : max(forbidden) + 1]  # special tokens stand there, one beside the other
        before = first.clone()
        for token in forbidden:
            own[..., token].fill_(-math.inf)
        try:
            yield own
        finally:
            first.copy_(before)
