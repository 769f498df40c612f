"""The jobs of a multirun, as lists of overrides: all of them, but for what only draws other random numbers."""

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod

MOST = 400  # jobs to look at before the first one starts; a look takes about a fifth of a second
MOST_VALUES = 20  # of a key, where there are more jobs
SEED = "seed"


def combinations(choices: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Every combination of the values of the keys, with one seed each; every seed occurs (of many the first 20).

    Of more than 400 so many in which every value occurs; what only a combination of them shows is found when that job
    starts.

    Args:
        choices: by key, its overrides; of what is not swept just one.
    """
    others = {key: values for key, values in choices.items() if key != SEED}
    if prod(map(len, others.values())) <= MOST:
        jobs = [list(values) for values in product(*others.values())]
    else:
        longest = min(MOST_VALUES, max(map(len, others.values())))
        jobs = [[values[number % len(values)] for values in others.values()] for number in range(longest)]
    seeds = list(choices.get(SEED, ()))[:MOST_VALUES]
    if not seeds:
        return jobs
    number = max(len(jobs), len(seeds))
    return [[*jobs[place % len(jobs)], seeds[place % len(seeds)]] for place in range(number)]
