"""From finished runs to a comparison of their configurations."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from attnlab.analysis.breakdown import by_frequency, by_length
from attnlab.analysis.comparability import cautions, common_splits, require_comparable
from attnlab.analysis.comparison import SCORES, Comparison, Estimate, Row
from attnlab.analysis.contrasts import contrast, worth_showing
from attnlab.analysis.finding import Found
from attnlab.analysis.groups import Configuration, group
from attnlab.analysis.pairs import KINDS, PairTester
from attnlab.analysis.rows import Sample, consistent, make_rows
from attnlab.analysis.runs import Run
from attnlab.analysis.scoring import Scorer
from attnlab.analysis.significance import PairedTests
from attnlab.errors import ConfigError, DataError
from attnlab.metrics.scorers import SCORES as TEXT_SCORES

PLAIN = "none"  # the attention that the others are tested against, unless told otherwise
CHECKED = "check"  # ends the name of a test split that is a part of the training data


class Settings(NamedTuple):
    """What is asked of a comparison.

    Attributes:
        metric: what the tests are about, a key of ``comparison.SCORES``.
        split: whose sentences.
        baseline: a configuration's name, or the words that only its name has; None for the one without attention,
            else the first.
        tests: which of ``bs``, ``ar`` and ``seeds``.
        all_pairs: test all pairs, too, and not only against the baseline.
        level: of significance.
        resamples: of the bootstrap over sentences.
        seed: of all draws, those of sacreBLEU included.
    """

    metric: str = "bleu"
    split: str = "test"
    baseline: str | None = None
    tests: tuple[str, ...] = ("bs", "ar", "seeds")
    all_pairs: bool = True
    level: float = 0.05
    resamples: int = 1000
    seed: int = 12345


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
    splits = common_splits(found.runs, settings.split)
    for split in splits:
        require_comparable(found.runs, split)
    grouping = group(found.runs)
    configurations = grouping.configurations
    baseline = choose(settings.baseline, configurations)
    sample = sampler(configurations, settings)
    rows = {}
    for split in splits:
        tell(f"scores of {split}")
        rows[split] = ranked(make_rows(configurations, split, settings.level, sample), settings.metric)
    order = [row.configuration for row in rows[settings.split]]
    best_first = sorted(configurations, key=lambda item: order.index(item.name))
    others = [item for item in best_first if item is not baseline]
    tester = make_tester(sample(settings.metric, settings.split), settings)
    tell("significance")
    against = tester.against(baseline, others)
    pairs = tester.all_pairs(best_first) if settings.all_pairs else ()
    tell("breakdowns")
    bleu = sample("bleu", settings.split)
    tested = [split for split in splits if not split.endswith(CHECKED)] or [settings.split]
    shown = (contrast(tester.sample, a, b) for a, b in worth_showing(best_first, baseline, settings.split))
    sentence_tests = tester.sentence_tests
    return Comparison(
        command=command,
        folder=found.folder,
        split=settings.split,
        splits=splits,
        metric=settings.metric,
        baseline=baseline.name,
        level=settings.level,
        configurations=configurations,
        differences=grouping.differences,
        rows=rows,
        against_baseline=against,
        all_pairs=pairs,
        by_length=by_length(configurations, tested, bleu.scorer),
        by_frequency=by_frequency(configurations, settings.split, bleu.scorer),
        contrasts=tuple(item for item in shown if item is not None),
        signatures=signatures(found.runs[0], settings.metric, sentence_tests),
        notes=tuple(
            chain(notes(found, grouping.repeated, settings), cautions(configurations, settings.split, settings.metric))
        ),
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
    """Without the runs whose files contradict each other.

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
    if not runs:
        raise DataError("no run is left to compare:" + "".join(f"\n  {line}" for line in left_out))
    return found._replace(runs=tuple(runs), unfinished=(*found.unfinished, *left_out))


def sampler(configurations: Sequence[Configuration], settings: Settings) -> Callable[[str, str], Sample]:
    """From score and split to its sample, made once."""
    signature = configurations[0].runs[0].bleu_signature

    @cache
    def sample(name: str, split: str) -> Sample:
        # Counting TER again takes half a minute a run: only where it is what the comparison is about.
        scorer = Scorer(name, signature, recount=name != "ter" or settings.metric == "ter")
        return Sample(scorer, configurations, split, settings.resamples, settings.seed)

    return sample


def make_tester(sample: Sample, settings: Settings) -> PairTester:
    """The tests asked for, of those that there are for the score.

    Raises:
        ConfigError: no run has the score.
    """
    kinds = tuple(kind for kind in KINDS if kind in settings.tests)
    tests = None
    if kinds and settings.metric in TEXT_SCORES and sample.rows:
        tests = PairedTests(sample.scorer, settings.split, settings.seed, sample.rows)
    return PairTester(sample, tests, kinds, "seeds" in settings.tests, settings.level)


def choose(name: str | None, configurations: Sequence[Configuration]) -> Configuration:
    """The baseline.

    Raises:
        ConfigError: no configuration is meant, or several.
    """
    if name is None:
        plain = [item for item in configurations if item.labels.get("attention") == PLAIN]
        return plain[0] if plain else configurations[0]
    exact = [item for item in configurations if item.name == name]
    words = set(name.split())
    matches = exact or [item for item in configurations if words <= set(item.name.split())]
    if len(matches) != 1:
        names = ", ".join(repr(item.name) for item in (matches or configurations))
        what = "several configurations are meant" if matches else "there is no such configuration"
        raise ConfigError(f"baseline={name}: {what}; choose one of {names}")
    return matches[0]


def ranked(rows: tuple[Row, ...], metric: str) -> tuple[Row, ...]:
    """Best mean first, rows without the score last.

    Raises:
        ConfigError: no row has the score.
    """
    if not any(metric in row.scores for row in rows):
        there = ", ".join(name for name in SCORES if any(name in row.scores for row in rows))
        raise ConfigError(f"metric={metric}: no run has it on {rows[0].split}; there is {there}")
    sign = -1 if SCORES[metric].better == "higher" else 1

    def key(row: Row) -> float:
        found: Estimate | None = row.scores.get(metric)
        return float("inf") if found is None else sign * found.mean

    return tuple(sorted(rows, key=key))


def signatures(run: Run, metric: str, tests: PairedTests | None) -> dict[str, str]:
    """sacreBLEU's signatures of the scores and of the tests."""
    found = {"bleu": run.bleu_signature}
    kinds: Mapping[str, str] = {} if tests is None else tests.signatures  # type: ignore[assignment]
    return found | {f"{metric} {kind}": signature for kind, signature in kinds.items()}


def notes(found: Found, repeated: Sequence[str], settings: Settings) -> list[str]:
    """What was left out, and why."""
    lines = [f"Left out: {line}." for line in (*found.unfinished, *repeated)]
    lines += [f"Left out of a run: {line}." for run in found.runs for line in run.damaged.values()]
    if settings.metric not in TEXT_SCORES and {"bs", "ar"} & set(settings.tests):
        lines.append(f"sacreBLEU has no paired test for {SCORES[settings.metric].title}; it is tested over seeds.")
    if "bs" in settings.tests and settings.metric in TEXT_SCORES:
        lines.append(
            "sacreBLEU's paired bootstrap counts one tail: equal systems have p < 0.05 in one case of ten. "
            "Verdicts on single outputs rest on approximate randomisation where it was run."
        )
    return lines


def default_output(found: Found) -> Path:
    """Beside the runs."""
    return found.folder / "comparison"
