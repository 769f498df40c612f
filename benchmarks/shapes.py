"""The test over seeds in shapes that try its level: unequal counts and spreads, heavy tails, failed runs, few items.

Scores are means over items, so that thousands of trials take seconds. A run scores

    y = mean over items of (difficulty + own + both) + seed effect

difficulty being of an item, for all systems, own of an item for one system, both of an item for one run. Three tests
see the same draws: the one of compare.py, what it was before (Satterthwaite's degrees of freedom freed from their bias,
for seeds and sentences) and, for runs that share their seeds, a t-test of the differences seed by seed. Level is the
share of p < 0.05 without a difference, power that with one of three true standard errors (for failed runs, of those
that did not fail).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr
from scipy.stats import ttest_rel

from attnlab.analysis.statistics import Spread, spread, two_sided

RESAMPLES = 200
LEVEL, SHIFT = 0.05, 3.0


class Shape(NamedTuple):
    """Two systems, the first with standard deviation 1 over seeds."""

    seeds: tuple[int, int] = (3, 3)
    ratio: float = 1.0  #: standard deviation over seeds of the second
    law: str = "normal"  #: of the seed effect; or ``t3``, or ``fails``: one run in ten scores 20 less
    items: int = 200
    own: float = 0.0  #: standard deviation of an item for one system
    both: float = 2.0  #: … for one run; 2 on 200 items is 0.14 of a mean
    shared: float = 0.0  #: correlation of the effects of a seed on both systems

    def __str__(self) -> str:
        words = [f"{self.seeds[0]}:{self.seeds[1]} seeds", f"spreads 1:{self.ratio:g}"]
        words += [self.law] if self.law != "normal" else []
        words += [f"{self.items} items"] if self.items != 200 else []
        words += [f"own {self.own:g}"] if self.own else []
        words += [f"correlation {self.shared:g}"] if self.shared else []
        return ", ".join(words)


class Found(NamedTuple):
    """Shares of p < 0.05."""

    level: float
    power: float


NAMES = ("seeds and sentences", "Satterthwaite, unbiased (not used)", "paired by seed (not used)")
SHAPES = (
    *(Shape((k, k), ratio) for k in (2, 3, 4, 5, 10) for ratio in (1, 2, 5, 20)),
    *(Shape(seeds, ratio) for seeds in ((2, 3), (2, 5), (2, 10)) for ratio in (0.05, 0.5, 1, 5)),
    *(Shape(seeds, ratio) for seeds in ((3, 4), (3, 8), (3, 30), (5, 10)) for ratio in (0.1, 0.4, 1, 5)),
    *(Shape(seeds, law=law) for law in ("t3", "fails") for seeds in ((2, 2), (3, 3), (2, 10), (3, 8), (10, 10))),
    *(Shape((k, k), ratio, own=own) for k in (2, 3, 5) for ratio in (1, 5) for own in (5.0, 20.0)),
    *(Shape((3, 3), ratio, items=items) for ratio in (1, 5) for items in (20, 2000)),
    *(Shape((k, k), shared=shared) for k in (3, 5) for shared in (0.5, 0.9)),
)


def measure(shape: Shape, trials: int, seed: int) -> Iterator[tuple[str, Found]]:
    """Level and power of each of the tests that there are for the shape."""
    generator = np.random.default_rng(seed)
    weights = generator.multinomial(shape.items, np.full(shape.items, 1 / shape.items), RESAMPLES) / shape.items
    shift = SHIFT * true_error(shape)
    p_values = np.array([trial(shape, shift, generator, weights) for _ in range(trials)])
    for name, (level, power) in zip(NAMES, (p_values < LEVEL).mean(0), strict=True):
        if name != NAMES[2] or shape.seeds[0] == shape.seeds[1] > 2:
            yield name, Found(float(level), float(power))


def true_error(shape: Shape) -> float:
    """The standard error of the difference of means; t3 is scaled to the spread of the normal."""
    of_seeds = [s**2 + shape.both**2 / shape.items for s in (1.0, shape.ratio)]
    a, b = (variance / count for variance, count in zip(of_seeds, shape.seeds, strict=True))
    common = -2 * shape.shared * shape.ratio / max(shape.seeds)
    return float(np.sqrt(a + b + common + 2 * shape.own**2 / shape.items))


def trial(shape: Shape, shift: float, generator: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """p of the three tests, without and with a difference."""
    tables = draw(shape, generator)
    drawn = [weights @ table for table in tables]
    p_values = []
    for extra in (0.0, shift):
        values = [tables[0].mean(0) + extra, tables[1].mean(0)]
        difference = float(values[0].mean() - values[1].mean())
        known = spread(values, [1.0, -1.0], drawn, shape.items)
        paired = ttest_rel(*values).pvalue if len(values[0]) == len(values[1]) else 1.0
        p_values.append([two_sided(difference, known)[1], before(difference, known, values), paired])
    return np.array(p_values).T


def draw(shape: Shape, generator: np.random.Generator) -> list[np.ndarray]:
    """For each system [items, runs]."""
    difficulty = generator.normal(size=(shape.items, 1))
    common = effects(shape.law, max(shape.seeds), generator)
    tables = []
    for count, ratio in zip(shape.seeds, (1.0, shape.ratio), strict=True):
        own = shape.own * generator.normal(size=(shape.items, 1))
        both = shape.both * generator.normal(size=(shape.items, count))
        alone = effects(shape.law, count, generator)
        of_seed = np.sqrt(shape.shared) * common[:count] + np.sqrt(1 - shape.shared) * alone
        tables.append(difficulty + own + both + ratio * of_seed)
    return tables


def effects(law: str, count: int, generator: np.random.Generator) -> np.ndarray:
    if law == "t3":
        return generator.standard_t(3, count) / np.sqrt(3)
    failed = -20.0 * (generator.random(count) < 0.1) if law == "fails" else 0.0
    return generator.normal(size=count) + failed


def before(difference: float, known: Spread, values: list[np.ndarray]) -> float:
    """p by Satterthwaite's degrees of freedom, freed from their bias, for seeds and sentences alike."""
    parts = [float(v.var(ddof=1)) / len(v) for v in values]
    freed = sum(parts) ** 2 / sum(part**2 / (len(v) + 1) for part, v in zip(parts, values, strict=True)) - 2
    df = 1 / (known.share**2 / max(known.lowest, freed) + (1 - known.share) ** 2 / known.sentences)
    return float(2 * stdtr(df, -abs(difference) / known.standard_error))
