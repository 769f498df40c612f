r"""Minimum-Bayes-risk decoding: the candidate that is most like all others.

$$y^* = \arg\max_{y \in C} \sum_{y' \in C} p(y')\, \mathrm{chrF}(y, y')$$

Kumar and Byrne 2004, "Minimum Bayes-risk decoding for statistical machine translation", over an n-best list with p from
the model; Eikema and Aziz 2020, "Is MAP decoding all you need? The inadequacy of the mode in neural machine
translation", over samples, of which each counts as much: that is the model's expectation by Monte Carlo. Of samples
that say the same only one can be chosen, and all count.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float

from attnlab.ranges import Hypotheses
from attnlab.search.base import Search
from attnlab.search.pairwise_chrf import pairwise_chrf
from attnlab.search.reranking import Reranking
from attnlab.types import Hypothesis


class MinimumBayesRisk(Reranking):
    """Choose by expected chrF, which is the ``score``, from 0 to 100.

    Args:
        candidates: the search whose hypotheses are chosen from, and compared with.
        n_best: how many different ones are kept of a sentence.
        weights: ``uniform``, for samples; ``model``, for an n-best list: proportional to exp(log_prob).

    Raises:
        ConfigError: there is nothing to choose from.
    """

    def __init__(
        self, candidates: Search, n_best: Hypotheses = 1, weights: Literal["uniform", "model"] = "uniform"
    ) -> None:
        super().__init__(candidates, n_best)
        self.weights = weights

    def scores(
        self, lines: Sequence[str], texts: Sequence[Sequence[str]], found: Sequence[Sequence[Hypothesis]]
    ) -> list[Sequence[float]]:
        return [self._expected(said, several).tolist() for said, several in zip(texts, found, strict=True)]

    def _expected(self, said: Sequence[str], several: Sequence[Hypothesis]) -> Float[np.ndarray, " C"]:
        """The expected utility of each candidate."""
        different = list(dict.fromkeys(said))
        place = {text: number for number, text in enumerate(different)}
        weights = np.zeros(len(different))
        for text, weight in zip(said, self._weights(several), strict=True):
            weights[place[text]] += weight
        expected = pairwise_chrf(different, different) @ weights
        return expected[[place[text] for text in said]]

    def _weights(self, several: Sequence[Hypothesis]) -> Float[np.ndarray, " C"]:
        if self.weights == "uniform":
            return np.full(len(several), 1 / max(1, len(several)))
        log_probs = np.array([hypothesis.log_prob for hypothesis in several])
        weights = np.exp(log_probs - log_probs.max(initial=-np.inf))
        return weights / weights.sum()
