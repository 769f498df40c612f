"""Greedy search: y_t = argmax_y log p(y | y_<t, x)."""

from jaxtyping import Bool, Float, Int
from torch import Tensor

from attnlab.ranges import OneOrMore, Positive, ZeroOrMore
from attnlab.search.best import best
from attnlab.search.independent import Independent
from attnlab.search.limits import Limits
from attnlab.search.loop import search
from attnlab.search.options import flag
from attnlab.search.prefix import Prefixes
from attnlab.types import Hypothesis, StepModel


class Greedy(Independent):
    """Take the likeliest token in every step; one hypothesis a sentence, its score is its log-probability.

    A sentence that reaches the maximum length is given as it stands, without EOS.

    Args:
        min_length: tokens of a translation, at least.
        max_length: and at most, whatever the source's length.
        max_ratio: at most ceil(max_ratio * source tokens) + max_extra steps.
        max_extra: see max_ratio.
        forbid_unknown: never write ``<unk>``.
        replace_unknown: whoever asks puts a source word in the place of ``<unk>``: where attention looks most.

    Raises:
        ConfigError: an option out of its range.
    """

    def __init__(
        self,
        min_length: ZeroOrMore = 0,
        max_length: OneOrMore = 512,
        max_ratio: Positive = 3.0,
        max_extra: ZeroOrMore = 10,
        forbid_unknown: bool = False,
        replace_unknown: bool = False,
    ) -> None:
        self.limits = Limits(min_length, max_length, max_ratio, max_extra, forbid_unknown)
        self.replace_unknown = flag("replace_unknown", replace_unknown)

    def __call__(
        self,
        model: StepModel,
        source: Int[Tensor, "B S"],
        source_mask: Bool[Tensor, "B S"],
        prefixes: Prefixes | None = None,
    ) -> list[list[Hypothesis]]:
        return search(model, source, source_mask, self, self.limits, prefixes)

    def choose(self, allowed: Float[Tensor, "N V"], draws: Float[Tensor, " N"] | None) -> Int[Tensor, " N"]:
        # best and not argmax, so that a tie falls as it does in a beam of 1
        return best(allowed, 1)[1][:, 0]
