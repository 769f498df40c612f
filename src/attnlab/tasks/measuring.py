"""What a task measures, counted item by item: the part that needs neither a model nor a trainer."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pytorch_lightning.utilities import rank_zero_warn

from attnlab.errors import ConfigError
from attnlab.metrics.quantity import Counted
from attnlab.metrics.registry import counted
from attnlab.tasks.records import Record, counts_of, from_all_processes

Counts = dict[str, Any]  #: of an item, by quantity


class Measuring:
    """Counts what items contribute to quantities, and closes the sums.

    Attributes:
        quantities: what is measured.
        also: of these, those that the user named besides.
        counted: of this process, while a split is gone through: by split and number of the item.
    """

    keys: ClassVar[Mapping[str, str]]
    quantities: tuple[Counted, ...]
    also: tuple[Counted, ...] = ()
    counted: dict[str, dict[int, Counts]]

    @property
    def name(self) -> str:
        """``translation``: what a run folder calls the task."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).lower()

    def count(self, split: str, found: Mapping[int, Record], quantities: Sequence[Counted]) -> None:
        """Note what each item contributes to these quantities; in a validation only to those that cost little."""
        wanted = [quantity for quantity in quantities if split != "val" or not quantity.costly]
        noted = self.counted.setdefault(split, {})
        for number, record in found.items() if wanted else ():
            noted[number] = counts_of(record, wanted, self.keys.values())

    def closed(self, split: str, quantities: Sequence[Counted]) -> dict[str, float]:
        """What these quantities are, by what was counted of all processes' items; ``count`` begins anew."""
        noted = from_all_processes(self.counted.pop(split, {})) if quantities else {}
        items = [noted[number] for number in sorted(noted)]
        values = {}
        for quantity in quantities:
            rows = [item.get(quantity.id) for item in items]
            if rows and all(row is not None for row in rows):
                values[quantity.key(split)] = quantity.score(np.array(rows, dtype=np.float64))
            elif rows and quantity in self.also and not (split == "val" and quantity.costly):
                self._tell_unmeasured(quantity, split, sum(row is None for row in rows), len(rows))
        return values

    def _tell_unmeasured(self, quantity: Counted, split: str, without: int, items: int) -> None:
        """What was asked for cannot be had: an error in a validation; later, a training would be lost for it."""
        which = "the" if without == items else f"{without} of {items}"
        told = f"measure: {quantity.id} finds nothing to count in {which} items of {self.name}"
        if split == "val":
            raise ConfigError(told)
        rank_zero_warn(f"{told}: there is no {quantity.key(split)}")

    def measure_also(self, names: Iterable[str]) -> None:
        """Measure more, by the names of quantities that count something in this task's records.

        Raises:
            ConfigError: there is no such quantity, or it is none of items. A validation raises it, too, where one finds
                nothing to count; of one that is too costly for validations a test warns.
        """
        named = {quantity.id for quantity in self.quantities}
        more = tuple(quantity for quantity in counted(names) if quantity.id not in named)
        self.also, self.quantities = (*self.also, *more), (*self.quantities, *more)
