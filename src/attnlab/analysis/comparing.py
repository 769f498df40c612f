"""From finished runs to a comparison of their configurations."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple, get_args

from attnlab.analysis.breakdown import by_frequency, by_length
from attnlab.analysis.comparability import cautions, common_splits, require_comparable
from attnlab.analysis.comparison import Comparison, Estimate, Row
from attnlab.analysis.conditions import unequal
from attnlab.analysis.confusions import confusions
from attnlab.analysis.contrasts import contrast, worth_showing
from attnlab.analysis.diebold_mariano import overlap_of
from attnlab.analysis.exchange import ExchangeTests
from attnlab.analysis.finding import Found
from attnlab.analysis.folds import unite
from attnlab.analysis.groups import Configuration, group
from attnlab.analysis.notes import notes, unmeasured
from attnlab.analysis.pairs import PairTester
from attnlab.analysis.published import published
from attnlab.analysis.rows import Measurements, consistent, make_rows
from attnlab.analysis.runs import Run
from attnlab.analysis.significance import PairedTests
from attnlab.analysis.vocabulary import Vocabulary, chosen, scores_and_costs
from attnlab.errors import ConfigError, DataError
from attnlab.metrics.quantity import Counted, Quantity, Test
from attnlab.metrics.text_scores import TextScore
from attnlab.runs.ending import ending

PLAIN = "none"  # the attention that the others are tested against, unless told otherwise
CHECKED = "check"  # ends the name of a test split that is a part of the training data


class Settings(NamedTuple):
    """What is asked of a comparison.

    Attributes:
        metric: what the tests are about, the name of a quantity that the runs have; None for their first one.
        split: whose sentences.
        baseline: a configuration's name, or the words that only its name has; None for the one without attention,
            else the first, of those that have the metric.
        tests: which of ``bs``, ``ar``, ``mcnemar``, ``dm`` and ``seeds``; of outputs, those that the quantity allows.
        all_pairs: test all pairs, too, and not only against the baseline.
        level: of significance.
        resamples: of the bootstrap over sentences.
        seed: of all draws, those of sacreBLEU included.
        columns: the quantities that tables show, in this order; None for all that are usual. Files of numbers have all.
    """

    metric: str | None = None
    split: str = "test"
    baseline: str | None = None
    tests: tuple[str, ...] = (*get_args(Test), "seeds")
    all_pairs: bool = True
    level: float = 0.05
    resamples: int = 1000
    seed: int = 12345
    columns: tuple[str, ...] | None = None


def compare(found: Found, settings: Settings, command: str, tell: Callable[[str], None] = lambda _: None) -> Comparison:
    """Compare the configurations of the runs found.

    Args:
        found: the runs.
        settings: what to test.
        command: gives this comparison again; it is shown with it.
        tell: is told what is being done.

    Raises:
        ConfigError: a setting means nothing here.
        DataError: the runs cannot be compared, and what differs.
    """
    require_sensible(settings)
    found = usable(found)
    united = unite(found.runs)
    found = found._replace(runs=united.runs, unfinished=(*found.unfinished, *united.left_out))
    splits = common_splits(found.runs, settings.split)
    for split in splits:
        require_comparable(found.runs, split)
    grouping = group(found.runs)
    configurations = grouping.configurations
    vocabulary = scores_and_costs(found.runs)
    quantity = chosen(settings.metric, {**vocabulary.scores, **vocabulary.costs})
    measure = measurer(vocabulary, quantity, configurations, settings)
    vocabulary.require(settings.columns)
    scores, costs = vocabulary.shown(quantity, settings.columns), vocabulary.shown_costs(settings.columns)
    own = measure(quantity.id, settings.split)
    baseline = choose(settings.baseline, configurations, own)
    rows = {}
    for split in splits:
        tell(f"scores of {split}")
        made = make_rows(configurations, split, settings.level, scores, costs, measure)
        rows[split] = ranked(made, quantity)
    require_measured(rows[settings.split], quantity)
    order = [row.configuration for row in rows[settings.split]]
    best_first = sorted(configurations, key=lambda item: order.index(item.name))
    others = [item for item in best_first if item is not baseline]
    tester = make_tester(own, settings)
    tell("significance")
    against = tester.against(baseline, others)
    pairs = tester.all_pairs(best_first) if settings.all_pairs else ()
    tell("breakdowns")
    first = next(iter(vocabulary.scores.values()))
    confused = tuple(confusions(configurations, settings.split))
    tested = [split for split in splits if not split.endswith(CHECKED)] or [settings.split]
    shown = (contrast(tester.measurements, a, b) for a, b in worth_showing(best_first, baseline, settings.split))
    sentence_tests = tester.sentence_tests
    return Comparison(
        command=command,
        folder=found.folder,
        split=settings.split,
        splits=splits,
        quantities={name: vocabulary.all[name] for name in scores},
        costs={cost.key(): cost for cost in costs},
        metric=quantity.id,
        baseline=baseline.name,
        level=settings.level,
        configurations=configurations,
        differences=grouping.in_short,
        rows=rows,
        against_baseline=against,
        all_pairs=pairs,
        by_length=by_length(configurations, tested, first),
        by_frequency=by_frequency(configurations, settings.split, first),
        contrasts=tuple(item for item in shown if item is not None),
        signatures=signatures(found.runs[0], quantity, sentence_tests),
        unequal=tuple(unequal(grouping)),
        columns=settings.columns,
        notes=tuple(
            chain(
                notes(found, grouping.repeated, settings.tests, tester),
                unmeasured(configurations, own),
                cautions(configurations, own),
            )
        ),
        confusions=confused,
        published=published({item.name: item.runs[0] for item in configurations}),
        factor=grouping.factor,
    )


def require_sensible(settings: Settings) -> None:
    """Refuse numbers that cannot be.

    Raises:
        ConfigError: which, and what is expected.
    """
    if not 0 < settings.level < 1:
        raise ConfigError(f"level={settings.level}: expected a probability between 0 and 1, such as 0.05")
    if settings.resamples < 100:
        raise ConfigError(f"resamples={settings.resamples}: expected 100 or more; 1000 is usual")
    if settings.seed < 1:
        raise ConfigError(f"seed={settings.seed}: expected 1 or more; sacreBLEU takes 0 for no seed")


def usable(found: Found) -> Found:
    """Without the runs whose files contradict each other, and without trials among runs proper.

    Raises:
        DataError: none is left.
    """
    runs, left_out = [], []
    for run in found.runs:
        try:
            consistent(run)
            runs.append(run)
        except DataError as error:
            left_out.append(str(error))
    endings = {run.folder: ending(run.folder) for run in runs}
    if len({bool(found.trial) for found in endings.values()}) > 1:
        left_out += [f"{folder} {found.told}" for folder, found in endings.items() if found.trial]
        runs = [run for run in runs if not endings[run.folder].trial]
    if not runs:
        raise DataError("no run is left to compare:" + "".join(f"\n  {line}" for line in left_out))
    return found._replace(runs=tuple(runs), unfinished=(*found.unfinished, *left_out))


def measurer(
    vocabulary: Vocabulary, tested: Quantity, configurations: Sequence[Configuration], settings: Settings
) -> Callable[[str, str], Measurements]:
    """From the name of a quantity and a split to its measurements, made once."""

    @cache
    def measure(name: str, split: str) -> Measurements:
        quantity = vocabulary.all[name]
        # Counting TER again takes half a minute a run: only where it is what the comparison is about.
        recount = quantity is tested or not (isinstance(quantity, Counted) and quantity.costly)
        return Measurements(quantity, configurations, split, settings.resamples, settings.seed, recount)

    return measure


def make_tester(measurements: Measurements, settings: Settings) -> PairTester:
    """The tests asked for, of those that there are for the quantity."""
    quantity = measurements.quantity
    tests: PairedTests | ExchangeTests | None = None
    kinds: tuple[Test, ...] = ()
    if isinstance(quantity, Counted) and measurements.rows:
        kinds = tuple(kind for kind in get_args(Test) if kind in settings.tests and kind in quantity.tests)
        if isinstance(quantity, TextScore):
            tests = PairedTests(quantity, settings.split, settings.seed, measurements.rows)
        else:
            items = next(iter(measurements.rows)).items(settings.split) if "dm" in kinds else ()
            overlap = overlap_of([item.record for item in items])
            tests = ExchangeTests(quantity, measurements.rows, settings.seed, overlap)
    return PairTester(measurements, tests if kinds else None, kinds, "seeds" in settings.tests, settings.level)


def choose(name: str | None, configurations: Sequence[Configuration], measurements: Measurements) -> Configuration:
    """The baseline.

    Raises:
        ConfigError: no configuration is meant, or several, or one without the quantity that is tested.
    """
    measured = [item for item in configurations if any(map(measurements.has, item.runs))]
    if name is None:
        plain = [item for item in measured if item.labels.get("attention") == PLAIN]
        return (plain or measured or list(configurations))[0]
    exact = [item for item in configurations if item.name == name]
    words = set(name.split())
    matches = exact or [item for item in configurations if words <= set(item.name.split())]
    if len(matches) != 1:
        names = ", ".join(repr(item.name) for item in (matches or configurations))
        what = "several configurations are meant" if matches else "there is no such configuration"
        raise ConfigError(f"baseline={name}: {what}; choose one of {names}")
    if measured and matches[0] not in measured:
        names = ", ".join(repr(item.name) for item in measured)
        raise ConfigError(
            f"baseline={name}: it has no {measurements.quantity.title} on {measurements.split}, so nothing can be held "
            f"against it; choose one of {names}, or another metric"
        )
    return matches[0]


def ranked(rows: tuple[Row, ...], quantity: Quantity) -> tuple[Row, ...]:
    """Best mean first, rows without the score last."""

    def key(row: Row) -> float:
        found: Estimate | None = row.scores.get(quantity.id)
        return float("inf") if found is None else -quantity.sign * found.mean

    return tuple(sorted(rows, key=key))


def require_measured(rows: tuple[Row, ...], quantity: Quantity) -> None:
    """Refuse to compare by what is not there.

    Raises:
        ConfigError: no row has the score.
    """
    if not any(quantity.id in row.scores for row in rows):
        there = ", ".join(dict.fromkeys(name for row in rows for name in row.scores))
        raise ConfigError(f"metric={quantity.id}: no run has it on {rows[0].split}; there is {there}")


def signatures(run: Run, quantity: Quantity, tests: PairedTests | ExchangeTests | None) -> dict[str, str]:
    """How scores were counted, and how the tests drew."""
    kinds: Mapping[str, str] = {} if tests is None else tests.signatures  # type: ignore[assignment]
    return {**run.contents.signatures} | {f"{quantity.id} {kind}": signature for kind, signature in kinds.items()}
