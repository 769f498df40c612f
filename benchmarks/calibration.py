"""Do the tests of compare.py keep their level, and find what is there? Simulation with known truth.

    python benchmarks/calibration.py [--trials 1000] [--parts levels …] [--out benchmarks/results/calibration.json]

Every line is a set of trials: outputs are drawn (benchmarks/simulated_systems.py), tested, and the share with
p < 0.05 is counted. Under a true null hypothesis it should be 0.05; 95% of all such lines of 1,000 trials would
lie within 0.0365 and 0.0635. Where there is a difference, it should be the power of the two-sample t-test on the
same difference, which is what the test over seeds is where sentences add nothing. The shapes of shapes.py are drawn
four times as often, and their level is beside their power, and beside that of tests that are not used.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import nct, t

sys.path.insert(0, str(Path(__file__).parent))
from shapes import SHAPES, effects
from shapes import measure as measure_shape
from simulated_systems import Chance, World

from attnlab.analysis.outliers import outlying
from attnlab.analysis.runs import Item, Run
from attnlab.analysis.significance import PairedTests
from attnlab.analysis.statistics import bootstrap, holm, interval, spread, two_sided
from attnlab.metrics.quantities.bleu import BLEU
from attnlab.metrics.quantity import Test

LEVEL, RESAMPLES, SENTENCES = 0.05, 300, 300
Systems = list[list[np.ndarray]]


class Line(NamedTuple):
    """A measured share beside what it should be."""

    test: str
    case: str
    expected: float
    measured: float
    trials: int
    power: float | None = None  #: where it is measured on the same draws


def means(systems: Systems) -> list[np.ndarray]:
    return [np.array([BLEU.close(rows.sum(0)) for rows in runs]) for runs in systems]


def over_seeds(systems: Systems, seed: int) -> Iterator[float]:
    """p of every system against the first one: the test over seeds and sentences."""
    values = means(systems)
    drawn = bootstrap(BLEU, list(chain.from_iterable(systems)), RESAMPLES, seed)
    parts = np.split(drawn, np.cumsum([len(runs) for runs in systems])[:-1], axis=1)
    for place in range(1, len(systems)):
        pair = [values[place], values[0]]
        known = spread(pair, [1.0, -1.0], [parts[place], parts[0]], SENTENCES)
        yield two_sided(float(pair[0].mean() - pair[1].mean()), known)[1]


def two_level_bootstrap(systems: Systems, seed: int) -> float:
    """p of what the literature often does: draw seeds, then sentences, take quantiles."""
    generator = np.random.default_rng(seed)
    drawn = bootstrap(BLEU, list(chain.from_iterable(systems)), RESAMPLES, seed)
    count = len(systems[0])
    parts = drawn[:, :count], drawn[:, count:]
    rows = np.arange(RESAMPLES)[:, None]
    a, b = (part[rows, generator.integers(count, size=(RESAMPLES, count))].mean(1) for part in parts)
    below = ((a - b) < 0).mean()
    return float(2 * min(below, 1 - below))


def of_outputs(kind: Test, systems: Systems, seed: int) -> float:
    """p of sacreBLEU's test of the first run of two systems."""
    runs = [fake_run(name) for name in ("a", "b")]
    rows = {run: system[0] for run, system in zip(runs, systems, strict=True)}
    return PairedTests(BLEU, "test", seed, rows, draws=1000)(kind, runs[0], [runs[1]])[0].p


def fake_run(name: str) -> Run:
    """A run whose text is never looked at: what sacreBLEU counts in it is given."""
    items = tuple(Item("", "x", f"{name} {number}", {}) for number in range(SENTENCES))
    return Run(Path(name), {}, {}, (), {}, {"test": items})


def share(trials: int, p_value: Callable[[World], float], seed: int) -> float:
    world = World(SENTENCES, np.random.default_rng(seed))
    return float(np.mean([p_value(world) < LEVEL for _ in range(trials)]))


