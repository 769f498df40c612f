"""The picture of two sentences that look at each other: every weight at its place, both ways, labels apart."""

import warnings
from itertools import pairwise

import numpy as np
import pytest

from attnlab.types import DataError
from attnlab.viz.both_ways import both_ways

PREMISE, HYPOTHESIS = ["two", "old", "men", "sing"], ["nobody", "sings"]


def drawn(figure):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.canvas.draw()
    return figure


def weights(rows, columns):
    return np.random.default_rng(1).dirichlet(np.ones(columns), rows)


def words(texts):
    return [text.get_text() for text in texts]


def test_each_way_has_its_weights_and_the_words_of_both_axes():
    there, back = weights(2, 4), weights(4, 2)
    figure = drawn(both_ways(there, back, PREMISE, HYPOTHESIS, ("premise", "hypothesis"), "pair 3"))
    first, second = (axes for axes in figure.axes if axes.images)
    for axes, table, down, across in ((first, there, HYPOTHESIS, PREMISE), (second, back, PREMISE, HYPOTHESIS)):
        np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), table)
        assert (words(axes.get_yticklabels()), words(axes.get_xticklabels())) == (down, across)
    assert first.get_position().x1 < second.get_position().x0
    assert words(figure.texts) == [
        "each word of the hypothesis looks at the premise",
        "each word of the premise looks at the hypothesis",
        "pair 3",
    ]


@pytest.mark.parametrize("size", [(1, 1), (3, 12), (40, 41)])
def test_nothing_overlaps_and_nothing_is_cut_off(size):
    down, across = ([f"word{n}" for n in range(count)] for count in size)
    figure = drawn(both_ways(weights(*size), weights(*size[::-1]), across, down, title="a long title " * 12))
    renderer = figure.canvas.get_renderer()
    width, height = figure.canvas.get_width_height()
    labels = [text for axes in figure.axes for text in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    boxes = [text.get_window_extent(renderer) for text in (*labels, *figure.texts)]
    assert all(box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1 for box in boxes)
    headings = [text.get_window_extent(renderer) for text in figure.texts]
    assert not any(a.overlaps(b) for i, a in enumerate(headings) for b in headings[:i])
    for axes in figure.axes:
        if axes.images and size[0] > 1:
            rows = [text.get_window_extent(renderer) for text in axes.get_yticklabels()]
            assert not any(a.overlaps(b) for a, b in pairwise(rows))
            assert rows[0].height > 6.5 / 72 * figure.dpi * 0.6  # still legible


def test_weights_that_do_not_fit_are_told():
    with pytest.raises(DataError, match="2 target and 4 source tokens"):
        both_ways(weights(3, 4), weights(4, 3), PREMISE, HYPOTHESIS)
