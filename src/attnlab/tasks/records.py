"""What testing keeps of a sentence."""

from typing import Any, NamedTuple

import numpy as np


class Record(NamedTuple):
    source: str
    reference: str
    hypothesis: str
    score: float  #: what the search ranked by
    source_tokens: list[str]
    hypothesis_tokens: list[str]
    weights: np.ndarray[Any, Any] | None  #: [len(hypothesis_tokens) (+1 for the end of sentence), S]
