"""Charts of comparisons: they show the numbers they were given, and nothing covers anything."""

import re
from itertools import combinations, pairwise
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from attnlab.errors import DataError
from attnlab.viz.bars import Bar, bars
from attnlab.viz.chart import OVERLAID
from attnlab.viz.curves import Curve, curves
from attnlab.viz.fonts import legible
from attnlab.viz.page import INK
from attnlab.viz.palette import looks
from attnlab.viz.scatter import Point, scatter
from attnlab.viz.svg import inline, swatch

NAMES = ["none", "bahdanau", "luong_general decoder=luong", "$x_1$", "_hidden", "注意", "<b>&\"'", "مرحبا"]
MANY = [*NAMES, *(f"configuration_{number}" for number in range(10))]


def pixels(figure: Figure) -> None:
    figure.canvas.draw()


def some_curves(names: list[str], seeds: int = 3) -> list[Curve]:
    random = np.random.default_rng(0)
    x = np.arange(6.0)
    return [Curve(name, [(x, 90 - 3 * x + random.normal(0, 2, 6)) for _ in range(seeds)]) for name in names]


def visible_texts(figure: Figure) -> list[Text]:
    """Names of axes, ticks, panels, points and legend entries, where they are shown at all."""
    found = [*figure.texts, figure._supxlabel, figure._supylabel]
    found += [text for legend in figure.legends for text in legend.get_texts()]
    for axes in figure.axes:
        if axes.get_visible():
            # A tick beyond the limits is not drawn; panels above others have no labels at all.
            low, high = sorted(axes.get_xlim())
            found += [t for at, t in zip(axes.get_xticks(), axes.get_xticklabels(), strict=False) if low <= at <= high]
            low, high = sorted(axes.get_ylim())
            found += [t for at, t in zip(axes.get_yticks(), axes.get_yticklabels(), strict=False) if low <= at <= high]
            found += [*axes.texts, axes.xaxis.label, axes.yaxis.label, axes._left_title]
    return [text for text in found if text is not None and text.get_visible() and text.get_text().strip()]


def overlap(a: Bbox, b: Bbox) -> bool:
    shared = Bbox.intersection(a, b)
    return shared is not None and min(shared.width, shared.height) > 1


def test_mean_of_seeds_point_by_point() -> None:
    nan = float("nan")
    lines = [
        (np.array([0.0, 10.0, 20.0, 30.0]), np.array([1.0, 2.0, 6.0, 4.0])),
        (np.array([3.0, 14.0, 22.0, 36.0, 40.0]), np.array([3.0, nan, 8.0, 6.0, 9.0])),
    ]
    x, y = Curve("a", lines).mean
    assert x.tolist() == [1.5, 21.0, 33.0]  # a nan is no point; the fifth has but one seed
    assert y.tolist() == [2.0, 7.0, 5.0]
    assert Curve("a", []).mean[0].size == Curve("a", [(np.array([1.0]), np.array([nan]))]).mean[0].size == 0


def test_few_curves_lie_over_each_other() -> None:
    given = some_curves(NAMES[:3])
    figure = curves(given, looks(NAMES[:3], "none"), "words", "BLEU")
    (axes,) = figure.axes
    drawn = {tuple(np.round(line.get_ydata(), 6)): line.get_color() for line in axes.lines}
    for curve, look in zip(given, looks(NAMES[:3], "none").values(), strict=True):
        for _, y in [curve.mean, *curve.lines]:
            assert drawn[tuple(np.round(y, 6))] == look.color
    assert axes.get_xlabel() == "words"
    assert axes.get_ylabel() == "BLEU"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == NAMES[:3]


