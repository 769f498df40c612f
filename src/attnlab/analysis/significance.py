"""sacreBLEU's paired tests of two outputs (Koehn 2004; Riezler and Maxwell 2005), run by sacreBLEU itself.

They ask whether two *outputs* differ beyond the choice of test sentences. They know nothing of training: two
seeds of one configuration are two outputs, which may differ significantly, and rightly so.

The paired bootstrap as sacreBLEU (and Moses before it) computes it counts one tail: systems that are equal come
out at p < 0.05 in nearly one case of ten, as benchmarks/calibration.py measures. Approximate randomisation keeps its
level, and verdicts here rest on it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from attnlab.analysis.runs import Run
from attnlab.environment import variable
from attnlab.metrics.quantity import Test
from attnlab.metrics.text_scores import TextScore
from attnlab.private.sacrebleu import CachingMetric

SEED = "SACREBLEU_SEED"  # where sacreBLEU looks for the seed of its draws


class Outcome(NamedTuple):
    """What a test says of a system and a baseline."""

    score: float
    baseline_score: float
    p: float  #: two-sided


class PairedTests:
    """sacreBLEU's tests between runs on one split.

    Args:
        quantity: BLEU, chrF or TER.
        split: whose sentences are resampled.
        seed: of sacreBLEU's draws; its command line takes 12345 unless SACREBLEU_SEED says otherwise.
        rows: what sacreBLEU counts in each sentence, of the runs for which that is known.
        draws: how many; 0 for sacreBLEU's own numbers, 1000 for the bootstrap and 10000 for randomisation.
    """

    def __init__(
        self,
        quantity: TextScore,
        split: str,
        seed: int,
        rows: Mapping[Run, np.ndarray] | None = None,
        draws: int = 0,
    ) -> None:
        self.rows, self.draws = rows or {}, draws
        self.metric, self.split, self.seed = CachingMetric(quantity.scorer), split, seed
        self.signatures: dict[Test, str] = {}
        self._outputs: dict[Run, list[str]] = {}

    def __call__(self, kind: Test, baseline: Run, systems: Sequence[Run]) -> list[Outcome]:
        """Test each system against the baseline."""
        from sacrebleu.significance import PairedTest

        references = [[item.reference for item in baseline.items(self.split)]]
        named: Any = [(str(number), self.output(run)) for number, run in enumerate((baseline, *systems))]
        metrics: Any = {"metric": self.metric}
        with variable(SEED, str(self.seed)):
            test = PairedTest(named, metrics, references, test_type=kind, n_samples=self.draws)
        signatures, results = test()
        ((name, signature),) = signatures.items()
        self.signatures[kind] = str(signature)
        own, *others = cast(list[Any], results[name])
        return [Outcome(float(other.score), float(own.score), float(other.p_value)) for other in others]

    def output(self, run: Run) -> list[str]:
        if run not in self._outputs:
            self._outputs[run] = [item.output for item in run.items(self.split)]
            if run in self.rows:
                self.metric.know(self._outputs[run], self.rows[run])
        return self._outputs[run]
