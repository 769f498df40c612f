"""What is known of the numbers that finished runs have, and which of them is asked for."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from attnlab.analysis.runs import Run
from attnlab.errors import ConfigError
from attnlab.metrics.quantity import Cost, Quantity


class Vocabulary(NamedTuple):
    """What is known of the numbers that the runs have, by name."""

    scores: dict[str, Quantity]
    costs: dict[str, Quantity]

    @property
    def all(self) -> dict[str, Quantity]:
        return {**self.scores, **self.costs}

    def shown(self, tested: Quantity) -> list[str]:
        """The scores that are shown: those that are always, and the one that is tested."""
        return [name for name, item in self.all.items() if item is tested or (name in self.scores and item.column)]


def scores_and_costs(runs: Sequence[Run]) -> Vocabulary:
    """Of all runs, in the order of the first one that has them."""
    found: dict[str, Quantity] = {}
    for run in runs:
        found |= {name: quantity for name, quantity in run.quantities.items() if name not in found}
    costs = {name: quantity for name, quantity in found.items() if isinstance(quantity, Cost)}
    scores = {name: quantity for name, quantity in found.items() if name not in costs}
    return Vocabulary(scores, {name: quantity for name, quantity in costs.items() if quantity.column})


def chosen(name: str | None, quantities: Mapping[str, Quantity]) -> Quantity:
    """What the tests are about.

    Raises:
        ConfigError: no run has it.
    """
    if name is None:
        return next(iter(quantities.values()))
    if name not in quantities:
        near = get_close_matches(name, quantities, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(f"metric={name}: no run has it; {hint}there is {', '.join(quantities)}")
    return quantities[name]