def test_buckets_show_how_far_seeds_lie_apart() -> None:
    x = np.arange(2.0)
    given = [Curve("a", [(x, np.array([1.0, 5.0])), (x, np.array([3.0, 9.0]))])]
    axes = curves(given, looks(["a"]), "words", "BLEU", ["1–5", "≥ 6"]).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1–5", "≥ 6"]
    (reach,) = axes.collections
    ends = [path.vertices[:, 1].tolist() for path in reach.get_paths()]
    assert np.array(ends) == pytest.approx(np.array([[1.0, 3.0], [5.0, 9.0]]))
    assert axes.lines[-1].get_ydata() == pytest.approx([2.0, 7.0])


def test_many_curves_become_small_multiples() -> None:
    given = some_curves(MANY)
    figure = curves(given, looks(MANY, "none"), "words", "BLEU", [str(i) for i in range(6)])
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert len(MANY) > OVERLAID
    assert len(shown) == len(MANY)
    chosen = looks(MANY, "none")
    for axes, curve in zip(shown, given, strict=True):
        assert axes.lines[-1].get_color() == chosen[curve.label].color
        assert axes.lines[-1].get_ydata() == pytest.approx(curve.mean[1])
        (others,) = [item for item in axes.collections if len(item.get_paths()) == len(MANY)]
        assert [path.vertices[:, 1].tolist() for path in others.get_paths()] == [c.mean[1].tolist() for c in given]
    assert len({axes.get_ylim() for axes in shown}) == 1


@pytest.mark.parametrize("names", [NAMES[:1], NAMES, MANY], ids=len)
@pytest.mark.parametrize("kind", ["curves", "buckets", "bars", "scatter"])
def test_nothing_overlaps_or_leaves_the_page(names: list[str], kind: str) -> None:
    random, chosen = np.random.default_rng(1), looks(names)
    near = [(name, [500.0 + n + random.normal(0, 1)], [90 + random.normal(0, 0.3)]) for n, name in enumerate(names)]
    draw: dict[str, Any] = {
        "curves": lambda: curves(some_curves(names), chosen, "optimizer steps", "BLEU"),
        "buckets": lambda: curves(some_curves(names), chosen, "w", "B", [f"{i}–{i + 9}\nn = 1,000" for i in range(6)]),
        "bars": lambda: bars([Bar(name, [80, 90.0, 100], (85.0, 95.0)) for name in names], chosen, "BLEU"),
        "scatter": lambda: scatter([Point(*item) for item in near], chosen, "parameters", "BLEU"),
    }
    figure = draw[kind]()
    pixels(figure)
    page = figure.bbox.padded(1)
    for text in visible_texts(figure):
        box = text.get_window_extent()
        assert page.x0 <= box.x0 <= box.x1 <= page.x1, text
        assert page.y0 <= box.y0 <= box.y1 <= page.y1, text
    for legend in figure.legends:
        assert not any(overlap(legend.get_window_extent(), axes.bbox) for axes in figure.axes)
    drawn = set(visible_texts(figure))
    for axes in figure.axes:
        for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
            boxes = [label.get_window_extent() for label in labels if label in drawn and not label.get_rotation()]
            assert not any(overlap(a, b) for a, b in pairwise(boxes))


def test_names_of_points_do_not_cover_each_other() -> None:
    names = MANY[:12]
    given = [Point(name, [1000.0 + 40 * n], [50.0 + (n % 5)]) for n, name in enumerate(names)]
    figure = scatter(given, looks(names), "tokens per second", "BLEU")
    pixels(figure)
    texts = [text for text in figure.axes[0].texts if text.get_text()]
    assert len(texts) == len(names)
    boxes = [text.get_bbox_patch().get_window_extent() for text in texts]
    assert not any(overlap(a.padded(-2), b.padded(-2)) for a, b in combinations(boxes, 2))
    centers = figure.axes[0].transData.transform([(point.x[0], point.y[0]) for point in given])
    assert not any(box.padded(-2).contains(*center) for box in boxes for center in centers)


def test_scatter_takes_a_logarithm_where_costs_span_a_decade() -> None:
    near, far = ([Point("a", [1e6], [1.0]), Point("b", [x], [2.0])] for x in (5e6, 2e7))
    chosen = looks(["a", "b"])
    assert scatter(near, chosen, "x", "y").axes[0].get_xscale() == "linear"
    assert scatter(far, chosen, "x", "y").axes[0].get_xscale() == "log"


