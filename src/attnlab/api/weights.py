"""What one text was looked at for: numbers with the names of both axes, and their picture."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from attnlab.atomic import write_text
from attnlab.errors import ConfigError
from attnlab.tasks.prediction import Seen
from attnlab.viz.heads import head_grid
from attnlab.viz.heatmap import Link, heatmap, save
from attnlab.viz.joining import joined as join
from attnlab.viz.palette import colored
from attnlab.viz.picture import picture
from attnlab.viz.tikz import tikz

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Gold = tuple[Iterable[Link], Iterable[Link]]  #: sure and possible links (column, row), 0-based


@dataclass(frozen=True, eq=False, repr=False)
class AttentionWeights:
    """The attention in one text, of all layers and heads. Draws itself in a notebook.

    Attributes:
        input: the text that is looked at.
        output: what is made of it: a translation, a class.
        weights: a row for each that looks, a column for each that is looked at; of a Transformer the mean over the
            heads of its last layer.
        rows: names of what looks: the words of a translation, ``</s>`` last; ``last state``.
        columns: names of what is looked at: the words of the input.
        heads: the same by layer and head; None where there are no heads.
        own: what the layers of a Transformer look at in their own sentence, by side: ``source`` and ``target`` (whose
            first word is ``<s>``), or ``text``.
        own_labels: the words of these sides, of their rows and of their columns.
        text: whether the columns are drawn as running text, shaded.
        note: what is said of it besides.
        sentences: of a document, the words of each sentence.
        sentence_weights: a row for each that looks at sentences; None where nothing does.
        lags: whether the columns are numbers on an axis, how many points before the forecast.
        back: of two texts that look at each other, what the columns look at among the rows; else None.
        sides: what the text of the columns is then called, and that of the rows.
    """

    input: str
    output: str
    weights: Float[np.ndarray, "T S"]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    heads: Float[np.ndarray, "L H T S"] | None = None
    own: Mapping[str, Float[np.ndarray, "L H N N"]] = field(default_factory=dict)
    own_labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    text: bool = False
    note: str = ""
    sentences: tuple[int, ...] | None = None
    sentence_weights: Float[np.ndarray, "R N"] | None = None
    lags: bool = False
    back: Float[np.ndarray, "S T"] | None = None
    sides: tuple[str, str] = ("columns", "rows")

    def plot(
        self,
        heads: bool = False,
        own: str | None = None,
        cmap: str | None = None,
        *,
        joined: bool = False,
        gold: Gold | None = None,
    ) -> "Figure":
        """A matplotlib figure.

        Args:
            heads: draw every head of every layer.
            own: draw the self-attention of this side, every head of every layer.
            cmap: a colour map of matplotlib's, in the place of white to dark blue.
            joined: draw words, of weights of pieces of them: the sum of what is read, the mean of those that read.
            gold: sure and possible links (column, row), counted from 0, to be framed in the map of a translation; of
                words where pieces are joined.

        Raises:
            ConfigError: there is no such thing here.
        """
        shown = self._joined() if joined else self
        with colored(cmap):
            return shown._drawn(heads, own) if gold is None else shown._with_links(heads, own, gold)

    def _with_links(self, heads: bool, own: str | None, gold: Gold) -> "Figure":
        self._require_translation(heads, own, "gold: links are framed")
        return heatmap(self.weights, self.columns, self.rows, None, gold)

    def _require_translation(self, heads: bool, own: str | None, what: str) -> None:
        if heads or own or self.text or self.lags or self.back is not None:
            raise ConfigError(f"{what} in the map of a translation alone; leave heads and own out")

    def _drawn(self, heads: bool, own: str | None) -> "Figure":
        if own is not None:
            if own not in self.own:
                there = ", ".join(self.own) or "none: no layer of this run looks at its own sentence"
                raise ConfigError(f"own={own!r}: there is {there}")
            return head_grid(self.own[own], self.own_labels[own], self.own_labels[own], f"self-attention, {own}")
        if heads:
            if self.heads is None:
                raise ConfigError("heads=True: this mechanism has no heads; leave it out")
            return head_grid(self.heads, self.columns, self.rows)
        title = self.input if self.text and self.sentences is None else ""
        above = self.sentences, self.sentence_weights
        more = *above, self.lags, self.back, self.sides
        return picture(self.weights, self.columns, self.rows, title, self.text, self.note, *more)

    def save(
        self,
        path: str | Path,
        heads: bool = False,
        own: str | None = None,
        cmap: str | None = None,
        *,
        joined: bool = False,
        gold: Gold | None = None,
        width: str | None = None,
    ) -> Path:
        """Draw to a file; the suffix says how: ``.png``, ``.pdf``, ``.svg``, or ``.tex`` for TikZ.

        Args:
            path: of the file.
            heads: as in :meth:`plot`.
            own: likewise.
            cmap: likewise.
            joined: likewise.
            gold: likewise.
            width: of a column, with its unit, ``8.4cm`` or ``240pt``; None for as wide as it is drawn. Letters and
                lines are scaled with all else; in TikZ it is the width of the cells, and letters are the paper's own.

        Raises:
            ConfigError: there is no such thing here, no such format, or no such width.
        """
        place = Path(path)
        if place.suffix != ".tex":
            save(self.plot(heads, own, cmap, joined=joined, gold=gold), place, width)
            return place
        self._require_translation(heads, own, "TikZ: what is drawn are cells")
        shown = self._joined() if joined else self
        with colored(cmap):
            write_text(place, tikz(shown.weights, shown.columns, shown.rows, gold, width))
        return place

    def _joined(self) -> "AttentionWeights":
        """The same of words."""
        if self.text or self.lags or self.back is not None:
            raise ConfigError("joined: pieces are joined in maps of one text over another; leave it out")
        weights, rows, columns = join(self.weights, self.rows, self.columns)
        own = {side: join(table, self.own_labels[side], self.own_labels[side]) for side, table in self.own.items()}
        return replace(
            self,
            weights=weights,
            rows=tuple(rows),
            columns=tuple(columns),
            heads=None if self.heads is None else join(self.heads, self.rows, self.columns)[0],
            own={side: table for side, (table, _, _) in own.items()},
            own_labels={side: tuple(words) for side, (_, words, _) in own.items()},
        )

    def _repr_png_(self) -> bytes:
        drawn = BytesIO()
        self.plot().savefig(drawn, format="png")
        return drawn.getvalue()

    def __repr__(self) -> str:
        shape = f"{len(self.rows)} rows × {len(self.columns)} columns"
        if self.heads is not None:
            shape += f", {self.heads.shape[0]} layers × {self.heads.shape[1]} heads"
        return f"AttentionWeights({shape}: {self.input!r} -> {self.output!r})"


def weights_of(seen: Seen, text: str, output: str) -> AttentionWeights:
    """What a task has seen in a text."""
    item = seen.map
    labels: Mapping[str, Sequence[str]] = seen.labels
    return AttentionWeights(
        input=text,
        output=output,
        weights=np.asarray(item.weights),
        rows=tuple(item.rows),
        columns=tuple(item.columns),
        heads=item.heads,
        own=dict(seen.own),
        own_labels={side: tuple(words) for side, words in labels.items()},
        text=item.text,
        note=item.note,
        sentences=None if item.sentences is None else tuple(item.sentences),
        sentence_weights=item.sentence_weights,
        lags=item.lags,
        back=item.back,
        sides=item.sides,
    )
