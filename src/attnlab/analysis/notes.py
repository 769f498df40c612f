"""What a reader of a comparison must know: what was left out, what could not be measured or tested."""

from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

from attnlab.analysis.finding import Found
from attnlab.analysis.folds import fold_of
from attnlab.analysis.groups import Configuration
from attnlab.analysis.pairs import PairTester
from attnlab.analysis.rows import Measurements
from attnlab.analysis.runs import Run
from attnlab.analysis.significance import PairedTests
from attnlab.metrics.quantity import Counted, Test


def notes(found: Found, repeated: Sequence[str], asked: Iterable[str], tester: PairTester) -> list[str]:
    """What was left out, and why."""
    lines = [f"Left out: {line}." for line in (*found.unfinished, *repeated)]
    lines += [f"Left out of a run: {line}." for run in found.runs for line in run.damaged.values()]
    lines += cross_validation(found.runs)
    missing = {name: package for run in found.runs for name, package in run.contents.missing.items()}
    items = found.runs[0].contents.words.items
    lines += [
        f"Nobody here can count {name}: it is a quantity of {package}, which is not installed. What its runs tell of "
        f"it is shown; without that package there are no intervals over {items} and no tests of outputs."
        for name, package in missing.items()
    ]
    quantity = tester.measurements.quantity
    wanted = [kind for kind in get_args(Test) if kind in set(asked)]
    if wanted and tester.sentence_tests is None:
        there = ", ".join(quantity.tests) if isinstance(quantity, Counted) and tester.measurements.rows else ""
        lines.append(
            f"{' and '.join(wanted)}: no such test of {quantity.title}; tests={there} would be one."
            if there
            else f"There is no paired test of outputs for {quantity.title} here; it is tested over seeds."
        )
    if "bs" in tester.kinds and isinstance(tester.sentence_tests, PairedTests):
        lines.append(
            "sacreBLEU's paired bootstrap counts one tail: equal systems have p < 0.05 in one case of ten. "
            "Verdicts on single outputs rest on approximate randomisation where it was run."
        )
    return lines


def cross_validation(runs: Sequence[Run]) -> Iterator[str]:
    """What numbers of folds are, or that they are of one fold only."""
    folds = max(len(run.parts) for run in runs)
    if folds > 1:
        items = runs[0].contents.words.items
        yield (
            f"Cross-validation: a run is {folds} trainings, each tested on the fold that it was trained without. "
            f"Scores are of the {items} of all folds together; training time is their sum, peak memory the largest, "
            "other costs are means. The draw of the folds is one: intervals cover no other (dataset.split_seed)."
        )
    elif (alone := fold_of(runs[0])) is not None:
        yield f"One fold only: all runs tested fold {alone[0]} of {alone[1]}; dataset.fold=0,1,… tests the others, too."


def unmeasured(configurations: Sequence[Configuration], measurements: Measurements) -> Iterator[str]:
    """Runs that lack what is tested, in whole configurations or in some."""
    what = f"{measurements.quantity.title} on {measurements.split}"
    for item in configurations:
        without = [run for run in item.runs if not measurements.has(run)]
        if len(without) == len(item.runs):
            yield f"{item.name} has no {what}: it is in no test."
        elif without:
            yield f"{item.name} has no {what} of {', '.join(run.name for run in without)}: tests are of its other runs."
