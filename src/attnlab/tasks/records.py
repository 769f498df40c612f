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
    counts: dict[str, list[int]] | None = None  #: what sacreBLEU counts in it, by score
    loss: float | None = None  #: of the reference, in nats, summed over its tokens, end of sentence counted
    target_tokens: int | None = None  #: how many those are
    links: list[int] | None = None  #: of forced decoding against the gold alignment: |A∩S|, |A∩P|, |A|, |S|