@pytest.mark.parametrize(("reach", "told"), [(0.9, r"0|0\.\d+"), (9000.0, r"0|\d+k")])
def test_steps_along_the_bottom_are_written_short(reach: float, told: str) -> None:
    """Thousands as k; 0.2 seconds are not 200m, which reads as minutes."""
    x = np.linspace(0, reach, 5)
    figure = curves([Curve("a", [(x, x)])], looks(["a"]), "training time (s)", "loss")
    figure.draw_without_rendering()
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    shown = [tick.label1.get_text() for tick in axes.xaxis.get_major_ticks() if low <= tick.get_loc() <= high]
    assert len(shown) > 2
    assert all(re.fullmatch(told, text) for text in shown), shown


def test_bars_begin_at_zero_and_show_every_seed() -> None:
    given = [Bar("a", [3.0, 5.0]), Bar("b", [10.0], (8.0, 11.0))]
    axes = bars(given, looks(["a", "b"]), "BLEU").axes[0]
    assert [(bar.get_x(), bar.get_width()) for bar in axes.patches] == [(0, 4.0), (0, 10.0)]
    assert axes.get_xlim()[0] == 0
    rings = next(line for line in axes.lines if line.get_marker() == "o")
    assert sorted(rings.get_xdata()) == [3.0, 5.0]
    whiskers = [
        sorted(line.get_xdata()) for line in axes.lines if line.get_color() == INK and len(line.get_xdata()) == 2
    ]
    assert [3.0, 5.0] in whiskers
    assert [8.0, 11.0] in whiskers
    assert [text.get_text() for text in axes.texts] == ["4.00", "10.00"]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: curves([], {}, "x", "y"),
        lambda: curves([Curve("a", [])], looks(["a"]), "x", "y"),
        lambda: curves(some_curves(["a"]), looks(["b"]), "x", "y"),
        lambda: bars([], {}, "x"),
        lambda: bars([Bar("a", [])], looks(["a"]), "x"),
        lambda: scatter([], {}, "x", "y"),
        lambda: scatter([Point("a", [1.0], [1.0, 2.0])], looks(["a"]), "x", "y"),
    ],
)
def test_what_cannot_be_drawn_is_said(draw: Any) -> None:
    with pytest.raises(DataError):
        draw()


def test_inline_svg_stands_in_a_page_with_others() -> None:
    chosen = looks(NAMES)
    parts = [inline(curves(some_curves(NAMES), chosen, "x", "y"), name, "a < b", 'say "so" & <x>') for name in "pq"]
    for part in parts:
        assert "http" not in part  # no name space, no metadata
        assert "<style" not in part
        assert INK not in part
        assert "var(--ink)" in part
    root = ElementTree.fromstring(f'<page xmlns:xlink="x">{"".join(parts)}</page>')
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(set(ids)) == len(ids)
    known = set(ids)
    used = re.findall(r'(?:url\(#|xlink:href="#|aria-labelledby=")([^")]+)', "".join(parts))
    assert used
    assert all(name in known for group in used for name in group.split())
    assert root[0][0].text == "a < b"
    assert root[0][1].text == 'say "so" & <x>'
    texts = {"".join(element.itertext()).strip() for element in root.iter("text")}
    assert set(legible(NAMES)[0]) <= texts  # texts, not outlines; spelt out where no font here has the characters


def test_swatches_have_the_look() -> None:
    for look in looks(MANY).values():
        root = ElementTree.fromstring(swatch(look))
        assert all(look.color in str(path.get("style")) for path in root)
        box = [float(number) for number in re.findall(r"[-\d.]+", str(root[1].get("d")))]
        assert min(box) >= 0
        assert max(box[0::2]) <= 30
        assert max(box[1::2]) <= 12
