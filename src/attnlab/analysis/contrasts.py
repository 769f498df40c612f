"""The sentences on which two systems differ most."""

from collections.abc import Sequence

import numpy as np

from attnlab.analysis.comparison import Contrast, SentenceDifference
from attnlab.analysis.groups import Configuration
from attnlab.analysis.pairs import item_gain, matched
from attnlab.analysis.rows import Measurements
from attnlab.analysis.runs import Run
from attnlab.metrics.quantity import Counted

SHOWN = 10


def worth_showing(
    best_first: Sequence[Configuration], baseline: Configuration, split: str
) -> list[tuple[Configuration, Configuration]]:
    """Every other configuration against the baseline.

    A baseline without attention has no map to lay beside another: then the two best that have one come first.
    """
    others = [item for item in best_first if item is not baseline]
    drawing = [item for item in others if item.runs[0].kept(split)]
    pairs = [(drawing[0], drawing[1])] if len(drawing) > 1 and not baseline.runs[0].kept(split) else []
    return pairs + [(item, baseline) for item in others]


def contrast(measurements: Measurements, a: Configuration, b: Configuration, shown: int = SHOWN) -> Contrast | None:
    """The sentences with the largest differences of their own score, either way, of one run of each.

    Where a run kept the attention of some sentences only, these are the ones to choose from, so that what is
    shown can be looked at. None where a run does not say what its sentences contribute to the score.
    """
    run_a, run_b = matched(a, b)[0]
    if run_a not in measurements.rows or run_b not in measurements.rows:
        return None
    quantity = measurements.quantity
    if not isinstance(quantity, Counted):
        return None
    scores = [quantity.item_scores(measurements.rows[run]) for run in (run_a, run_b)]
    gain = item_gain(quantity, *scores)
    candidates = visible(run_a, run_b, measurements.split, len(gain))
    ranked = candidates[np.argsort(-gain[candidates], kind="stable")]
    better = [number for number in ranked[:shown].tolist() if gain[number] > 0]
    worse = [number for number in ranked[::-1][:shown].tolist() if gain[number] < 0]

    def look(number: int) -> SentenceDifference:
        ours, theirs = (run.items(measurements.split)[number] for run in (run_a, run_b))
        texts = ours.input, ours.reference, ours.output, theirs.output
        return SentenceDifference(number, *texts, float(scores[0][number]), float(scores[1][number]))

    return Contrast(a.name, b.name, run_a, run_b, tuple(map(look, better)), tuple(map(look, worse)))


def visible(run_a: Run, run_b: Run, split: str, sentences: int) -> "np.ndarray":
    """The sentences whose attention both runs kept; a run that draws none does not count."""
    numbers = set(range(sentences))
    for run in (run_a, run_b):
        kept = run.kept(split)
        if kept is not None:
            numbers &= kept
    return np.array(sorted(numbers) or range(sentences))
