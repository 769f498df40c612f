"""Which differences are real: every pair of configurations that is asked for, tested in three ways."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from attnlab.analysis.comparison import Chance, Pair, SeedTest, SentenceTest
from attnlab.analysis.exchange import ExchangeTests
from attnlab.analysis.groups import Configuration
from attnlab.analysis.rows import Measurements
from attnlab.analysis.runs import Run
from attnlab.analysis.significance import Outcome, PairedTests
from attnlab.analysis.statistics import (
    Spread,
    difference_within,
    hedges_g,
    holm,
    interval,
    percentile_interval,
    spread,
    two_sided,
)
from attnlab.analysis.verdicts import verdict
from attnlab.metrics.quantity import Counted, Quantity, Test

Names = tuple[Configuration, Configuration]


def p_of(found: Outcome, least: float) -> float:
    """What a test over outputs says, at least ``least``; 1 of two that score the same.

    sacreBLEU counts the shuffles that differ by more, so two outputs that are both worth nothing have p = 1/10001.
    """
    return 1.0 if found.score == found.baseline_score else max(found.p, least)


class PairTester(NamedTuple):
    """What it takes to test pairs on one split with one score.

    Attributes:
        measurements: of the score on the split.
        sentence_tests: of two outputs; None where they are not asked for, or do not exist for the score.
        kinds: which of them.
        over_seeds: whether seeds are tested too.
        level: of significance.
    """

    measurements: Measurements
    sentence_tests: PairedTests | ExchangeTests | None
    kinds: tuple[Test, ...]
    over_seeds: bool
    level: float

    def against(self, baseline: Configuration, others: Sequence[Configuration]) -> tuple[Pair, ...]:
        """Every other configuration against the baseline; of those that have the score."""
        return self.family([(other, baseline) for other in others])

    def all_pairs(self, ranked: Sequence[Configuration]) -> tuple[Pair, ...]:
        """Every pair of those that have the score, the better ranked one first."""
        return self.family(list(combinations(ranked, 2)))

    def family(self, pairs: Sequence[Names]) -> tuple[Pair, ...]:
        """Test pairs together: their p-values are corrected for their number (Holm 1979)."""
        found = [(self.measured(a), self.measured(b)) for a, b in pairs]
        pairs = [same_runs(a, b) for a, b in found if a.runs and b.runs]
        seeds = [self.seed_test(a, b) for a, b in pairs]
        corrected = iter(holm([test.p for test in seeds if test]))
        seeds = [test._replace(p_holm=next(corrected)) if test else None for test in seeds]
        sentences = [tuple(self.tests_of_runs(a, b)) for a, b in pairs]
        sentences = corrected_by_place(sentences)
        tested = zip(pairs, seeds, sentences, strict=True)
        return tuple(self.pair(a, b, over, tests) for (a, b), over, tests in tested)

    def measured(self, configuration: Configuration) -> Configuration:
        """With those of its runs that have the score."""
        return Configuration(configuration.name, tuple(filter(self.measurements.has, configuration.runs)))

    def seed_test(self, a: Configuration, b: Configuration) -> SeedTest | None:
        """Test means over seeds and sentences; None where a configuration has one seed."""
        known = self.spread(a, b) if self.over_seeds else None
        if known is None:
            return None
        t, p = two_sided(float(self.measurements.values(a).mean() - self.measurements.values(b).mean()), known)
        return SeedTest(known.standard_error, known.df, t, p, p)

    def spread(self, a: Configuration, b: Configuration) -> Spread | None:
        """What the difference of the means is known to; None where a configuration has one seed."""
        values = [self.measurements.values(a), self.measurements.values(b)]
        if min(map(len, values)) < 2:
            return None
        drawn = [part for part in (self.measurements.resampled(a), self.measurements.resampled(b)) if part is not None]
        return spread(values, [1.0, -1.0], drawn if len(drawn) == 2 else None, self.measurements.items)

    def tests_of_runs(self, a: Configuration, b: Configuration) -> Iterator[SentenceTest]:
        """The tests of the outputs of a run of a and a run of b, seed by seed."""
        if self.sentence_tests is None:
            return
        for run_a, run_b in matched(a, b):
            if run_a not in self.measurements.rows or run_b not in self.measurements.rows:
                continue
            for kind in self.kinds:
                (found,) = self.sentence_tests(kind, run_b, [run_a])
                changed, least = self.least(run_a, run_b)
                least = 0.0 if kind == "dm" else least  # it asks how large differences are, not how many
                p = p_of(found, least)
                theirs = found.p if isinstance(self.sentence_tests, PairedTests) else None
                yield SentenceTest(kind, run_a, run_b, found.score, found.baseline_score, p, p, theirs, changed, least)

    def least(self, run_a: Run, run_b: Run) -> tuple[int, float]:
        """Sentences that count differently in two runs, and the least p that so many allow.

        sacreBLEU counts shuffles that differ by more, not those that differ as much: outputs that score the same have
        p = 1/10001, and so have two that differ in one sentence. With m such sentences there are 2^m shuffles, of
        which two at least differ as much: p is 2^(1 - m) at least.
        """
        changed = int((self.measurements.rows[run_a] != self.measurements.rows[run_b]).any(1).sum())
        return changed, min(1.0, 2.0 ** (1 - changed))

    def pair(
        self, a: Configuration, b: Configuration, over_seeds: SeedTest | None, tests: tuple[SentenceTest, ...]
    ) -> Pair:
        x, y = self.measurements.values(a), self.measurements.values(b)
        difference = float(x.mean() - y.mean())
        low, high = self.interval(a, b, difference)
        wins, losses = self.wins(a, b)
        bare = Pair(
            a=a.name,
            b=b.name,
            runs_a=a.runs,
            runs_b=b.runs,
            difference=difference,
            low=low,
            high=high,
            over=self.over(a, b),
            effect=hedges_g(x, y) if min(len(x), len(y)) > 1 else None,
            wins=wins,
            losses=losses,
            seeds=over_seeds,
            sentences=tests,
            verdict="",
        )
        return bare._replace(verdict=verdict(bare, self.measurements.quantity, self.level))

    def over(self, a: Configuration, b: Configuration) -> Chance:
        """What a test of the two, and the interval, account for."""
        words = self.measurements.words
        if min(len(a.runs), len(b.runs)) < 2:
            return words.items
        drawn = (self.measurements.resampled(a), self.measurements.resampled(b))
        return "seeds" if any(part is None for part in drawn) else words.both

    def interval(self, a: Configuration, b: Configuration, difference: float) -> tuple[float, float]:
        """Around the difference: over seeds and sentences where there are seeds, else over sentences."""
        known = self.spread(a, b)
        if known is not None:
            return difference_within(self.measurements.quantity, *interval(difference, known, self.level))
        drawn_a, drawn_b = self.measurements.resampled(a), self.measurements.resampled(b)
        if drawn_a is None or drawn_b is None:
            return float("nan"), float("nan")
        return percentile_interval(drawn_a.mean(1) - drawn_b.mean(1), self.level)

    def wins(self, a: Configuration, b: Configuration) -> tuple[float, float]:
        """Shares of the sentences on which a, and b, has the better mean over its seeds."""
        quantity, rows = self.measurements.quantity, self.measurements.rows
        if not isinstance(quantity, Counted) or any(run not in rows for run in (*a.runs, *b.runs)):
            return float("nan"), float("nan")
        x, y = (np.mean([quantity.item_scores(rows[run]) for run in item.runs], axis=0) for item in (a, b))
        gain = item_gain(quantity, x, y)
        if np.isnan(gain).all():
            return float("nan"), float("nan")
        return float((gain > 0).mean()), float((gain < 0).mean())


def item_gain(quantity: Quantity, a: Float[np.ndarray, " N"], b: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """By how much each item is better in a than in b; sums in another order are no gain, nor are two infinities."""
    with np.errstate(invalid="ignore"):
        gain = np.where(np.isinf(a) & (a == b), 0.0, np.round(a - b, 9))
    return quantity.sign * gain


def same_runs(a: Configuration, b: Configuration) -> Names:
    """The runs that everything about a pair is taken from: all, or, where one has a single seed, a matched pair.

    One run cannot be tested over seeds; what is tested are two outputs, and a difference of means over other runs
    beside their p would speak of something else.
    """
    if min(len(a.runs), len(b.runs)) > 1 or len(a.runs) == len(b.runs):
        return a, b
    run_a, run_b = matched(a, b)[0]
    return Configuration(a.name, (run_a,)), Configuration(b.name, (run_b,))


def matched(a: Configuration, b: Configuration) -> list[tuple[Run, Run]]:
    """Runs of the same seed; where no seed is the same, the first with the first, and so on."""
    by_seed = {run.seed: run for run in b.runs}
    same = [(run, by_seed[run.seed]) for run in a.runs if run.seed in by_seed]
    return same or list(zip(a.runs, b.runs, strict=False))


def corrected_by_place(tests: Sequence[tuple[SentenceTest, ...]]) -> list[tuple[SentenceTest, ...]]:
    """Correct for the pairs tested at once: the first runs of all pairs are a family, the second ones, ….

    One experiment with one seed would have been such a family.
    """
    places: dict[tuple[int, Test], list[tuple[int, int]]] = {}
    for pair, found in enumerate(tests):
        seen: dict[Test, int] = {}
        for place, test in enumerate(found):
            seen[test.test] = seen.get(test.test, -1) + 1
            places.setdefault((seen[test.test], test.test), []).append((pair, place))
    result = [list(found) for found in tests]
    for members in places.values():
        corrected = holm([tests[pair][place].p for pair, place in members])
        for (pair, place), p in zip(members, corrected, strict=True):
            result[pair][place] = result[pair][place]._replace(p_holm=p)
    return [tuple(found) for found in result]
