"""How an item's attention is drawn: two texts, one way or both, a text that is shaded, by sentences or not, or lags."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from attnlab.viz.both_ways import both_ways
from attnlab.viz.documents import by_sentence
from attnlab.viz.heatmap import Link, heatmap
from attnlab.viz.lags import over_lags
from attnlab.viz.shaded import shaded

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def picture(
    weights: Float[np.ndarray, "T S"],
    columns: Sequence[str],
    rows: Sequence[str],
    title: str,
    text: bool = False,
    note: str = "",
    sentences: Sequence[int] | None = None,
    sentence_weights: Float[np.ndarray, "R N"] | None = None,
    lags: bool = False,
    back: Float[np.ndarray, "S T"] | None = None,
    sides: tuple[str, str] = ("columns", "rows"),
    gold: tuple[Iterable[Link], Iterable[Link]] | None = None,
) -> "Figure":
    """The figure of one map.

    Args:
        weights: a row for each that looks, a column for each that is looked at.
        columns: names of what is looked at.
        rows: names of what looks.
        title: stands above.
        text: whether the columns are running text, to be shaded.
        note: what is said of the item besides.
        sentences: of a text that is a document, the columns of each.
        sentence_weights: a row for each that looks at them; None where nothing does.
        lags: whether the columns are numbers on an axis.
        back: what the columns look at among the rows; None where they do not.
        sides: what the text of the columns is then called, and that of the rows.
        gold: of two texts, sure and possible links (column, row), to be framed.
    """
    told = f"{title}: {note}" if note and title else title or note
    if back is not None:
        return both_ways(weights, back, columns, rows, sides, told)
    if sentences is not None:
        return by_sentence(weights, columns, sentences, sentence_weights, told)
    if lags:
        return over_lags(weights, columns, rows, told)
    return shaded(weights, columns, rows, told) if text else heatmap(weights, columns, rows, told, gold)
