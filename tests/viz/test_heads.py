"""The picture of all heads: each at its place, words where they are legible, wrong input refused."""

import itertools
import warnings

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from attnlab.types import DataError
from attnlab.viz.heads import SMALLEST_WORD, head_grid

SOURCE, TARGET = ["she", "kissed", "him"], ["sie", "küsste", "ihn", "</s>"]


def weights(layers: int, heads: int, rows: int, columns: int) -> torch.Tensor:
    return torch.randn(layers, heads, rows, columns, generator=torch.Generator().manual_seed(1)).softmax(-1)


def drawn(figure: Figure) -> Figure:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.canvas.draw()
    return figure


def test_every_head_of_every_layer_is_at_its_place() -> None:
    table = weights(3, 2, 4, 3)
    figure = drawn(head_grid(table, SOURCE, TARGET, "all of them"))
    grid = np.array(figure.axes).reshape(3, 2)
    for layer in range(3):
        for head in range(2):
            shown = grid[layer, head].images[0]
            np.testing.assert_array_equal(np.asarray(shown.get_array()), table[layer, head].numpy())
            assert shown.get_clim() == (0, 1)
    centres = [[sum(axes.get_position().get_points()) / 2 for axes in row] for row in grid]
    assert all(upper[0][1] > lower[0][1] for upper, lower in itertools.pairwise(centres)), "layers go down"
    assert all(left[0] < right[0] for left, right in centres), "heads go across"
    assert [axes.get_title() for axes in grid[0]] == ["head 1", "head 2"]
    assert [axes.get_ylabel() for axes in grid[:, 0]] == ["layer 1", "layer 2", "layer 3"]


def test_words_stand_at_the_edges_while_they_are_legible() -> None:
    figure = drawn(head_grid(weights(2, 2, 4, 3), SOURCE, TARGET))
    first, beside, below, _ = figure.axes
    assert [label.get_text() for label in first.get_yticklabels()] == TARGET
    assert [label.get_text() for label in below.get_xticklabels()] == SOURCE
    assert not beside.get_yticklabels()
    assert not first.get_xticklabels()
    many = [f"word{number}" for number in range(60)]
    crowded = drawn(head_grid(weights(1, 8, 4, 60), many, TARGET)).axes[0]
    assert not crowded.get_xticklabels()
    assert all(label.get_fontsize() >= SMALLEST_WORD for label in crowded.get_yticklabels())


def test_weights_that_do_not_fit_the_words() -> None:
    with pytest.raises(DataError, match=r"shape \(1, 1, 4, 3\) came with 4 target and 2 source"):
        head_grid(weights(1, 1, 4, 3), SOURCE[:2], TARGET)
    with pytest.raises(DataError, match=r"12 of 12 weights are nan"):
        head_grid(torch.full((1, 1, 4, 3), torch.nan), SOURCE, TARGET)
