r"""A mechanism some of whose links are changed by hand, while it does all else as it would.

$$\text{forbidden } F: \quad a'_j = 0 \text{ for } j \in F, \text{ else } a_j \frac{\sum_k a_k}{\sum_{k \notin F} a_k}
\qquad \text{forced } F: \quad a'_j = 1/|F| \text{ for } j \in F, \text{ else } 0$$

A row keeps its sum where links are forbidden; of one that had all its weight on them, the positions that are left get
equal shares. A row with forced links looks nowhere else. What a mechanism carries from step to step, it carries of the
changed weights; a window that is more than a mask (monotonic) goes on from where it had been itself.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.attention.base import Normalizer, Window, WindowOutput
from attnlab.attention.given import Around, within
from attnlab.types import ConfigError, History, Memory

Link = tuple[int | None, int]  #: row and column, from 0; of every row where the row is None


class Marked(NamedTuple):
    """Which links are changed; an axis may be 1 long and then stands for all."""

    forbidden: Bool[Tensor, "#B #T S"]
    forced: Bool[Tensor, "#B #T S"]


Marks = Callable[[int], Marked]  #: of the next call, from its number of queries


class Changes(NamedTuple):
    """Links to be changed."""

    forbidden: frozenset[Link] = frozenset()
    forced: frozenset[Link] = frozenset()

    def marked(self, first: int, rows: int, columns: int) -> Marked:
        """Of so many rows from ``first`` on."""
        return Marked(*(table(links, first, rows, columns) for links in self))

    def check(self, rows: int | None, columns: int) -> None:
        """Raise ConfigError for a link that there is not, or where a row may look nowhere.

        Args:
            rows: how many there are; None where nobody knows yet.
            columns: how many there are.
        """
        for row, column in self.forbidden | self.forced:
            if not 0 <= column < columns or (row is not None and (row < 0 or (rows is not None and row >= rows))):
                there = f"{'any number of' if rows is None else rows} rows and {columns} columns"
                raise ConfigError(f"links: there is no link {row}, {column} between {there}")
        for row in {row for row, _ in self.forbidden}:
            own = {column for other, column in self.forbidden if other in (row, None)}
            if len(own) == columns:
                raise ConfigError("links: every word is forbidden; leave one that can be looked at")


def table(links: frozenset[Link], first: int, rows: int, columns: int) -> Bool[Tensor, "1 T S"]:
    found = torch.zeros(1, rows, columns, dtype=torch.bool)
    for row, column in links:
        if row is None:
            found[:, :, column] = True
        elif first <= row < first + rows:
            found[:, row - first, column] = True
    return found


class ByCall:
    """Marks of a search: every call is one step, whatever number of hypotheses asks."""

    def __init__(self, changes: Changes, columns: int) -> None:
        self.changes, self.columns, self.step = changes, columns, 0

    def __call__(self, rows: int) -> Marked:
        self.step += 1
        return self.changes.marked(self.step - 1, 1, self.columns)


class ByRow:
    """Marks of rows that are read in their order, one or several a call, and from the first one again."""

    def __init__(self, changes: Changes, rows: int, columns: int) -> None:
        self.changes, self.rows, self.columns, self.at = changes, rows, columns, 0

    def __call__(self, rows: int) -> Marked:
        first, self.at = self.at, (self.at + rows) % self.rows
        return self.changes.marked(first, rows, self.columns)


class InOrder:
    """Marks of calls that are known one by one, and come in this order again."""

    def __init__(self, marks: Sequence[Marked]) -> None:
        self.marks, self.call = marks, 0

    def __call__(self, rows: int) -> Marked:
        self.call += 1
        return self.marks[(self.call - 1) % len(self.marks)]


class Edited(Around):
    """A window as it was, some of whose weights are changed behind it."""

    def __init__(self, window: Window, marks: Marks) -> None:
        super().__init__(window)
        self.marks = marks

    def weigh(
        self,
        scores: Float[Tensor, "B T S"],
        normalizer: Normalizer,
        query: Float[Tensor, "B T Q"],
        memory: Memory,
        history: History | None,
    ) -> WindowOutput:
        found = self.window.weigh(scores, normalizer, query, memory, history)
        marked = Marked(*(part.to(found.weights.device) for part in self.marks(found.weights.size(1))))
        return found._replace(weights=changed(found.weights, memory.mask, marked))


def changed(weights: Float[Tensor, "B T S"], mask: Bool[Tensor, "B S"], marked: Marked) -> Float[Tensor, "B T S"]:
    """What the module says above.

    Args:
        weights: of a mechanism.
        mask: of the real positions.
        marked: links of real positions.
    """
    kept = weights.masked_fill(marked.forbidden, 0)
    total, left = weights.sum(-1, keepdim=True), kept.sum(-1, keepdim=True)
    free = (mask.unsqueeze(1) & ~marked.forbidden).to(weights.dtype)
    even = total * free / free.sum(-1, keepdim=True).clamp(min=1)
    some = left > torch.finfo(weights.dtype).tiny
    found = torch.where(some, kept * (total / left.masked_fill(~some, 1)), even)
    forced = marked.forced.to(weights.dtype)
    count = forced.sum(-1, keepdim=True)
    return torch.where(count > 0, forced / count.clamp(min=1), found)


@contextmanager
def edited(attention: nn.Module | None, marks: Marks) -> Iterator[None]:
    """Within, weights are changed as ``marks`` say, in every head.

    Raises:
        ConfigError: there is nothing that weighs.
    """
    with within(attention, partial(Edited, marks=marks)):
        yield
