"""Searches that look once more at what another search has found, and choose by something else than its score."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from jaxtyping import Bool, Int
from torch import Tensor

from attnlab.ranges import Hypotheses
from attnlab.search.base import Search
from attnlab.search.options import whole
from attnlab.search.prefix import Prefixes
from attnlab.types import ConfigError, Hypothesis, StepModel


class Reranking(ABC):
    """A search in two parts: called it gives the candidates; whoever can spell them asks it to ``rerank`` them.

    Args:
        candidates: the search that finds them; beam search has to be told how many (``n_best``).
        n_best: how many are kept of a sentence.

    Raises:
        ConfigError: one candidate, from which nothing can be chosen, or fewer than ``n_best``.
    """

    def __init__(self, candidates: Search, n_best: Hypotheses = 1) -> None:
        self.candidates, self.n_best = candidates, whole("n_best", n_best, 1)
        self.replace_unknown = candidates.replace_unknown
        found = int(getattr(candidates, "n_best", getattr(candidates, "width", 1)))
        if found < max(2, n_best):
            raise ConfigError(
                f"search.candidates gives {found} of a sentence, to choose n_best={n_best} of: expected more; raise "
                "search.candidates.n_best (and beam), or search.candidates.samples"
            )

    @property
    def limits(self) -> Any:
        """Of the translations' lengths."""
        return getattr(self.candidates, "limits", None)

    def __call__(
        self,
        model: StepModel,
        source: Int[Tensor, "B S"],
        source_mask: Bool[Tensor, "B S"],
        prefixes: Prefixes | None = None,
    ) -> list[list[Hypothesis]]:
        return self.candidates(model, source, source_mask, prefixes)

    def require(self, source: Any, target: Any) -> None:  # noqa: B027  (most have nothing to refuse)
        """See that it fits the tokenizers of the run that translates.

        Raises:
            ConfigError: it does not.
        """

    def rerank(
        self, lines: Sequence[str], texts: Sequence[Sequence[str]], found: Sequence[Sequence[Hypothesis]]
    ) -> list[list[Hypothesis]]:
        """The ``n_best`` of each sentence with their new scores, best first; of those that say the same the first one.

        Args:
            lines: the sentences.
            texts: of each, what the candidates say.
            found: the candidates.
        """
        kept = []
        for said, several, scores in zip(texts, found, self.scores(lines, texts, found), strict=True):
            different = {text: place for place, text in reversed(list(enumerate(said)))}
            order = sorted(different.values(), key=lambda place: (-scores[place], place))
            kept.append([several[place]._replace(score=float(scores[place])) for place in order[: self.n_best]])
        return kept

    @abstractmethod
    def scores(
        self, lines: Sequence[str], texts: Sequence[Sequence[str]], found: Sequence[Sequence[Hypothesis]]
    ) -> Sequence[Sequence[float]]:
        """What to choose by, of each candidate of each sentence; more is better."""
