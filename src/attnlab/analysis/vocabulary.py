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

    def shown(self, tested: Quantity, columns: Sequence[str] | None = None) -> list[str]:
        """The scores that are told: those that are always, the one that is tested, and what is asked for."""
        asked = columns or ()
        return [
            name
            for name, item in self.all.items()
            if item is tested or (name in self.scores and (item.column or name in asked))
        ]

    def shown_costs(self, columns: Sequence[str] | None = None) -> list[Quantity]:
        """The costs: those that are told always, and what is asked for."""
        return [item for name, item in self.costs.items() if item.column or name in (columns or ())]

    def require(self, columns: Sequence[str] | None) -> None:
        """See that there is something to show, and that the runs have it.

        Raises:
            ConfigError: a name means nothing, or there is none.
        """
        if columns is not None and not columns:
            raise ConfigError("columns=[]: name one or more, or leave it out; there is " + ", ".join(self.all))
        for name in columns or ():
            known(name, self.all, "columns")


def scores_and_costs(runs: Sequence[Run]) -> Vocabulary:
    """Of all runs, in the order of the first one that has them."""
    found: dict[str, Quantity] = {}
    for run in runs:
        found |= {name: quantity for name, quantity in run.quantities.items() if name not in found}
    costs: dict[str, Quantity] = {name: quantity for name, quantity in found.items() if isinstance(quantity, Cost)}
    scores = {name: quantity for name, quantity in found.items() if name not in costs}
    return Vocabulary(scores, costs)


def chosen(name: str | None, quantities: Mapping[str, Quantity]) -> Quantity:
    """What the tests are about.

    Raises:
        ConfigError: no run has it.
    """
    if name is None:
        return next(iter(quantities.values()))
    return known(name, quantities, "metric")


def known(name: str, quantities: Mapping[str, Quantity], option: str) -> Quantity:
    """What a name means.

    Raises:
        ConfigError: no run has it.
    """
    if name not in quantities:
        near = get_close_matches(name, quantities, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(f"{option}={name}: no run has it; {hint}there is {', '.join(quantities)}")
    return quantities[name]
