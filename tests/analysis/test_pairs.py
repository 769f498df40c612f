"""What is tested against what, how p-values are corrected, and what a verdict says."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from texts import corrupted, references

from attnlab.analysis.comparing import Settings, make_tester
from attnlab.analysis.comparison import Pair, SentenceTest
from attnlab.analysis.groups import Configuration
from attnlab.analysis.pairs import PairTester, corrected_by_place, matched, p_of
from attnlab.analysis.report.tables import _outputs
from attnlab.analysis.rows import Measurements
from attnlab.analysis.runs import Run, read_run
from attnlab.analysis.significance import Outcome
from attnlab.analysis.statistics import spread, two_sided
from attnlab.analysis.verdicts import show_p
from attnlab.metrics.quantities.bleu import BLEU
from attnlab.metrics.registry import find

TARGETS = {"test": references(80)}
SHARES = {"good": (0.10, 0.11, 0.12), "fair": (0.15, 0.17, 0.16), "bad": (0.5, 0.52, 0.51)}


class Systems:
    """Three systems, three seeds each, that miss these shares of the words."""

    def __init__(self, write_run: Any, seeds: int = 3) -> None:
        self.configurations = [
            Configuration(name, tuple(self.run(write_run, name, n, share) for n, share in enumerate(shares[:seeds])))
            for name, shares in SHARES.items()
        ]

    def run(self, write_run: Any, name: str, number: int, share: float) -> Run:
        outputs = {"test": corrupted(TARGETS["test"], share, number + 10 * len(name))}
        return read_run(write_run(f"{name}{number}", name, number, outputs, TARGETS))

    def tester(self, **settings: Any) -> PairTester:
        quantity = find(settings.get("metric", "bleu"))
        assert quantity is not None
        measurements = Measurements(quantity, self.configurations, "test", 300, 1)
        return make_tester(measurements, Settings(**settings))


def test_pairs_over_seeds_and_sentences(write_run: Any) -> None:
    systems = Systems(write_run)
    good, fair, bad = systems.configurations
    tester = systems.tester(tests=("seeds",))
    first, second = tester.against(bad, [good, fair])
    assert [(pair.a, pair.b) for pair in (first, second)] == [("good", "bad"), ("fair", "bad")]
    values = [np.array([run.metric("test/bleu") for run in item.runs]) for item in (good, bad)]
    assert first.difference == pytest.approx(values[0].mean() - values[1].mean())
    drawn = [tester.measurements.resampled(item) for item in (good, bad)]
    known = spread(values, [1.0, -1.0], drawn, 80)
    assert first.seeds is not None
    assert (first.seeds.t, first.seeds.p) == pytest.approx(two_sided(first.difference, known))
    assert first.low < first.difference < first.high
    assert first.over == "seeds and sentences"
    smaller, larger = sorted([first.seeds.p, second.seeds.p])  # type: ignore[union-attr]
    found = sorted([first.seeds.p_holm, second.seeds.p_holm])  # type: ignore[union-attr]
    assert found == pytest.approx([min(2 * smaller, 1), max(2 * smaller, larger)])
    assert first.sentences == ()
    assert first.verdict.startswith(
        f"good is better than bad by {first.difference:.2f} BLEU (test over seeds and sentences, p "
    )
    assert first.wins > 0.5 > first.losses
    assert [(pair.a, pair.b) for pair in tester.all_pairs([good, fair, bad])] == [
        ("good", "fair"),
        ("good", "bad"),
        ("fair", "bad"),
    ]


def test_where_less_is_better(write_run: Any) -> None:
    systems = Systems(write_run)
    good, _, bad = systems.configurations
    (pair,) = systems.tester(tests=("seeds",), metric="ter").against(bad, [good])
    assert pair.difference < 0
    assert pair.wins > 0.5 > pair.losses
    assert pair.verdict.startswith(f"good is better than bad by {-pair.difference:.2f} TER")


def test_one_seed_says_what_it_cannot(write_run: Any) -> None:
    systems = Systems(write_run, seeds=1)
    good, fair, bad = systems.configurations
    far, near = systems.tester().against(bad, [good, fair])[0], systems.tester().against(fair, [good])[0]
    assert far.seeds is None
    assert far.effect is None
    assert far.over == "sentences"
    assert [test.test for test in far.sentences] == ["bs", "ar"]
    assert far.verdict.startswith("this output of good, seed 0, is better than that of bad, seed 0, by")
    assert "whether another seed would show the same cannot be concluded from one seed" in far.verdict
    assert near.low < 0 < near.high or near.sentences[1].p < 0.05


def test_perplexity_is_tested_over_seeds_only(write_run: Any) -> None:
    systems = Systems(write_run)
    good, _, bad = systems.configurations
    (pair,) = systems.tester(metric="ppl").against(bad, [good])
    assert pair.sentences == ()
    assert pair.difference == 0  # the same by seed in all: 2, 3 and 4
    assert pair.seeds is not None
    assert pair.seeds.p == 1
    assert pair.verdict == "no difference shown between good and bad (test over seeds, p = 1.00, 3 and 3 seeds)"
    assert np.isnan(pair.wins)


def test_runs_of_one_seed_are_matched(write_run: Any) -> None:
    runs = [read_run(write_run(f"{seed}", seed=seed)) for seed in range(5)]
    a, b = Configuration("a", tuple(runs[:3])), Configuration("b", tuple(runs[1:4]))
    assert matched(a, b) == [(runs[1], runs[1]), (runs[2], runs[2])]
    assert matched(a, Configuration("c", tuple(runs[3:]))) == [(runs[0], runs[3]), (runs[1], runs[4])]


def test_outputs_are_corrected_seed_by_seed() -> None:
    def tests(*p_values: float) -> tuple[SentenceTest, ...]:
        run: Any = None
        return tuple(SentenceTest("ar", run, run, 0.0, 0.0, p, p, p, 40, 2.0**-39) for p in p_values)

    found = corrected_by_place([tests(0.01, 0.02), tests(0.04, 0.03), tests(0.5)])
    assert [[test.p_holm for test in pair] for pair in found] == [
        pytest.approx([0.03, 0.04]),  # 3 * 0.01 of three pairs; 2 * 0.02 of two
        pytest.approx([0.08, 0.04]),
        pytest.approx([0.5]),
    ]


def test_probabilities_are_shown() -> None:
    assert [show_p(p) for p in (0.5, 0.0123, 0.00001)] == ["= 0.50", "= 0.012", "< 0.0001"]


def test_verdict_of_no_difference(write_run: Any, tmp_path: Path) -> None:
    same = [read_run(write_run(f"{name}{seed}", name, seed)) for name in "ab" for seed in (1, 2)]
    configurations = [Configuration("a", tuple(same[:2])), Configuration("b", tuple(same[2:]))]
    measurements = Measurements(BLEU, configurations, "test", 200, 1)
    pair: Pair = make_tester(measurements, Settings(tests=("seeds",))).against(configurations[1], configurations[:1])[0]
    assert (
        pair.verdict == "no difference shown between a and b (test over seeds and sentences, p = 1.00, 2 and 2 seeds)"
    )


def test_outputs_that_hardly_differ_are_not_called_different(write_run: Any) -> None:
    """sacreBLEU gives p = 1/10001 to the same output twice, and to two that differ in one sentence."""
    first = {"test": corrupted(TARGETS["test"], 0.3, 1)}
    one = {"test": [*first["test"][:-1], TARGETS["test"][-1]]}
    runs = [read_run(write_run(str(n), outputs=out, targets=TARGETS)) for n, out in enumerate((first, one, first))]
    a, b, c = (Configuration(name, (run,)) for name, run in zip("abc", runs, strict=True))
    measurements = Measurements(BLEU, [a, b, c], "test", 200, 1)
    pairs = make_tester(measurements, Settings(tests=("ar",))).against(a, [b, c])
    assert [pair.sentences[0].p_sacrebleu for pair in pairs] == [1 / 10001, 1 / 10001]
    assert [(pair.sentences[0].changed, pair.sentences[0].p) for pair in pairs] == [(1, 1.0), (0, 1.0)]
    assert [pair.verdict.partition(" of ")[0] for pair in pairs] == ["no difference shown between these outputs"] * 2
    assert all("(approximate randomisation of two outputs, p = 1.00, the least that" in pair.verdict for pair in pairs)


def test_a_verdict_speaks_of_the_runs_that_its_p_is_of(write_run: Any) -> None:
    """One seed against three: the mean of a is worse than b, the run of a that is held against b is better."""
    b = Configuration("b", (run_of(write_run, "b", 1, 0.3),))
    a = Configuration("a", tuple(run_of(write_run, "a", seed, share) for seed, share in ((1, 0.1), (2, 0.8), (3, 0.8))))
    measurements = Measurements(BLEU, [a, b], "test", 300, 1)
    (pair,) = make_tester(measurements, Settings(tests=("ar", "seeds"))).against(b, [a])
    (test,) = pair.sentences
    assert measurements.values(a).mean() < measurements.values(b).mean()
    assert (pair.runs_a, pair.runs_b) == ((a.runs[0],), b.runs) == ((test.a,), (test.b,))
    assert pair.difference == pytest.approx(test.score_a - test.score_b)
    assert 0 < pair.low < pair.difference < pair.high
    assert pair.wins > pair.losses
    assert pair.effect is None
    shown = f"by {test.score_a - test.score_b:.2f} BLEU"
    assert pair.verdict.startswith(
        f"this output of a, seed 1, is better than that of b, seed 1, {shown} (approximate randomisation of"
    )
    (other,) = make_tester(measurements, Settings(tests=("ar",))).against(a, [b])
    assert other.difference == -pair.difference
    assert "is worse than" in other.verdict


def run_of(write_run: Any, name: str, seed: int, share: float) -> Run:
    outputs = {"test": corrupted(TARGETS["test"], share, seed)}
    return read_run(write_run(f"{name}{seed}", name, seed, outputs, TARGETS))


def test_the_bound_of_few_differing_sentences_is_in_p_and_in_the_table(write_run: Any) -> None:
    """Three sentences differ, all for the better: of 2^3 shuffles two differ as much or more, p = 1/4."""
    first = corrupted(TARGETS["test"], 0.9, 1)
    better = {"test": [*TARGETS["test"][:3], *first[3:]]}
    runs = [
        read_run(write_run(str(n), outputs=out, targets=TARGETS)) for n, out in enumerate(({"test": first}, better))
    ]
    a, b = (Configuration(name, (run,)) for name, run in zip("ab", runs, strict=True))
    measurements = Measurements(BLEU, [a, b], "test", 200, 1)
    (pair,) = make_tester(measurements, Settings(tests=("ar",))).against(a, [b])
    (test,) = pair.sentences
    assert (test.changed, test.least, test.p, test.p_holm) == (3, 0.25, 0.25, 0.25)
    assert pair.verdict.endswith(
        "(approximate randomisation of two outputs, p = 0.25, the least that 3 differing sentences allow)"
    )
    assert (_outputs(pair, "ar", 0.05).text, _outputs(pair, "ar", 0.05).detail) == ("0.250", "3 sentences differ")


def test_outputs_that_score_the_same_are_not_told_apart():
    """Two that are worth nothing: sacreBLEU has p = 1/10001 of them, since no shuffle differs by more."""
    assert p_of(Outcome(0.0, 0.0, 1 / 10_001), least=2.0**-35) == 1
    assert p_of(Outcome(30.0, 29.0, 1 / 10_001), least=0.5) == 0.5
    assert p_of(Outcome(30.0, 29.0, 0.02), least=2.0**-35) == 0.02
