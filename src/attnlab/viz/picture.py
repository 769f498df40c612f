"""How one item's attention is drawn: as a table of two texts, or as one text that is shaded, by sentences or not."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from attnlab.viz.documents import by_sentence
from attnlab.viz.heatmap import heatmap
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
    """
    told = f"{title}: {note}" if note else title
    if sentences is not None:
        return by_sentence(weights, columns, sentences, sentence_weights, told)
    return shaded(weights, columns, rows, told) if text else heatmap(weights, columns, rows, title=told)
