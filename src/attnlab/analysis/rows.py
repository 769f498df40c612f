"""One row a configuration: scores with their spread over seeds and sentences, and what they cost."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from attnlab.analysis.comparison import COSTS, SCORES, Chance, Estimate, Row
from attnlab.analysis.groups import Configuration
from attnlab.analysis.runs import Run
from attnlab.analysis.scoring import Scorer
from attnlab.analysis.statistics import bootstrap, interval, percentile_interval, spread
from attnlab.errors import DataError

TOLERANCE = 0.01  # of a score computed again from the lines, against metrics.json (which has float32 numbers)


class Sample:
    """One score of every run on one split, and on resamples of its sentences.

    Args:
        scorer: of the score.
        configurations: with the runs.
        split: whose sentences are resampled.
        resamples: how many.
        seed: of the draws.

    Attributes:
        sentences: how many there are.
        rows: what each sentence contributes, by run.
    """

    def __init__(
        self, scorer: Scorer, configurations: Sequence[Configuration], split: str, resamples: int, seed: int
    ) -> None:
        self.scorer, self.split = scorer, split
        self.rows: dict[Run, Float[np.ndarray, "N C"]] = {}
        for configuration in configurations:
            for run in configuration.runs:
                rows = scorer.rows(run, split)
                if rows is not None:
                    require_same_score(run, f"{split}/{scorer.name}", float(scorer.close(rows.sum(0))))
                    self.rows[run] = rows
        self.sentences = len(next(iter(self.rows.values()), ()))
        drawn = bootstrap(scorer, list(self.rows.values()), resamples, seed) if self.rows else np.zeros((resamples, 0))
        self._resampled = dict(zip(self.rows, drawn.T, strict=True))

    def values(self, configuration: Configuration) -> Float[np.ndarray, " K"]:
        """The score of each run; of those that have one."""
        name = f"{self.split}/{self.scorer.name}"
        found = [
            float(self.scorer.close(self.rows[run].sum(0))) if run in self.rows else run.metric(name)
            for run in configuration.runs
        ]
        return np.array([value for value in found if value is not None], dtype=np.float64)

    def resampled(self, configuration: Configuration) -> Float[np.ndarray, "R K"] | None:
        """The score of each run on each resample; None where a run does not say what its sentences contribute."""
        if any(run not in self.rows for run in configuration.runs):
            return None
        return np.stack([self._resampled[run] for run in configuration.runs], axis=1)

    def estimate(self, configuration: Configuration, level: float) -> Estimate | None:
        """The mean over the seeds and the interval around it; None where no run has the score."""
        values, resampled = self.values(configuration), self.resampled(configuration)
        if not len(values):
            return None
        mean = float(values.mean())
        if len(values) > 1:
            known = spread([values], [1.0], None if resampled is None else [resampled], self.sentences)
            low, high = interval(mean, known, level)
            over: Chance = "seeds" if resampled is None else "seeds and sentences"
            return Estimate(mean, float(values.std(ddof=1)), low, high, tuple(values.tolist()), over)
        if resampled is None:
            return Estimate(mean, None, None, None, tuple(values.tolist()), "")
        low, high = percentile_interval(resampled[:, 0], level)
        return Estimate(mean, None, low, high, tuple(values.tolist()), "sentences")


def consistent(run: Run) -> None:
    """Refuse a run whose translations do not have the scores that it reports.

    Raises:
        DataError: with the file and both scores.
    """
    for name in SCORES:
        scorer = Scorer(name, run.bleu_signature, recount=name == "bleu")
        for split in run.splits:
            rows = scorer.rows(run, split)
            if rows is not None:
                require_same_score(run, f"{split}/{name}", float(scorer.close(rows.sum(0))))


def require_same_score(run: Run, name: str, again: float) -> None:
    """Refuse translations that do not have the score that the run reports.

    Raises:
        DataError: with both scores.
    """
    reported = run.metric(name)
    if reported is not None and not abs(again - reported) <= TOLERANCE * max(1.0, abs(reported) / 100):
        raise DataError(
            f"{run.folder}: metrics.json says {name} = {reported:.4f}, but its {name.partition('/')[0]}.jsonl gives "
            f"{again:.4f}; were files exchanged, or does this sacreBLEU score otherwise than {run.bleu_signature}?"
        )


def make_rows(
    configurations: Sequence[Configuration], split: str, level: float, sample: Callable[[str, str], Sample]
) -> tuple[Row, ...]:
    """A row a configuration.

    Args:
        configurations: in the order of the rows.
        split: whose scores are shown.
        level: intervals cover 1 - level.
        sample: from the name of a score and a split to its sample.
    """
    samples = {name: sample(name, split) for name in SCORES}
    return tuple(
        Row(
            configuration=configuration.name,
            split=split,
            seeds=len(configuration.runs),
            scores=_known({name: samples[name].estimate(configuration, level) for name in SCORES}),
            costs=_known({key: cost(configuration, key.replace("<split>", split)) for key in COSTS}, tuple(COSTS)),
        )
        for configuration in configurations
    )


def cost(configuration: Configuration, key: str) -> Estimate | None:
    """A number of ``metrics.json`` over the seeds."""
    found = [value for run in configuration.runs if (value := run.metric(key)) is not None]
    if not found:
        return None
    std = float(np.std(found, ddof=1)) if len(found) > 1 else None
    return Estimate(float(np.mean(found)), std, None, None, tuple(found), "")


def _known(found: Mapping[str, Estimate | None], keys: Sequence[str] = tuple(SCORES)) -> dict[str, Estimate]:
    return {key: value for key in keys if (value := found[key]) is not None}
