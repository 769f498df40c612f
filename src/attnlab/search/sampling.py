"""Sampling from the model's distribution, tempered and truncated.

    p'(y) proportional to p(y)^(1 / temperature) on the kept tokens, 0 elsewhere

Kept are the ``top_k`` likeliest tokens (Fan et al. 2018), and of these, their probabilities renormalised, the
smallest set of the likeliest whose mass reaches ``top_p`` (nucleus, Holtzman et al. 2020).
"""

import hashlib

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from attnlab.ranges import Hypotheses, OneOrMore, Positive, Seed, Share, ZeroOrMore
from attnlab.search.independent import Independent
from attnlab.search.limits import Limits
from attnlab.search.loop import search
from attnlab.search.options import flag, number, whole
from attnlab.search.prefix import Prefixes
from attnlab.types import Hypothesis, StepModel


class Sampling(Independent):
    """Draw ``samples`` translations of each sentence; the likeliest comes first.

    ``score`` and ``log_prob`` are the log-probability under the model itself, neither tempered nor truncated.
    The random numbers depend on ``seed`` and the tokens of the source sentence only: a sentence gets the same
    samples in any batch and order and on any device, and no global generator is touched.

    Raises:
        ConfigError: an option out of its range.
    """

    def __init__(
        self,
        samples: Hypotheses = 1,
        temperature: Positive = 1.0,
        top_k: OneOrMore | None = None,
        top_p: Share | None = None,
        seed: Seed = 1,
        min_length: ZeroOrMore = 0,
        max_length: OneOrMore = 512,
        max_ratio: Positive = 3.0,
        max_extra: ZeroOrMore = 10,
        forbid_unknown: bool = False,
        replace_unknown: bool = False,
    ) -> None:
        self.width = whole("samples", samples, 1)
        self.temperature = number("temperature", temperature, 0.0, inclusive=False)
        self.top_k = None if top_k is None else whole("top_k", top_k, 1)
        self.top_p = None if top_p is None else number("top_p", top_p, 0.0, inclusive=False, at_most=1.0)
        self.seed = whole("seed", seed, 0, 2**63 - 1)
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

    def draws(
        self, source: Int[Tensor, "B S"], source_mask: Bool[Tensor, "B S"], steps: Int[Tensor, " B"]
    ) -> Float[Tensor, "B T K"]:
        """Draw one number in [0, 1) a step and sample, from a generator of each sentence's own."""
        lengths = steps.tolist()
        table = torch.zeros(len(lengths), max(lengths), self.width)
        generator = torch.Generator()
        for row, (ids, mask) in enumerate(zip(source.cpu(), source_mask.cpu(), strict=True)):
            generator.manual_seed(_seed_of(self.seed, ids[mask].tolist()))
            table[row, : lengths[row]] = torch.rand(lengths[row], self.width, generator=generator)
        return table.to(source.device)

    def choose(self, allowed: Float[Tensor, "N V"], draws: Float[Tensor, " N"] | None) -> Int[Tensor, " N"]:
        assert draws is not None
        probs, ids = truncate(allowed / self.temperature, self.top_k, self.top_p)
        place = invert(probs, draws)
        return place if ids is None else ids.gather(1, place[:, None])[:, 0]


def truncate(
    log_probs: Float[Tensor, "N V"], top_k: int | None, top_p: float | None
) -> tuple[Float[Tensor, "N C"], Int[Tensor, "N C"] | None]:
    """Give the probabilities of the kept tokens and their ids (None: all, in the order of the vocabulary).

    Tokens outside the nucleus may be listed with probability 0.
    """
    if top_k is None and top_p is None:
        return log_probs.softmax(-1), None
    size = log_probs.shape[-1] if top_k is None else min(top_k, log_probs.shape[-1])
    ranked, ids = log_probs.topk(size)
    probs = ranked.softmax(-1)
    if top_p is None:
        return probs, ids
    before = F.pad(probs.cumsum(-1)[:, :-1], (1, 0))
    return probs * (before < top_p), ids


def invert(probs: Float[Tensor, "N C"], draws: Float[Tensor, " N"]) -> Int[Tensor, " N"]:
    """Give the first place whose cumulated probability exceeds draw x sum: the inverse of the distribution.

    Never a place of probability 0, also where rounding lifts draw x sum to the sum itself.
    """
    total = probs.cumsum(-1)
    mass = total[:, -1:].contiguous()
    place = torch.searchsorted(total, draws[:, None].to(probs.dtype) * mass, right=True)
    last = torch.searchsorted(total, mass)
    return torch.minimum(place, last).clamp(max=probs.shape[-1] - 1)[:, 0]


def _seed_of(seed: int, ids: list[int]) -> int:
    digest = hashlib.blake2b(repr((seed, ids)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
