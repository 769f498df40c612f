"""What a quantity is: everything that is said of a number stands in one object, and whoever needs it reads it there.

Its name and title, which way is better, its digits and unit, what an item (a sentence, a series) contributes, the
closed form of the sum, the scale of its intervals, the paired tests that it allows. One quantity is one file of
``attnlab.metrics.quantities``, or of a package from outside (:mod:`attnlab.metrics.registry`).

Without torch, and without numpy until something is computed, so that a configuration is checked quickly.
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from attnlab.errors import ConfigError
from attnlab.metrics.noted import each, table

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float, Int

    Rows = Float[np.ndarray, "N C"]  #: what each of N items contributes
    Scores = Float[np.ndarray, "..."]

Mode = Literal["min", "max"]  #: of Lightning and torch: what is looked for
Better = Literal["higher", "lower"]
Scale = Literal["linear", "log"]
OfFolds = Literal["mean", "sum", "max"]
#: Of two outputs: paired bootstrap, approximate randomisation, McNemar's, Diebold and Mariano's.
Test = Literal["bs", "ar", "mcnemar", "dm"]
Record = Mapping[str, Any]  #: a line of ``<split>.jsonl``

ANY = "<split>"  #: of whichever split is at hand
NAME = re.compile(r"[A-Za-z]\w*")


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A number that a run has.

    Attributes:
        name: the last part of its key, ``<split>/<name>``.
        title: what a reader sees.
        better: which way it is better. There is no default: a forgotten one would call the worse system better.
        digits: behind the point, in tables.
        unit: what it is counted in.
        scale: on which intervals and tests are computed: on the logarithm of what cannot be negative and is a factor
            better or worse. A mean is then geometric, and a difference a ratio.
        split: whose it is: of any split, of ``train`` alone, or of the run as a whole (the empty text).
        column: whether tables of scores have it unasked.
        lowest: the least that it can be, where there is such; no interval is told to reach further.
        highest: the most.
        of_folds: what it is of the trainings of a cross-validation together, where items do not say.

    Raises:
        ConfigError: one of these cannot be.
    """

    name: str
    title: str
    better: Better
    digits: int = 2
    unit: str = ""
    scale: Scale = "linear"
    split: str = ANY
    column: bool = True
    lowest: float = -math.inf
    highest: float = math.inf
    of_folds: OfFolds = "mean"

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ConfigError(f"quantity {self.name!r}: expected a name of letters, digits and underscores")
        for field, choices in (("better", Better), ("scale", Scale), ("of_folds", OfFolds)):
            if getattr(self, field) not in get_args(choices):
                expected = " or ".join(get_args(choices))
                raise ConfigError(f"quantity {self.name}: {field} is {getattr(self, field)!r}, expected {expected}")
        if self.digits < 0:
            raise ConfigError(f"quantity {self.name}: digits is {self.digits}, expected 0 or more")
        if not self.lowest < self.highest:
            raise ConfigError(f"quantity {self.name}: lowest is {self.lowest}, expected less than {self.highest}")

    @property
    def id(self) -> str:
        """What it is asked for by: ``bleu``, ``train/seconds``, ``params``: its key, of any split without the split."""
        return self.key().removeprefix(f"{ANY}/")

    @property
    def higher_is_better(self) -> bool:
        return self.better == "higher"

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return 1 if self.higher_is_better else -1

    @property
    def mode(self) -> Mode:
        return "max" if self.higher_is_better else "min"

    @property
    def signature(self) -> str:
        """How items are counted, where that can be chosen: runs with different ones are not comparable."""
        return ""

    def key(self, split: str = ANY) -> str:
        """Its key in ``metrics.json``: ``test/bleu``, ``train/seconds``, ``params``."""
        own = split if self.split == ANY else self.split
        return f"{own}/{self.name}" if own else self.name

    def to_scale(self, values: "Scores") -> "Scores":
        """From values to the scale of intervals and tests."""
        import numpy as np

        if self.scale == "linear":
            return np.asarray(values, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(values)

    def from_scale(self, values: "Scores") -> "Scores":
        """And back; infinity where a float ends."""
        import numpy as np

        if self.scale == "linear":
            return np.asarray(values, dtype=np.float64)
        with np.errstate(over="ignore"):
            return np.exp(values)

    def of_run(self, metrics: Mapping[str, Any]) -> "Quantity":
        """The quantity as a run has counted it, by its ``metrics.json``.

        Raises:
            DataError: it is said there in a way that cannot be.
        """
        return self


@dataclass(frozen=True, kw_only=True)
class Plain(Quantity):
    """A score without anything noted of items."""


@dataclass(frozen=True, kw_only=True)
class Cost(Quantity):
    """What training or decoding takes; a column of the table of costs."""


@dataclass(frozen=True, kw_only=True)
class Counted(Quantity, ABC):
    """A number that follows from what each item of a split contributes: a vector of C counts.

    Attributes:
        tests: the paired tests of two outputs that exist for it, besides that over seeds and items. McNemar's is of
            a share: an item by itself scores 1 or 0, and the score of all is the mean of these. Diebold and Mariano's
            is of forecasts: items stand in the order of time.
        costly: too slow to be counted in every validation, or again for a comparison that is not about it.
    """

    tests: tuple[Test, ...] = ("bs", "ar")
    costly: bool = False

    def of_run(self, metrics: Mapping[str, Any]) -> "Counted":
        return self

    @abstractmethod
    def count(self, record: Record) -> Sequence[float] | None:
        """What an item contributes; None where its record does not say."""

    def recount(self, record: Record) -> Sequence[float] | None:
        """The same from the outputs themselves, where they are in the record and it was not noted."""
        return None

    @abstractmethod
    def scores(self, rows: Sequence["Rows"], drawn: "Int[np.ndarray, 'R N']") -> "Float[np.ndarray, 'R G']":
        """The score, on its scale, of each of G outputs for the same N items, on R resamples of these.

        Args:
            rows: of each output, what each item contributes.
            drawn: the numbers of the items of each resample.
        """

    @abstractmethod
    def exchanged(
        self, a: "Rows", b: "Rows", swapped: "np.ndarray"
    ) -> "tuple[Float[np.ndarray, ' R'], Float[np.ndarray, ' R']]":
        """The scores, on their scale, of two outputs that have exchanged some items, for each of R exchanges.

        Args:
            a: what each item contributes in one output.
            b: and in the other.
            swapped: [R, N], true where the two are exchanged.
        """

    @abstractmethod
    def score_on_scale(self, rows: "Rows") -> float:
        """The score of all items together, on the scale of intervals and tests."""

    def score(self, rows: "Rows") -> float:
        """The score of all items together."""
        import numpy as np

        return float(self.from_scale(np.array(self.score_on_scale(rows))))

    @abstractmethod
    def item_scores(self, rows: "Rows") -> "Float[np.ndarray, ' N']":
        """The score of each item by itself: what says on which items one output is better."""

    def rows(self, records: Sequence[Record], recount: bool = False) -> "Rows | None":
        """What each item contributes; None where one does not say so.

        Args:
            records: of the items.
            recount: count again where it was not noted.

        Raises:
            DataError: something else than equally many finite numbers was noted of an item.
        """
        found = each(self.count, records)
        if recount and any(row is None for row in found):
            found = [self.recount(record) for record in records]
        if not found or any(row is None for row in found):
            return None
        return table(self.title, found)


@dataclass(frozen=True, kw_only=True)
class Summed(Counted):
    """A closed form of the sum over items: any batching and any number of processes add up to the same.

    A resample of a test set is a weighted sum of rows, so the scores of thousands of resamples are a few array
    operations.
    """

    @abstractmethod
    def close(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        """The score of each row of sums."""

    def close_on_scale(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        """The same on the scale of intervals and tests; for one that a float holds on its scale only."""
        return self.to_scale(self.close(sums))

    def score_on_scale(self, rows: "Rows") -> float:
        return float(self.close_on_scale(rows.sum(0)))

    def scores(self, rows: Sequence["Rows"], drawn: "Int[np.ndarray, 'R N']") -> "Float[np.ndarray, 'R G']":
        import numpy as np

        resamples, items = len(drawn), len(rows[0])
        places = (drawn + np.arange(resamples)[:, None] * items).ravel()
        weights = np.bincount(places, minlength=resamples * items).reshape(resamples, items)
        sums = weights.astype(np.float64) @ np.concatenate(rows, axis=1)
        return self.close_on_scale(sums.reshape(resamples, len(rows), -1))

    def exchanged(
        self, a: "Rows", b: "Rows", swapped: "np.ndarray"
    ) -> "tuple[Float[np.ndarray, ' R'], Float[np.ndarray, ' R']]":
        import numpy as np

        moved = swapped.astype(np.float64) @ (b - a)
        return self.close_on_scale(a.sum(0) + moved), self.close_on_scale(b.sum(0) - moved)

    def item_scores(self, rows: "Rows") -> "Float[np.ndarray, ' N']":
        return self.close(rows)


@dataclass(frozen=True, kw_only=True)
class OfItems(Counted):
    """What is no function of a sum, such as a rank correlation: it is closed over the items themselves."""

    @abstractmethod
    def close(self, rows: "Rows") -> float:
        """The score of these items; of resamples too, in which an item may occur several times."""

    def score_on_scale(self, rows: "Rows") -> float:
        import numpy as np

        return float(self.to_scale(np.array(self.close(rows))))

    def scores(self, rows: Sequence["Rows"], drawn: "Int[np.ndarray, 'R N']") -> "Float[np.ndarray, 'R G']":
        import numpy as np

        return np.array([[self.score_on_scale(table[items]) for table in rows] for items in drawn])

    def exchanged(
        self, a: "Rows", b: "Rows", swapped: "np.ndarray"
    ) -> "tuple[Float[np.ndarray, ' R'], Float[np.ndarray, ' R']]":
        import numpy as np

        pairs = [(np.where(mask[:, None], b, a), np.where(mask[:, None], a, b)) for mask in swapped]
        first, second = ([self.score_on_scale(pair[side]) for pair in pairs] for side in (0, 1))
        return np.array(first), np.array(second)

    def item_scores(self, rows: "Rows") -> "Float[np.ndarray, ' N']":
        """Not a number: what a single item is worth is not known here."""
        import numpy as np

        return np.full(len(rows), np.nan)
