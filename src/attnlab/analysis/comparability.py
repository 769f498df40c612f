"""What must be the same before two runs can be compared, and what a reader should know that is not."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from attnlab.analysis.groups import Configuration
from attnlab.analysis.outliers import outlying
from attnlab.analysis.rows import Measurements
from attnlab.analysis.runs import Run
from attnlab.errors import DataError
from attnlab.metrics.quantity import Quantity

SHOWN = 60  # characters of a sentence in a message


def common_splits(runs: Sequence[Run], wanted: str) -> tuple[str, ...]:
    """The splits that all runs were tested on, the wanted one first.

    Raises:
        DataError: a run was not tested on the wanted one.
    """
    for run in runs:
        if wanted not in run.splits:
            raise DataError(
                f"split={wanted}: {run.folder} was not tested on it, but on {', '.join(run.splits)}; "
                "choose a split that all runs have, or other runs"
            )
    rest = [split for split in runs[0].splits if split != wanted and all(split in run.splits for run in runs)]
    return (wanted, *rest)


def require_comparable(runs: Sequence[Run], split: str) -> None:
    """Refuse runs whose numbers do not measure the same thing.

    Raises:
        DataError: what is not the same, in which runs.
    """
    first = runs[0]
    for run in runs[1:]:
        if run.contents.task != first.contents.task:
            raise DataError(
                f"not comparable: the task of {first.folder} is {first.contents.task}, that of {run.folder} "
                f"{run.contents.task}"
            )
        for name, ours in first.contents.signatures.items():
            theirs = run.contents.signatures.get(name, ours)
            if theirs != ours:
                raise DataError(
                    f"not comparable: {name} of {first.folder} was counted as {ours}, that of {run.folder} as "
                    f"{theirs}; score one of them again (python evaluate.py)"
                )
        difference = text_difference(first, run, split)
        if difference:
            raise DataError(f"not comparable: {difference}")


def text_difference(a: Run, b: Run, split: str) -> str:
    """The first difference between the sentences that two runs were tested on; empty where there is none."""
    ours, theirs = a.items(split), b.items(split)
    keys = a.contents.record
    if len(ours) != len(theirs):
        return (
            f"other test set: {split} has {len(ours)} {a.contents.words.items} in {a.folder} and {len(theirs)} in "
            f"{b.folder}" + _data_hint(a, b)
        )
    for number, (x, y) in enumerate(zip(ours, theirs, strict=True), 1):
        for role in ("input", "reference"):
            left, right = getattr(x, role), getattr(y, role)
            if left != right:
                what = "other references" if role == "reference" else "other test set"
                return (
                    f"{what}: line {number} of {split} has the {keys.get(role, role)} {left[:SHOWN]!r} in {a.folder} "
                    f"and {right[:SHOWN]!r} in {b.folder}" + _data_hint(a, b)
                )
    return ""


def _data_hint(a: Run, b: Run) -> str:
    """The keys of the data's configuration that differ, as the likely reason."""
    ours, theirs = (found if isinstance(found := run.config.get("dataset"), dict) else {} for run in (a, b))
    keys = [key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)]
    shown = (f"dataset.{key}={ours.get(key)} and {theirs.get(key)}" for key in keys)
    return f" ({', '.join(shown)})" if keys else ""


def cautions(configurations: Sequence[Configuration], measurements: Measurements) -> Iterator[str]:
    """Unequal conditions under which the scores still compare, but other columns may not."""
    runs = [run for configuration in configurations for run in configuration.runs]
    for package in ("version/torch", "version/attnlab"):
        if found := _several(runs, lambda run, package=package: run.metrics.get(package)):  # type: ignore[misc]
            yield f"The runs differ in {package} ({found})."
    if found := _several(runs, lambda run: run.labels.get("tokenizer")):
        yield f"Perplexity counts tokens, and the tokenizers differ ({found}): do not compare perplexities."
    yield from outliers(configurations, measurements.quantity, measurements.split)
    yield from untested(configurations)


def outliers(configurations: Sequence[Configuration], quantity: Quantity, split: str) -> Iterator[str]:
    """Seeds that stand apart: a mean with a failed run in it, and the interval around it, say little."""
    name, digits = quantity.key(split), quantity.digits
    for configuration in configurations:
        known = [(run, value) for run in configuration.runs if (value := run.metric(name)) is not None]
        values = [value for _, value in known]
        places = outlying(quantity.to_scale(np.array(values)).tolist())
        if places:
            told = ", ".join(f"seed {known[place][0].seed} with {values[place]:.{digits}f}" for place in places)
            rest = [value for place, value in enumerate(values) if place not in places]
            least, most = min(rest), max(rest)
            yield (
                f"Outlying seeds of {configuration.name}, {name}: {told}; the others have {least:.{digits}f} to "
                f"{most:.{digits}f} (Rosner's test, 5%). Did a training fail? Where one in ten does, a 95% interval of "
                "the mean misses in 13 to 29% of cases."
            )


def untested(configurations: Sequence[Configuration]) -> Iterator[str]:
    """What one seed, and two, cannot show."""
    items = configurations[0].runs[0].contents.words.items
    single = [configuration.name for configuration in configurations if len(configuration.runs) == 1]
    if single:
        yield (
            f"One seed only: {', '.join(single)}. A test on {items} tells whether these outputs differ; whether the "
            "configurations do, or another seed would have turned it round, cannot be concluded. Train more seeds "
            "(seed=1,2,3)."
        )
    double = [configuration.name for configuration in configurations if len(configuration.runs) == 2]
    if double:
        yield (
            f"Two seeds only: {', '.join(double)}. A test over two seeds has one degree of freedom, and keeps its "
            "level only by finding next to nothing (13 standard errors at 5%). Train three or more of each."
        )


def _several(runs: Sequence[Run], value: Callable[[Run], object]) -> str:
    found = dict.fromkeys(str(value(run)) for run in runs)
    return ", ".join(found) if len(found) > 1 else ""
