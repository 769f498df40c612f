r"""How far two directions draw the same links: what is known of an alignment without gold links.

$$F_1 = \frac{2 |A \cap B|}{|A| + |B|}$$

over all pairs together, with A of the one direction and B of the other, its links turned. Where one is taken for gold
it is 1 - AER (Och and Ney 2003). Chen et al. 2020, "Accurate word alignment induction from neural machine translation",
section 3.1, choose the layer by it.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

Cells = Bool[np.ndarray, "K C"]  #: a row a way to draw links, a column a cell of any pair


def agreements(forward: Cells, backward: Cells) -> Float[np.ndarray, "K L"]:
    """F1 of every way of the one direction with every way of the other; 0 where neither draws anything."""
    a, b = forward.astype(np.float32), backward.astype(np.float32)
    both, sizes = a @ b.T, a.sum(1)[:, None] + b.sum(1)[None]
    return 2 * both / np.maximum(sizes, 1)


def cells(links: Sequence[set[tuple[int, int]]], shapes: Sequence[tuple[int, int]]) -> Bool[np.ndarray, " C"]:
    """The links of pairs as one row: whether each cell, (source word, target word), of each pair is linked.

    Args:
        links: of each pair.
        shapes: source words and target words of each pair.
    """
    rows = []
    for linked, shape in zip(links, shapes, strict=True):
        table = np.zeros(shape, dtype=bool)
        for source, target in linked:
            table[source, target] = True
        rows.append(table.reshape(-1))
    return np.concatenate(rows)
