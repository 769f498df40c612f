"""How far two directions agree, against sets."""

import numpy as np

from attnlab.metrics.word_alignment.agreement import agreements, cells

SHAPES = [(2, 3), (1, 2)]  # source words, target words


def test_agreement_is_that_of_sets():
    rng = np.random.default_rng(3)

    def drawn():
        return [{(int(i), int(j)) for i, j in np.argwhere(rng.random(shape) < 0.5)} for shape in SHAPES]

    forward, backward = ([drawn() for _ in range(4)] for _ in range(2))
    found = agreements(*(np.stack([cells(way, SHAPES) for way in ways]) for ways in (forward, backward)))
    for row, one in enumerate(forward):
        for column, other in enumerate(backward):
            both = sum(len(a & b) for a, b in zip(one, other, strict=True))
            sizes = sum(len(a) + len(b) for a, b in zip(one, other, strict=True))
            assert np.isclose(found[row, column], 2 * both / sizes)


def test_nothing_agrees_with_nothing():
    nothing = np.zeros((1, 6), dtype=bool)
    assert agreements(nothing, nothing).item() == 0