def number(world: World) -> int:
    return int(world.generator.integers(1, 2**31))


CASES = {
    "identical systems": Chance(),
    "identical systems, seeds matter much": Chance(seeds=0.3),
    "identical systems, seeds matter on sentences only": Chance(seeds=0.0),
    "identical systems, seeds nearly alike": Chance(seeds=0.01, interaction=0.05),
    "other strengths, equal on average": Chance(own=0.5),
}


def levels(trials: int) -> Iterator[Line]:
    """Nothing is there to be found."""
    for case, chance in CASES.items():
        for seeds in (2, 3, 5):

            def p_value(world: World, seeds: int = seeds, chance: Chance = chance) -> float:
                return next(over_seeds(world.trial(chance, [seeds] * 2, [0, 0]), number(world)))

            yield Line("seeds and sentences", f"{case}, {seeds} seeds", LEVEL, share(trials, p_value, 1), trials)
    first = Chance()

    def unequal(world: World) -> float:
        noisy, calm = (world.trial(Chance(seeds=s), [3], [0])[0] for s in (0.1, 0.05))
        return next(over_seeds([noisy, calm], number(world)))

    def family(world: World) -> float:
        return min(holm(list(over_seeds(world.trial(first, [3] * 5, [0] * 5), number(world)))))

    def naive(world: World, chance: Chance = first) -> float:
        return two_level_bootstrap(world.trial(chance, [3, 3], [0, 0]), number(world))

    def naive_with_seeds(world: World) -> float:
        return naive(world, Chance(seeds=0.3))

    yield Line(
        "seeds and sentences, Holm",
        "any of 4 identical to the baseline, 3 seeds",
        LEVEL,
        share(trials, family, 2),
        trials,
    )
    yield Line(
        "seeds and sentences",
        "twice the spread over seeds, other sentences, 3 seeds",
        LEVEL,
        share(trials, unequal, 3),
        trials,
    )
    name, case = "two-level bootstrap (not used)", "identical systems, seeds matter much, 3 seeds"
    yield Line(name, "identical systems, 3 seeds", LEVEL, share(trials, naive, 4), trials)
    yield Line(name, case, LEVEL, share(trials, naive_with_seeds, 4), trials)


def levels_of_outputs(trials: int) -> Iterator[Line]:
    """sacreBLEU's tests: outputs that differ by chance alone, and by the seed of one system."""
    names = {"bs": "sacreBLEU paired bootstrap", "ar": "sacreBLEU approximate randomisation"}
    cases = {"outputs equal but for chance": Chance(seeds=0.0), "one system, two seeds": Chance()}
    for kind, name in names.items():
        for case, chance in cases.items():

            def p_value(world: World, kind: Any = kind, chance: Chance = chance) -> float:
                return of_outputs(kind, world.trial(chance, [1, 1], [0, 0]), number(world))

            yield Line(name, case, LEVEL, share(trials, p_value, 5), trials)


def powers(trials: int) -> Iterator[Line]:
    """A true difference: theory is the two-sample t-test, with the true spread of the means."""
    chance = Chance(seeds=0.1)
    for seeds, gain in ((3, 0.15), (3, 0.25), (5, 0.15), (5, 0.25)):
        world = World(SENTENCES, np.random.default_rng(7))
        drawn = [world.trial(chance, [seeds] * 2, [gain, 0]) for _ in range(trials)]
        differences = np.array([a.mean() - b.mean() for a, b in map(means, drawn)])
        found = [next(over_seeds(systems, number(world))) < LEVEL for systems in drawn]
        df = 2 * (seeds - 1)
        shift, critical = differences.mean() / differences.std(), t.ppf(1 - LEVEL / 2, df)
        theory = float(nct.sf(critical, df, shift) + nct.cdf(-critical, df, shift))
        case = f"true difference {differences.mean():.1f} BLEU, {seeds} seeds"
        yield Line("seeds and sentences, power", case, theory, float(np.mean(found)), trials)


