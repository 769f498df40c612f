"""Heatmaps: what stands where, that nothing overlaps, and that wrong input is refused."""

import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from attnlab.types import ConfigError, DataError
from attnlab.viz import fonts
from attnlab.viz.heatmap import heatmap, save
from attnlab.viz.page import INK
from attnlab.viz.palette import BLUES as COLORS
from attnlab.viz.palette import colored

Words = list[str]

ENGLISH = ["she", "kissed", "him", "."]
GERMAN = ["sie", "hat", "ihn", "geküsst", "."]
LONG = [
    "Die",
    "Donaudampfschifffahrtsgesellschaftskapitänswitwenrente",
    "ist",
    "außergewöhnlich",
    "hoch",
    ",",
    "sagt",
    "Bundesausbildungsförderungsgesetz",
]
JAPANESE = ["彼", "は", "昨日", "新しい", "本", "を", "買い", "ました", "。"]


def some(rows: int, columns: int) -> np.ndarray:
    return np.random.default_rng(1).dirichlet(np.full(columns, 0.3), size=rows)


def pixels(figure: Figure) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()  # type: ignore[attr-defined]


def cell_colors(figure: Figure, rows: int, columns: int) -> np.ndarray:
    """Sample each cell of the drawn picture near its upper left corner, clear of the text in its middle."""
    image = pixels(figure)
    box = figure.axes[0].get_window_extent()
    across = box.x0 + (np.arange(columns) + 0.15) * box.width / columns
    down = len(image) - box.y1 + (np.arange(rows) + 0.15) * box.height / rows
    sampled: np.ndarray = image[np.ix_(down.astype(int), across.astype(int))]
    return sampled


def shown_labels(figure: Figure) -> tuple[Words, Words]:
    axes = figure.axes[0]
    return [t.get_text() for t in axes.get_xticklabels()], [t.get_text() for t in axes.get_yticklabels()]


def test_source_runs_across_and_target_down() -> None:
    weights = np.zeros((3, 4))
    weights[0, 3] = weights[2, 1] = 1.0
    figure = heatmap(weights, ["a", "b", "c", "d"], ["x", "y", "z"])
    dark = cell_colors(figure, 3, 4).sum(-1) < 300
    assert dark.tolist() == [[False] * 3 + [True], [False] * 4, [False, True, False, False]]
    assert shown_labels(figure) == (["a", "b", "c", "d"], ["x", "y", "z"])
    top = figure.axes[0].get_window_extent().y1
    assert all(label.get_window_extent().y0 >= top for label in figure.axes[0].get_xticklabels())
    labels = figure.axes[0].get_yticklabels()
    assert labels[0].get_window_extent().y0 > labels[2].get_window_extent().y1


def test_colours_mean_the_same_in_every_figure() -> None:
    low, high = (
        heatmap(np.array([[0.25]]), ["a"], ["b"]),
        heatmap(np.array([[0.25, 0.75]]), ["a", "b"], ["c"]),
    )
    assert cell_colors(low, 1, 1)[0, 0].tolist() == cell_colors(high, 1, 2)[0, 0].tolist()
    expected = 255 * np.array([to_rgb(COLORS[2]), to_rgb(COLORS[6])])
    assert cell_colors(high, 1, 2)[0] == pytest.approx(expected, abs=1.5)
    bar = high.axes[1]
    assert bar.get_ylim() == (0.0, 1.0)
    assert [label.get_text() for label in bar.get_yticklabels()] == ["0", "1"]


def test_colours_of_ones_own() -> None:
    weights = np.array([[0.0, 0.3, 0.7]])
    with colored("viridis"):
        figure = heatmap(weights, ["a", "b", "c"], ["d"])
    expected = 255 * np.array([matplotlib.colormaps["viridis"](weight)[:3] for weight in weights[0]])
    assert cell_colors(figure, 1, 3)[0] == pytest.approx(expected, abs=1.5)
    inks = {text.get_text(): text.get_color() for text in figure.axes[0].texts}
    assert inks == {".30": "#ffffff", ".70": INK}, "read on dark blue, and on light green"
    after = cell_colors(heatmap(weights, ["a", "b", "c"], ["d"]), 1, 3)
    assert after[0, 0] == pytest.approx([255] * 3), "and only there"
    with pytest.raises(ConfigError, match=r"cmap=virdis: expected a colour map of matplotlib's"), colored("virdis"):
        pass


