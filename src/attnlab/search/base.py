"""What every search offers to the rest of the laboratory."""

from typing import Protocol, runtime_checkable

from jaxtyping import Bool, Int
from torch import Tensor

from attnlab.search.prefix import Prefixes
from attnlab.types import Hypothesis, StepModel


@runtime_checkable
class Search(Protocol):
    """Turns source sentences into translations; holds options only, no state between calls.

    One whose hypotheses do not compete is an ``Independent`` (``search/independent.py``) that says how to ``choose``;
    others are a ``Policy`` of the loop that all share (``search/loop.py``).
    """

    replace_unknown: bool  #: whether the caller copies source words over unknown ones (``search/unknown.py``)

    def __call__(
        self,
        model: StepModel,
        source: Int[Tensor, "B S"],
        source_mask: Bool[Tensor, "B S"],
        prefixes: Prefixes | None = None,
    ) -> list[list[Hypothesis]]:
        """Give the hypotheses of each sentence, best first, at least one a sentence.

        Args:
            model: that tells what may come next.
            source: the sentences.
            source_mask: of their real tokens.
            prefixes: what the translation of each begins with (``search/prefix.py``); None leaves all of them free.
        """
        ...
