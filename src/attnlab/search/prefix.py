"""Beginnings that translations are held to.

    y_t = prefix_t   for t < P,   chosen by the search from there on

A hypothesis' log-probability counts all its tokens, so that of several continuations the search finds what it would
find among all translations that begin so: it is exact where the search is.
"""

import math
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from attnlab.search.limits import Limits
from attnlab.types import BOS, EOS, PAD, SPECIALS, UNK, ConfigError

Prefixes = Sequence[Sequence[int]]  #: a beginning a sentence, without BOS; an empty one leaves the sentence free


class Held:
    """The beginnings of a batch.

    Args:
        prefixes: one a sentence.
        steps: most steps of each.
        limits: of the search.

    Raises:
        ConfigError: a beginning that no translation of the search can have.
    """

    def __init__(self, prefixes: Prefixes, steps: Sequence[int], limits: Limits) -> None:
        if len(prefixes) != len(steps):
            raise ConfigError(f"prefixes: {len(prefixes)} for {len(steps)} sentences; expected one a sentence")
        for number, (prefix, most) in enumerate(zip(prefixes, steps, strict=True)):
            check(prefix, number, most, limits)
        self.prefixes = [list(prefix) for prefix in prefixes]
        self.longest = max(map(len, self.prefixes), default=0)

    def __call__(self, log_probs: Float[Tensor, "N V"], alive: Sequence[int], t: int) -> Float[Tensor, "N V"]:
        """Leave the rows of a sentence that is still held the one token that comes next; a copy where there are some.

        Raises:
            ConfigError: the token is none of the vocabulary.
        """
        if t >= self.longest:
            return log_probs
        width, size = len(log_probs) // len(alive), log_probs.size(1)
        held = [(row, self.prefixes[sentence][t]) for row, sentence in enumerate(alive) if t < self.length(sentence)]
        if any(token >= size for _, token in held):
            raise ConfigError(f"prefixes: token {max(token for _, token in held)} of a vocabulary of {size}")
        found = log_probs.clone()
        for row, token in held:
            own = slice(row * width, (row + 1) * width)
            found[own] = -math.inf
            found[own, token] = log_probs[own, token]
        return found

    def length(self, sentence: int) -> int:
        return len(self.prefixes[sentence])


def check(prefix: Sequence[int], number: int, most: int, limits: Limits) -> None:
    """Raise ConfigError where a search cannot go through a beginning."""
    forbidden = {PAD, BOS, EOS} | ({UNK} if limits.forbid_unknown else set())
    wrong = next((token for token in prefix if token in forbidden or token < 0), None)
    if wrong is not None:
        name = SPECIALS[wrong] if 0 <= wrong < len(SPECIALS) else wrong
        raise ConfigError(f"prefixes[{number}]: has {name}, which this search never produces within a translation")
    if len(prefix) >= most:
        raise ConfigError(
            f"prefixes[{number}]: {len(prefix)} tokens, and the search ends a translation of this sentence after "
            f"{most} steps; shorten it, or raise max_length, max_ratio or max_extra"
        )
