"""Several mechanisms on one sentence: every weight at its place, one scale, words once, letters that can be read."""

import warnings
from itertools import combinations

import numpy as np
import pytest

from attnlab.errors import ConfigError, DataError
from attnlab.viz.heatmap import save
from attnlab.viz.page import NOTE
from attnlab.viz.palette import BLUES, ORANGES
from attnlab.viz.panels import Panel, side_by_side
from attnlab.viz.tikz import tikz_of
from attnlab.viz.widths import fit

SOURCE = ["If", "I", "cannot", "close", "the", "window", "today", ",", "he", "will", "laugh", "."]
TARGET = ["Falls", "ich", "heute", "das", "Fenster", "nicht", "zumachen", "kann", ",", "wird", "er", "lachen", "."]
GOLD = {(0, 0), (1, 1)}, {(2, 5)}


def panel(name, rows=TARGET, columns=SOURCE, gold=None, sign=1.0):
    rng = np.random.default_rng(len(name))
    return Panel(name, sign * rng.dirichlet(np.ones(len(columns)), len(rows)), columns, rows, gold)


def drawn(figure):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.canvas.draw()
    return figure


def maps(figure):
    return [axes for axes in figure.axes if axes.images and not axes.get_label().startswith("<colorbar")]


def words(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def test_every_map_has_its_weights_and_all_have_one_scale():
    panels = [panel(name) for name in ("bahdanau", "luong_dot", "none")]
    figure = drawn(side_by_side(panels, "a title"))
    for axes, one in zip(maps(figure), panels, strict=True):
        np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), one.weights)
        assert axes.images[0].get_clim() == (0, 1)
        assert [label.get_text() for label in axes.get_xticklabels()] == SOURCE
    assert [text.get_text() for text in figure.texts] == ["bahdanau", "luong_dot", "none", "a title"]
    first, second, third = maps(figure)  # in one line: rows are named once
    assert words(first) == TARGET
    assert not any(words(second) + words(third))
    assert first.get_position().x1 < second.get_position().x0 < second.get_position().x1 < third.get_position().x0


def test_rows_of_other_words_are_named():
    first, second = maps(drawn(side_by_side([panel("a"), panel("b", rows=["eins", "zwei"])])))
    assert (words(first), words(second)) == (TARGET, ["eins", "zwei"])


@pytest.mark.parametrize(
    ("size", "count", "width"),
    [((1, 1), 2, None), ((2, 12), 3, "8.4cm"), ((13, 12), 4, "17cm"), ((13, 12), 3, None), ((81, 80), 2, "17cm")],
)
def test_nothing_overlaps_and_letters_can_be_read(size, count, width):
    rows, columns = ([f"word{n}" for n in range(length)] for length in size)
    panels = [panel(f"mechanism {n}", rows, columns, ({(0, 0)}, set())) for n in range(count)]
    figure = side_by_side(panels, "a title", width)
    smallest = None if width is None else fit(figure, width)
    renderer = drawn(figure).canvas.get_renderer()
    wide, high = figure.canvas.get_width_height()
    labels = [text for axes in figure.axes for text in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    boxes = [text.get_window_extent(renderer) for text in (*labels, *figure.texts) if text.get_text()]
    assert all(box.x0 >= -1 and box.x1 <= wide + 1 and box.y0 >= -1 and box.y1 <= high + 1 for box in boxes)
    cells = [axes.get_window_extent(renderer) for axes in maps(figure)]
    headings = [text.get_window_extent(renderer) for text in figure.texts]
    assert not any(a.overlaps(b) for a, b in combinations([*cells, *headings], 2))
    if smallest is not None and max(size) < 20:  # of 80 words in a column nobody could
        assert smallest > 4.5


def test_a_line_has_as_many_as_can_be_read():
    panels = [panel(name) for name in ("one", "two", "three", "four")]
    lines = [len({round(axes.get_position().y0, 3) for axes in maps(side_by_side(panels, width=width))})
             for width in ("8.4cm", "17cm", "60cm")]  # fmt: skip
    assert lines == [4, 2, 1]


def test_signed_weights_have_a_colour_for_either_side():
    from matplotlib.colors import to_hex

    figure = drawn(side_by_side([panel("plain"), panel("signed", sign=-2.0)]))
    largest = float(np.abs(panel("signed", sign=-2.0).weights).max())
    for axes in maps(figure):
        assert axes.images[0].get_clim() == (-max(largest, 1), max(largest, 1))
        colors = [to_hex(axes.images[0].cmap(share)) for share in (0.0, 0.5, 1.0)]
        assert colors == [ORANGES[-1], "#ffffff", BLUES[-1]]
    few = drawn(side_by_side([Panel("signed", np.array([[-0.5, 0.25, 0.0]]), ["a", "b", "c"], ["x"])]))
    assert [text.get_text() for text in maps(few)[0].texts] == ["−.50", ".25"]


def test_gold_links_are_framed_in_every_map_and_told_of_once():
    figure = side_by_side([panel("a", gold=GOLD), panel("b", gold=GOLD)])
    assert [len(axes.patches) for axes in maps(figure)] == [3, 3]
    assert {axes.patches[n].get_linestyle() for axes in maps(figure) for n in (0, 1)} == {"solid"}
    assert maps(figure)[0].patches[2].get_linestyle() != "solid"
    assert [text.get_text() for text in figure.texts].count(NOTE) == 1


def test_what_does_not_fit_is_told(tmp_path):
    with pytest.raises(DataError, match="expected a row a target token"):
        side_by_side([panel("a"), panel("b")._replace(rows=["eins"])])
    with pytest.raises(ConfigError, match="expected a number with a unit"):
        side_by_side([panel("a")], width="8")
    save(side_by_side([panel("a"), panel("b")], width="17cm"), tmp_path / "a.pdf", "17cm")
    assert b"/FontFile2" in (tmp_path / "a.pdf").read_bytes()


def test_tikz_has_a_picture_each_in_colours_of_one_scale():
    text = tikz_of([panel("a_b", gold=GOLD), panel("signed", sign=-1.0)], "12cm")
    first, second = text.split(r"\begin{tikzpicture}")[1:]
    assert first.startswith("[x=0.5000cm, y=-0.5000cm")  # 12cm of 24 columns
    assert r"{\strut a\_b}" in first
    assert text.count(r"\definecolor{attention0}") == 1
    levels = [int(part.split("]")[0]) for part in second.split(r"\fill[attention")[1:]]
    assert max(levels) < 10  # below the middle, which is 0