def lab(color: str) -> np.ndarray:
    """Convert sRGB (D65) to CIELAB, IEC 61966-2-1 and CIE 15."""
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratio = matrix @ linear / matrix.sum(1)
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_colours_are_perceptually_uniform_and_survive_grey() -> None:
    points = np.array([lab(color) for color in COLORS])
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert steps.max() / steps.min() < 1.1  # eight bits a colour leave that much
    assert (np.diff(points[:, 0]) < -7).all()  # each step is darker by 7 of 100


CASES: dict[str, tuple[Words, Words, str | None]] = {
    "one": (["hi"], ["hallo"], None),
    "three": (ENGLISH[:3], ["sie", "küsste", "ihn"], "luong_concat, epoch 3: she kissed him, he kissed her"),
    "ten": ([f"word{i}" for i in range(12)], [f"wort{i}" for i in range(10)], "twelve by ten"),
    "forty": ([f"committee{i}" for i in range(40)], [f"Ausschuss{i}" for i in range(40)], "title " * 60),
    "wide": ([f"w{i}" for i in range(60)], ["x"], "wide"),
    "tall": (["x"], [f"w{i}" for i in range(60)], "a title far wider than this figure, in several lines"),
    "long across": (LONG, ENGLISH, "long words across"),
    "long down": (ENGLISH, LONG, "long words down"),
    "japanese": (ENGLISH, JAPANESE, "彼は昨日新しい本を買いました。" * 5),
    "odd": (["$5$", "x_1^2", "\n", " ", "\\frac{"], ["𓀀𓀁", "%s", "{", "#", "<unk>"], "$x \\frac"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("gold", [None, ({(0, 0)}, set())], ids=["plain", "gold"])
def test_nothing_overlaps_or_leaves_the_page(case: tuple[Words, Words, str | None], gold: Any) -> None:
    source, target, title = case
    figure = heatmap(some(len(target), len(source)), source, target, title, gold)
    pixels(figure)
    axes, bar = figure.axes
    labels = [*axes.get_xticklabels(), *axes.get_yticklabels(), *bar.get_yticklabels()]
    boxes = [text.get_window_extent() for text in [*labels, *figure.texts]] + [bar.bbox]
    page = figure.bbox.padded(1)
    for box in boxes:
        assert page.x0 <= box.x0 <= box.x1 <= page.x1
        assert page.y0 <= box.y0 <= box.y1 <= page.y1
        assert not overlap(box, axes.bbox)
    for text in figure.texts:
        assert not any(overlap(text.get_window_extent(), label.get_window_extent()) for label in labels)
    across, down = axes.get_xticklabels(), axes.get_yticklabels()
    for line in (down, bar.get_yticklabels(), across if across[0].get_rotation() == 0 else []):
        extents = [label.get_window_extent() for label in line]
        assert not any(overlap(a, b) for a, b in pairwise(extents))
    if across[0].get_rotation():  # neighbours run in parallel: they keep apart by more than a line
        apart = axes.bbox.width / len(source) * np.sin(np.radians(across[0].get_rotation()))
        assert apart * 72 / figure.dpi > 1.1 * across[0].get_fontsize()
    assert len(figure.texts) == (title is not None) + (gold is not None)


def overlap(a: Bbox, b: Bbox) -> bool:
    shared = Bbox.intersection(a, b)
    return shared is not None and min(shared.width, shared.height) > 1


@pytest.mark.parametrize("count", [3, 40, 100])
def test_labels_stay_legible(count: int) -> None:
    words = [f"Wort{i}" for i in range(count)]
    figure = heatmap(some(count, count), words, words)
    assert all(label.get_fontsize() >= 6.5 for label in figure.axes[0].get_xticklabels())
    assert figure.axes[0].bbox.height / figure.dpi >= 0.15 * count  # inches: room for a line of 6.5 points
    assert (figure.axes[0].get_xticklabels()[0].get_rotation() == 0) == (count == 3)


def test_huge_figures_stay_within_bounds() -> None:
    words = ["w"] * 600
    figure = heatmap(np.zeros((1, 600)), words, ["x"])
    assert max(figure.get_size_inches()) * figure.dpi <= 12_000


def test_overlong_words_lose_their_middle() -> None:
    label = shown_labels(heatmap(some(1, 8), LONG, ["x"]))[0][1]
    assert len(label) == 32
    head, tail = label.split("…")
    assert LONG[1].startswith(head)
    assert LONG[1].endswith(tail)


def test_weights_are_written_where_cells_are_few() -> None:
    few = heatmap(np.array([[0.93, 0.066, 0.004], [0.0, 1.0, 0.0]]), ENGLISH[:3], ["x", "y"])
    assert [text.get_text() for text in few.axes[0].texts] == [".93", ".07", "1"]
    assert not heatmap(some(11, 10), ["a"] * 10, ["b"] * 11).axes[0].texts


def test_end_of_sentence_row() -> None:
    assert shown_labels(heatmap(some(6, 4), ENGLISH, GERMAN))[1] == [*GERMAN, "</s>"]
    assert shown_labels(heatmap(some(6, 4), ENGLISH, [*GERMAN, "</s>"]))[1] == [*GERMAN, "</s>"]
    assert shown_labels(heatmap(some(5, 4), ENGLISH, GERMAN))[1] == GERMAN


def test_gold_links_are_framed() -> None:
    figure = heatmap(some(5, 4), ENGLISH, GERMAN, gold=([(0, 0), (2, 2)], [(0, 0), (1, 1), (1, 3)]))
    frames = {}
    for frame in figure.axes[0].patches:
        box = frame.get_path().get_extents(frame.get_patch_transform())
        frames[round((box.x0 + box.x1) / 2), round((box.y0 + box.y1) / 2)] = frame.get_linestyle()
        assert not frame.get_fill()
    assert frames.keys() == {(0, 0), (2, 2), (1, 1), (1, 3)}  # (source across, target down)
    assert {link for link, line in frames.items() if line == "solid"} == {(0, 0), (2, 2)}
    assert not heatmap(some(5, 4), ENGLISH, GERMAN).axes[0].patches


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_takes_tensors_and_arrays(dtype: torch.dtype) -> None:
    weights = torch.tensor([[0.25, 0.75], [1.0, 0.0]], dtype=dtype, requires_grad=True)
    assert (
        pixels(heatmap(weights, ["a", "b"], ["c", "d"]))
        == pixels(heatmap(np.array([[0.25, 0.75], [1.0, 0.0]]), ["a", "b"], ["c", "d"]))
    ).all()


@pytest.mark.parametrize(
    ("weights", "gold", "message"),
    [
        (np.zeros((5, 3)), None, "expected a row a target token"),
        (np.zeros((4, 4)), None, "expected a row a target token"),
        (np.zeros((7, 4)), None, "expected a row a target token"),
        (np.zeros((5, 0)), None, "expected a row a target token"),
        (np.full((5, 4), np.nan), None, "20 of 20 weights are nan or infinite"),
        (np.full((5, 4), -np.inf), None, "expected numbers"),
        (np.zeros((5, 4)), ({(4, 0)}, set()), "gold link 4-0 lies outside 4 source and 5 target tokens"),
        (np.zeros((5, 4)), (set(), {(0, -1)}), "gold link 0--1 lies outside"),
    ],
)
def test_wrong_input(weights: np.ndarray, gold: Any, message: str) -> None:
    source = ENGLISH if weights.shape[1] else []
    with pytest.raises(DataError, match=message):
        heatmap(weights, source, GERMAN, gold=gold)


def test_no_font_for_japanese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "installed", lambda: ())
    figure = heatmap(some(10, 4), ENGLISH, JAPANESE, title="日本")
    pixels(figure)  # a missing glyph would be a warning
    assert shown_labels(figure)[1][:3] == ["U+5F7C", "U+306F", "U+6628 U+65E5"]
    assert figure.texts[0].get_text() == "U+65E5 U+672C"


def test_threads_draw_the_same() -> None:
    def one(size: int) -> bytes:
        return pixels(heatmap(some(size, size), ["wort"] * size, ["word"] * size, "title")).tobytes()

    sizes = [2, 5, 9] * 2
    alone = [one(size) for size in sizes]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, sizes)) == alone


def test_leaves_global_state_alone() -> None:
    before = dict(matplotlib.rcParams)
    pixels(heatmap(some(5, 4), ENGLISH, GERMAN, "title", gold=({(0, 0)}, set())))
    assert dict(matplotlib.rcParams) == before
    program = (
        "import sys, numpy, attnlab.viz.heatmap as h; assert 'matplotlib' not in sys.modules;"
        "h.heatmap(numpy.eye(2), ['a', 'b'], ['c', 'd']); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("suffix", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml"), ("PNG", b"\x89PNG")]
)
def test_save(tmp_path: Path, suffix: str, begins: bytes) -> None:
    path = tmp_path / "new" / f"map.{suffix}"
    save(heatmap(some(10, 4), ENGLISH, JAPANESE, "日本"), path)
    assert path.read_bytes().startswith(begins)


@pytest.mark.parametrize("name", ["map.xyz", "map"])
def test_save_names_the_formats(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"cannot draw a .* use one of .*png"):
        save(heatmap(some(5, 4), ENGLISH, GERMAN), tmp_path / name)