def coverage(trials: int) -> Iterator[Line]:
    """The interval around a mean misses the population's mean."""
    chance = Chance()
    big = World(20_000, np.random.default_rng(8))
    truth = float(np.mean([means(big.trial(chance, [1], [0]))[0] for _ in range(200)]))
    for seeds in (2, 3, 5):
        world = World(SENTENCES, np.random.default_rng(9))
        missed = []
        for _ in range(trials):
            (runs,) = world.trial(chance, [seeds], [0])
            (values,) = means([runs])
            known = spread([values], [1.0], [bootstrap(BLEU, runs, RESAMPLES, number(world))], SENTENCES)
            low, high = interval(float(values.mean()), known, LEVEL)
            missed.append(not low <= truth <= high)
        yield Line("interval of a mean misses", f"{seeds} seeds", LEVEL, float(np.mean(missed)), trials)


def failed_coverage(trials: int) -> Iterator[Line]:
    """The interval of a mean misses where one run in ten scores 20 less, and what is warned of."""
    generator = np.random.default_rng(10)
    for seeds in (3, 5, 10):
        drawn = [effects("fails", seeds, generator) for _ in range(4 * trials)]
        spans = [interval(float(v.mean()), spread([v], [1.0], None, 2), LEVEL) for v in drawn]
        missed = [not low <= -2.0 <= high for low, high in spans]
        failed = [v.min() < -10 < v.max() for v in drawn]
        warned = [bool(outlying(v.tolist())) for v, some in zip(drawn, failed, strict=True) if some]
        case = f"one run in ten fails, {seeds} seeds"
        yield Line("interval of a mean misses", case, LEVEL, float(np.mean(missed)), len(drawn))
        yield Line("outlying seed is named", f"{case}, where some failed", 1.0, float(np.mean(warned)), len(warned))


def shapes(trials: int) -> Iterator[Line]:
    """Unequal counts and spreads, heavy tails, failed runs, few items and many; families of them."""
    for place, shape in enumerate(SHAPES):
        for name, found in measure_shape(shape, 4 * trials, place):
            yield Line(name, str(shape), LEVEL, found.level, 4 * trials, found.power)


def families(trials: int) -> Iterator[Line]:
    """Any of four systems is called different from the baseline, which all of them are equal to."""
    world = np.random.default_rng(12)
    for seeds, baseline, ratio in (
        (2, 10, 1),
        (3, 3, 1),
        (3, 3, 0.2),
        (3, 3, 5),
        (3, 10, 1),
        (3, 20, 0.5),
        (5, 5, 0.3),
    ):
        found = 0
        for _ in range(4 * trials):
            base = ratio * world.normal(size=baseline)
            p_values = []
            for _ in range(4):
                pair = [world.normal(size=seeds), base]
                known = spread(pair, [1.0, -1.0], None, 2)
                p_values.append(two_sided(float(pair[0].mean() - pair[1].mean()), known)[1])
            found += min(holm(p_values)) < LEVEL
        case = f"any of 4 systems of {seeds} seeds, baseline of {baseline}, spreads 1:{ratio:g}"
        yield Line("seeds and sentences, Holm", case, LEVEL, found / (4 * trials), 4 * trials)


PARTS = {
    part.__name__: part for part in (levels, powers, coverage, failed_coverage, families, shapes, levels_of_outputs)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    lines = []
    for part in arguments.parts:
        for line in PARTS[part](arguments.trials):
            power = "" if line.power is None else f"  power {line.power:.3f}"
            print(
                f"{line.test:38} {line.case:62} expected {line.expected:.3f}  measured {line.measured:.3f}{power}",
                flush=True,
            )
            lines.append({key: value for key, value in line._asdict().items() if value is not None})
    if arguments.out:
        arguments.out.write_text(json.dumps(lines, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
