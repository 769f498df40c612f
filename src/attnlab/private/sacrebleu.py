"""sacreBLEU's insides.

* ``_extract_corpus_statistics``, ``_compute_score_from_stats``: what is counted in a sentence, and the score of a sum.
  Those of splits, resamples and processes are sums; sacreBLEU's own methods count all texts again for each.
* ``_preprocess_segment``: words as BLEU cuts them.
* Its paired tests ask a metric for the same two and for ``_aggregate_and_compute``: see :class:`CachingMetric`.
* The ``functools`` caches of its tokenizers: see :func:`clear_caches`.
"""

import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from sacrebleu.metrics.base import Metric


def counts(metric: "Metric", hypotheses: Sequence[str], references: Sequence[str]) -> list[list[Any]]:
    """What is counted in each sentence, which has one reference."""
    rows: list[list[Any]] = metric._extract_corpus_statistics(hypotheses, [references])
    return rows


def closed(metric: "Metric", total: Any) -> Any:
    """The score of counts that have been summed up: a list, or an array as its paired tests have it."""
    return metric._compute_score_from_stats(total)


def cut(metric: "Metric", text: str) -> list[str]:
    """The words of a text."""
    return metric._preprocess_segment(text).split()


class CachingMetric:
    """A metric for sacreBLEU's paired tests that counts an output once, however many tests it is in.

    An output whose counts are known (the lines of a run have them) is not counted at all. Counts are handed on as
    arrays of float64, in which sums of integers are exact.
    """

    def __init__(self, metric: "Metric") -> None:
        self.metric = metric
        self.counted: dict[int, tuple[Any, np.ndarray]] = {}

    def _extract_corpus_statistics(self, hypotheses: Sequence[str], references: Any) -> "np.ndarray":
        import numpy as np

        if id(hypotheses) not in self.counted:
            self.know(hypotheses, np.array(self.metric._extract_corpus_statistics(hypotheses, references), np.float64))
        return self.counted[id(hypotheses)][1]

    def know(self, hypotheses: Sequence[str], rows: "np.ndarray") -> None:
        self.counted[id(hypotheses)] = hypotheses, rows  # the list is kept, so that its id stays its own

    def _aggregate_and_compute(self, rows: Any) -> Any:
        import numpy as np

        return closed(self.metric, (rows[0] if len(rows) == 1 else np.sum(rows, axis=0)).tolist())

    def _compute_score_from_stats(self, total: Any) -> Any:
        return closed(self.metric, total)

    def get_signature(self) -> Any:
        return self.metric.get_signature()


def clear_caches() -> None:
    """Empty what its tokenizers remember: 65,536 lines and words each, half a MiB a small job."""
    cached = type(lru_cache(len))
    for name in [name for name in sys.modules if name.partition(".")[0] == "sacrebleu"]:
        for item in list(vars(sys.modules[name]).values()):
            for value in (item, *(vars(item).values() if isinstance(item, type) else ())):
                if isinstance(value, cached):
                    value.cache_clear()
