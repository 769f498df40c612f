"""One row a configuration: scores with their spread over seeds and sentences, and what they cost."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from attnlab.analysis.comparison import Chance, Estimate, Row
from attnlab.analysis.groups import Configuration
from attnlab.analysis.runs import Run
from attnlab.analysis.statistics import bootstrap, interval, percentile_interval, spread, within
from attnlab.errors import DataError
from attnlab.metrics.quantity import Counted, Quantity

TOLERANCE = 0.01  # of a score computed again from the lines, against metrics.json (which has float32 numbers)


class Measurements:
    """One quantity of every run on one split, and on resamples of its items, all on the quantity's scale.

    Args:
        quantity: as the runs have counted it.
        configurations: with the runs.
        split: whose items are resampled.
        resamples: how many.
        seed: of the draws.
        recount: count again what a run did not note of its items.

    Attributes:
        words: what the task of the runs calls things.
        items: how many there are.
        rows: what each item contributes, by run; empty for a quantity that is none of items.
    """

    def __init__(
        self,
        quantity: Quantity,
        configurations: Sequence[Configuration],
        split: str,
        resamples: int,
        seed: int,
        recount: bool = True,
    ) -> None:
        self.quantity, self.split = quantity, split
        self.words = configurations[0].runs[0].contents.words
        self.rows: dict[Run, Float[np.ndarray, "N C"]] = {}
        self._resampled: dict[Run, Float[np.ndarray, " R"]] = {}
        if isinstance(quantity, Counted):
            for run in (run for configuration in configurations for run in configuration.runs):
                rows = run.rows(quantity, split, recount)
                if rows is not None:
                    require_same_score(run, quantity, split, rows)
                    if not np.isnan(quantity.score_on_scale(rows)):  # of no item: the run has none
                        self.rows[run] = rows
            if self.rows:
                drawn = bootstrap(quantity, list(self.rows.values()), resamples, seed)
                drawn = drawn[~np.isnan(drawn).any(1)]  # a rank correlation of equal items is not defined
                self._resampled = dict(zip(self.rows, drawn.T, strict=True)) if len(drawn) > 1 else {}
        self.items = len(next(iter(self.rows.values()), ()))

    def has(self, run: Run) -> bool:
        """Whether a run has the quantity."""
        return self._value(run) is not None

    def values(self, configuration: Configuration) -> Float[np.ndarray, " K"]:
        """The value of each run, on the quantity's scale; of those that have one."""
        found = [value for run in configuration.runs if (value := self._value(run)) is not None]
        return np.array(found, dtype=np.float64)

    def _value(self, run: Run) -> float | None:
        if isinstance(self.quantity, Counted) and run in self.rows:
            return self.quantity.score_on_scale(self.rows[run])
        value = run.metric(self.quantity.key(self.split))
        return None if value is None else float(self.quantity.to_scale(np.array(value)))

    def resampled(self, configuration: Configuration) -> Float[np.ndarray, "R K"] | None:
        """The score of each run on each resample; None where a run does not say what its sentences contribute."""
        if any(run not in self._resampled for run in configuration.runs):
            return None
        return np.stack([self._resampled[run] for run in configuration.runs], axis=1)

    def estimate(self, configuration: Configuration, level: float) -> Estimate | None:
        """The mean over the seeds and the interval around it; None where no run has the score.

        Both are taken on the quantity's scale and told as values: of a logarithmic one the mean is geometric.
        """
        scaled, resampled = self.values(configuration), self.resampled(configuration)
        if not len(scaled):
            return None
        values = self.quantity.from_scale(scaled)
        told = tuple(values.tolist())
        center = float(scaled.mean())
        mean = self._told(center)
        if len(values) > 1:
            known = spread([scaled], [1.0], None if resampled is None else [resampled], self.items)
            low, high = within(self.quantity, *map(self._told, interval(center, known, level)))
            over: Chance = "seeds" if resampled is None else self.words.both
            std = float(values.std(ddof=1)) if np.isfinite(values).all() else None
            return Estimate(mean, std, low, high, told, over)
        if resampled is None:
            return Estimate(mean, None, None, None, told, "")
        low, high = map(self._told, percentile_interval(resampled[:, 0], level))
        return Estimate(mean, None, low, high, told, self.words.items)

    def _told(self, value: float) -> float:
        return float(self.quantity.from_scale(np.array(value)))


def consistent(run: Run) -> None:
    """Refuse a run whose items do not have the scores that it reports.

    Raises:
        DataError: with the file and both scores.
    """
    for quantity in run.quantities.values():
        if isinstance(quantity, Counted):
            for split in run.splits:
                # To count again takes time: it is done for what checkpoints are chosen by unless told otherwise.
                rows = run.rows(quantity, split, recount=quantity.id == next(iter(run.quantities)))
                if rows is not None:
                    require_same_score(run, quantity, split, rows)


def require_same_score(run: Run, quantity: Counted, split: str, rows: Float[np.ndarray, "N C"]) -> None:
    """Refuse items that do not have the score that the run reports.

    Raises:
        DataError: with both scores.
    """
    name, again = quantity.key(split), quantity.score(rows)
    reported = run.metric(name)
    if reported is not None and not abs(again - reported) <= TOLERANCE * max(1.0, abs(reported) / 100):
        signature = quantity.signature
        raise DataError(
            f"{run.folder}: metrics.json says {name} = {reported:.4f}, but its {split}.jsonl gives {again:.4f}; were "
            f"files exchanged, or is it counted otherwise here{f' than {signature}' if signature else ''}?"
        )


def make_rows(
    configurations: Sequence[Configuration],
    split: str,
    level: float,
    scores: Iterable[str],
    costs: Iterable[Quantity],
    measure: Callable[[str, str], Measurements],
) -> tuple[Row, ...]:
    """A row a configuration.

    Args:
        configurations: in the order of the rows.
        split: whose scores are shown.
        level: intervals cover 1 - level.
        scores: their names.
        costs: what else is shown.
        measure: from the name of a score and a split to its measurements.
    """
    measured = {name: measure(name, split) for name in scores}
    return tuple(
        Row(
            configuration=configuration.name,
            split=split,
            seeds=len(configuration.runs),
            scores=_known({name: part.estimate(configuration, level) for name, part in measured.items()}),
            costs=_known({quantity.key(): cost(configuration, quantity.key(split)) for quantity in costs}),
            folds=len(configuration.runs[0].parts),
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


def _known(found: Mapping[str, Estimate | None]) -> dict[str, Estimate]:
    return {key: value for key, value in found.items() if value is not None}
