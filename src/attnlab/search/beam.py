"""Beam search.

In every step the ``beam`` best extensions of a sentence are kept, out of beam x vocabulary, ranked by log P.
Those that end in EOS leave the beam and are scored by eq. 14 of Wu et al. 2016 (see ``penalties``); the
others are extended further. The ``n_best`` best scored are the result.

A sentence stops when no live hypothesis can still enter that result. As log P only falls, cp <= 0 and lp
grows with the length, a live hypothesis ends with a score of at most

    log P / lp(longest allowed),

so the stop is exact: going on to the longest allowed length would give the same result. A sentence is also
over when nothing is live, or, where ``patience`` is set, when ceil(beam * patience) hypotheses have ended
(Kasai et al. 2022; patience 1 is the first-come-first-served rule of many toolkits: fewer steps, not exact).

A hypothesis that reaches the longest allowed length without EOS is unfinished. It has not paid for an end, so
it is not ranked against finished ones: it only fills places of the result for which none finished.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from attnlab.ranges import Hypotheses, OneOrMore, Positive, Weight, ZeroOrMore
from attnlab.search.backpointers import Ending
from attnlab.search.best import best
from attnlab.search.limits import Limits
from attnlab.search.loop import search
from attnlab.search.options import flag, number, whole
from attnlab.search.penalties import coverage_penalty, length_penalty
from attnlab.search.prefix import Prefixes
from attnlab.types import EOS, ConfigError, Hypothesis, StepModel


class Candidates(NamedTuple):
    """Hypotheses that may become the result; a score of -inf is a free place."""

    score: Float[Tensor, "B F"]
    log_prob: Float[Tensor, "B F"]
    slot: Int[Tensor, "B F"]
    steps: Int[Tensor, "B F"]


class Beams(NamedTuple):
    """The sentences still searched; a log-probability of -inf is a free place."""

    limit: Int[Tensor, " B"]
    mask: Bool[Tensor, "B S"]
    log_prob: Float[Tensor, "B K"]
    covered: Float[Tensor, "B K S"] | None  #: attention so far; None where coverage is not penalised
    finished: Candidates  #: the n_best best so far, best first
    ended: Int[Tensor, " B"]  #: how many have finished


class Beam:
    """Batched beam search with length and coverage penalties and n-best; policy of ``loop.search``.

    ``length_penalty`` and ``coverage_penalty`` are alpha and beta of Wu et al. 2016, eq. 14. With a beam of 1
    the tokens are those of the greedy search, whatever the penalties. A sentence gets fewer than ``n_best``
    hypotheses only where the model gives probability to no more.

    Raises:
        ConfigError: an option out of its range, or n_best above the number of hypotheses that may finish.
    """

    def __init__(
        self,
        beam: Hypotheses = 5,
        n_best: Hypotheses = 1,
        length_penalty: Weight = 0.6,
        coverage_penalty: Weight = 0.0,
        patience: Positive | None = None,
        min_length: ZeroOrMore = 0,
        max_length: OneOrMore = 512,
        max_ratio: Positive = 3.0,
        max_extra: ZeroOrMore = 10,
        forbid_unknown: bool = False,
        replace_unknown: bool = False,
    ) -> None:
        self.width = whole("beam", beam, 1)
        self.alpha = number("length_penalty", length_penalty, 0.0)
        self.beta = number("coverage_penalty", coverage_penalty, 0.0)
        self.enough: int | None = None
        if patience is not None:
            self.enough = math.ceil(beam * number("patience", patience, 0.0, inclusive=False))
        self.n_best = whole("n_best", n_best, 1)
        most = beam if self.enough is None else min(beam, self.enough)
        if n_best > most:
            raise ConfigError(
                f"n_best={n_best}: expected at most {most}, as beam={beam} and patience={patience} give "
                "no more: widen the beam"
            )
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

    def start(self, source: Int[Tensor, "B S"], source_mask: Bool[Tensor, "B S"], steps: Int[Tensor, " B"]) -> Beams:
        """All places but the first are free, or the beam would hold the same hypothesis many times."""
        sentences, device = len(source), source.device
        log_prob = torch.full((sentences, self.width), -math.inf, device=device)
        log_prob[:, 0] = 0.0
        free = log_prob.new_full((sentences, self.n_best), -math.inf)
        finished = _candidates(free, free, 0)
        covered = torch.zeros(sentences, self.width, source.shape[1], device=device) if self.beta else None
        ended = torch.zeros(sentences, dtype=torch.long, device=device)
        return Beams(steps, source_mask, log_prob, covered, finished, ended)

    def grow(
        self, live: Beams, log_probs: Float[Tensor, "N V"], weights: Float[Tensor, "N S"] | None, t: int
    ) -> tuple[Beams, Int[Tensor, "B K"], Int[Tensor, "B K"]]:
        parents, tokens, log_prob = self._extend(live.log_prob, log_probs, t)
        covered = None if live.covered is None else _cover(live.covered, weights, parents)
        live = live._replace(log_prob=log_prob, covered=covered)
        return self._finish(live, tokens == EOS, t), tokens, parents

    def _extend(
        self, log_prob: Float[Tensor, "B K"], log_probs: Float[Tensor, "N V"], t: int
    ) -> tuple[Int[Tensor, "B K"], Int[Tensor, "B K"], Float[Tensor, "B K"]]:
        """Give parents, tokens and log-probabilities of the best extensions.

        They are ranked relative to the best live hypothesis: small numbers lose less to rounding, and with a beam of 1
        the ranking is that of ``log_probs`` to the last bit.
        """
        size = log_probs.size(1)
        with self.limits.forbid(log_probs, t) as allowed:
            values, places = best(allowed, self.width, log_prob - log_prob.amax(1, keepdim=True))
            gained = allowed.view(len(log_prob), -1).gather(1, places)
        parents, words = places.div(size, rounding_mode="floor"), places.remainder(size)
        total = (log_prob.gather(1, parents) + gained).masked_fill(values == -math.inf, -math.inf)
        return parents, words, total

    def _finish(self, live: Beams, ended: Bool[Tensor, "B K"], t: int) -> Beams:
        """Move what ended from the beam to the finished, of which the best are kept."""
        ended = ended & (live.log_prob != -math.inf)
        score = self._score(live, t).masked_fill(~ended, -math.inf)
        fresh = _candidates(score, live.log_prob, t + 1)
        both = Candidates(*(torch.cat(pair, 1) for pair in zip(live.finished, fresh, strict=True)))
        best = both.score.topk(self.n_best).indices
        return live._replace(
            log_prob=live.log_prob.masked_fill(ended, -math.inf),
            finished=Candidates(*(field.gather(1, best) for field in both)),
            ended=live.ended + ended.sum(1),
        )

    def _score(self, live: Beams, t: int) -> Float[Tensor, "B K"]:
        score = live.log_prob / length_penalty(t + 1.0, self.alpha)
        return score if live.covered is None else score + coverage_penalty(live.covered, live.mask, self.beta)

    def over(self, live: Beams, t: int) -> Bool[Tensor, " B"]:
        """Apply the exact stop; NaN counts as over, and the loop reports it."""
        bound = live.log_prob.amax(1) / length_penalty(live.limit, self.alpha)
        open_ends = (bound > live.finished.score[:, -1]) & (t + 1 < live.limit)
        return ~open_ends if self.enough is None else ~open_ends | (live.ended >= self.enough)

    def endings(self, gone: Beams, t: int) -> list[list[Ending]]:
        """Finished ones first, then unfinished ones in the places left; both by score."""
        unfinished = _read(_candidates(self._score(gone, t), gone.log_prob, t + 1))
        both = zip(_read(gone.finished), unfinished, strict=True)
        return [rest if _broken(rest) else (done + rest)[: self.n_best] for done, rest in both]


def _cover(
    covered: Float[Tensor, "B K S"], weights: Float[Tensor, "N S"] | None, parents: Int[Tensor, "B K"]
) -> Float[Tensor, "B K S"]:
    if weights is None:
        raise ConfigError(
            "coverage_penalty above 0 needs attention weights and this model draws none: expected another "
            "attention, or coverage_penalty=0"
        )
    total = covered + weights.reshape(covered.shape)
    return total.gather(1, parents[..., None].expand_as(total))


def _candidates(score: Float[Tensor, "B F"], log_prob: Float[Tensor, "B F"], steps: int) -> Candidates:
    slots = torch.arange(score.shape[1], device=score.device).expand(score.shape)
    return Candidates(score, log_prob, slots, torch.full_like(slots, steps))


def _read(candidates: Candidates) -> list[list[Ending]]:
    """Take them to the host, best first, without the free places."""
    found = []
    for fields in zip(*(field.tolist() for field in candidates), strict=True):
        rows = [row for row in zip(*fields, strict=True) if row[0] != -math.inf]
        endings = [Ending(slot, steps, log_prob, score) for score, log_prob, slot, steps in rows]
        found.append(sorted(endings, key=lambda ending: -ending.score))
    return found


def _broken(endings: list[Ending]) -> bool:
    """Tell whether NaN was met; such endings are handed on, for the loop to report."""
    return any(math.isnan(ending.score) for ending in endings)
