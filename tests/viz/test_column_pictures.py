"""Pictures for a paper: as wide as a column, with their fonts, as TikZ, of words whose pieces are joined."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from attnlab.errors import ConfigError, DataError
from attnlab.viz.heads import head_grid
from attnlab.viz.heatmap import heatmap, save
from attnlab.viz.joining import joined, words_of
from attnlab.viz.tikz import tikz
from attnlab.viz.widths import inches

ROWS, COLUMNS = ["die", "Katze", "sieht", "{50%}", "</s>"], ["the", "cat", "sees", "50_$"]
WEIGHTS = np.random.default_rng(2).dirichlet(np.ones(4), 5)
GOLD = ([(0, 0), (1, 1)], [(1, 1), (3, 2)])


def places(figure: Figure) -> dict[str, Any]:
    """Where texts stand, in parts of the figure."""
    figure.canvas.draw()
    size = np.tile(figure.get_size_inches() * figure.dpi, 2)
    found = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text().strip()]
    return {text.get_text(): np.array(text.get_window_extent().extents) / size for text in found}


@pytest.mark.parametrize("width", ["8.4cm", "240pt"])
def test_a_figure_is_as_wide_as_a_column_and_looks_the_same(width: str, tmp_path: Path) -> None:
    figure = heatmap(WEIGHTS, COLUMNS, ROWS, "a title", GOLD)
    before = places(figure)
    save(figure, tmp_path / "a.svg", width)
    unit = {"cm": 72 / 2.54, "pt": 72 / 72.27}[width[-2:]]
    points = re.search(r'<svg[^>]* width="([\d.]+)pt"', (tmp_path / "a.svg").read_text("utf-8"))
    assert points is not None
    assert float(points[1]) == pytest.approx(float(width[:-2]) * unit, abs=0.01)
    for text, place in places(figure).items():
        assert place == pytest.approx(before[text], abs=0.04), text  # letters are set to whole pixels


def test_letters_are_in_the_files(tmp_path: Path) -> None:
    for suffix in ("pdf", "svg", "png"):
        save(heatmap(WEIGHTS, COLUMNS, ROWS), tmp_path / f"a.{suffix}", "8.4cm")
    pdf = (tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile2" in pdf  # TrueType, not the Type 3 that publishers refuse
    assert b"/Subtype /Type3" not in pdf
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+)", pdf)
    assert box is not None
    assert float(box[1]) == pytest.approx(8.4 / 2.54 * 72, abs=0.01)
    assert "<text" not in (tmp_path / "a.svg").read_text("utf-8")  # outlines
    assert int.from_bytes((tmp_path / "a.png").read_bytes()[16:20], "big") == pytest.approx(8.4 / 2.54 * 300, abs=1)


def test_every_head_fits_a_column(tmp_path: Path) -> None:
    table = np.random.default_rng(3).dirichlet(np.ones(4), (2, 3, 5))
    save(head_grid(table, COLUMNS, ROWS), tmp_path / "a.pdf", "17cm")
    assert b"/MediaBox" in (tmp_path / "a.pdf").read_bytes()


@pytest.mark.parametrize(("width", "expected"), [("84mm", 84 / 25.4), ("3.3in", 3.3), ("72 bp", 1.0)])
def test_units_are_tex_s(width: str, expected: float) -> None:
    assert inches(width) == pytest.approx(expected)


@pytest.mark.parametrize("width", ["8", "8 parsecs", "-1cm", "0cm", "cm"])
def test_what_is_no_width_is_refused(width: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected a number with a unit \(in, cm, mm, pt, bp\)"):
        save(heatmap(WEIGHTS, COLUMNS, ROWS), tmp_path / "a.pdf", width)


def test_tikz_has_every_cell_and_link() -> None:
    text = tikz(WEIGHTS, COLUMNS, ROWS, GOLD, "4cm")
    cells = np.zeros_like(WEIGHTS)
    for level, column, row in re.findall(r"\\fill\[attention(\d+)\] \((\d+),(\d+)\)", text):
        cells[int(row), int(column)] = int(level) / 20
    assert cells == pytest.approx(WEIGHTS, abs=1 / 40 + 1e-9)
    assert r"\begin{tikzpicture}[x=1.0000cm, y=-1.0000cm" in text
    assert r"{\strut 50\_\$}" in text
    assert r"{\strut \{50\%\}}" in text
    frames = re.findall(r"\\draw\[gold, line width=1pt(, densely dashed)?\] \(([\d.]+),([\d.]+)\)", text)
    assert [(bool(dashed), int(float(x)), int(float(y))) for dashed, x, y in frames] == [
        (False, 0, 0), (False, 1, 1), (True, 3, 2),
    ]  # fmt: skip
    with pytest.raises(DataError, match="expected a row a target token"):
        tikz(WEIGHTS, COLUMNS[1:], ROWS)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="LaTeX is not installed")
def test_latex_sets_it(tmp_path: Path) -> None:
    picture = tikz(WEIGHTS, COLUMNS, [*ROWS[:-1], 'a\\b~c^d|"e'], GOLD)
    head = r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{tikz}\begin{document}"
    (tmp_path / "a.tex").write_text(head + picture + r"\end{document}", "utf-8")
    told = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"],
        check=False, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout[-2000:]


def test_pieces_become_words() -> None:
    rows, columns = ["▁un", "glaub", "lich", "</s>"], ["▁in", "cred", "ible", "▁dogs", "."]
    weights = np.random.default_rng(4).dirichlet(np.ones(5), (2, 4))
    table, words, read = joined(weights, rows, columns)
    assert (words, read) == (["unglaublich", "</s>"], ["incredible", "dogs."])
    for head in range(2):  # by loops: the mean over pieces that read, the sum over pieces that are read
        for row, pieces in enumerate([[0, 1, 2], [3]]):
            for column, parts in enumerate([[0, 1, 2], [3, 4]]):
                expected = sum(weights[head, t, s] for t in pieces for s in parts) / len(pieces)
                assert table[head, row, column] == pytest.approx(expected)
    assert table.sum(-1) == pytest.approx(np.ones((2, 2)))


def test_words_are_told_by_either_mark() -> None:
    assert words_of(["[CLS]", "un", "##happy", "dogs", "[SEP]"]) == [0, 1, 1, 2, 3]
    assert words_of(["<s>", "▁a", "b", "</s>"]) == [0, 1, 1, 2]
    assert words_of(["a", "b", "c"]) == [0, 1, 2]
