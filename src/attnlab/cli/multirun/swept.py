"""How many values a sweep stands for, told without listing them: ten characters may be a billion jobs."""

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice

from hydra.core.override_parser.types import ChoiceSweep, Glob, Override, RangeSweep

from attnlab.cli.config.overrides import line

MOST_JOBS = 100_000  # Hydra's own sweeper composes every one of them before the first is run


def values(override: Override, most: int) -> list[str]:
    """The first values of a discrete sweep, as they are typed."""
    return list(islice(override.sweep_string_iterator(), most))


def size(override: Override) -> int | None:
    """How many values a discrete sweep has; None for a range without an end."""
    sweep = override.value()
    if isinstance(sweep, RangeSweep):
        try:
            start, stop, step = (Fraction(number) for number in (sweep.start or 0, sweep.stop or 0, sweep.step))
            return max(0, math.ceil((stop - start) / step))
        except (ValueError, OverflowError, ZeroDivisionError):  # NaN, infinity, a step of 0
            return None
    if isinstance(sweep, ChoiceSweep | list):
        return len(sweep.list if isinstance(sweep, ChoiceSweep) else sweep)
    return sum(1 for _ in override.sweep_string_iterator()) if isinstance(sweep, Glob) else 1


def wrong_sweeps(overrides: Iterable[Override], lists_only: bool = False) -> Iterator[tuple[Override | None, str]]:
    """Sweeps that cannot be run, with what is wrong; without one where it takes all of them.

    Args:
        overrides: of the command line.
        lists_only: the sweeper runs lists and ranges, and draws nothing from an interval.
    """
    jobs = 1
    for override in overrides:
        if lists_only and override.is_sweep_override() and not override.is_discrete_sweep():
            yield override, f"{line(override)}: Hydra's own sweeper runs lists and ranges; hydra/sweeper=optuna draws"
        found = size(override) if override.is_discrete_sweep() else 1
        if found is None:
            yield override, f"{line(override)}: a range without an end; write range(start,stop,step)"
        elif found == 0:
            yield override, f"{line(override)}: this sweep has no value, so there would be no job"
        elif found > MOST_JOBS:
            yield override, f"{line(override)}: more than {MOST_JOBS:,} values"
        else:
            jobs *= found
    if jobs > MOST_JOBS:
        yield None, f"the values that are swept make more than {MOST_JOBS:,} jobs"
