"""The figures of a paper: as wide as its column, with their letters in them, as PDF and as SVG."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from attnlab.analysis.comparison import Comparison
from attnlab.analysis.latex import Room, escaped, float_of
from attnlab.analysis.maps import AttentionMap
from attnlab.analysis.report.figures import draw
from attnlab.analysis.report.tables import opening
from attnlab.analysis.runs import Run
from attnlab.analysis.viewer.collected import Asked, Collected, ViewedRun, as_kept
from attnlab.analysis.viewer.pictures import Chosen, picture_of
from attnlab.viz.chart import OVERLAID, as_wide_as
from attnlab.viz.heatmap import save
from attnlab.viz.palette import looks

INCH = 2.54  # cm
DRAWN = 1 / 0.9  # as large as printed: then letters of 9 and 8 points have 8 and 7
READABLE = 9  # columns of a map that is shown, where there is one of about so many


class Figure(NamedTuple):
    """One that was written."""

    name: str
    caption: str
    broad: bool  #: goes over all columns
    files: tuple[Path, ...]

    @property
    def latex(self) -> str:
        width = r"\textwidth" if self.broad else r"\columnwidth"
        return float_of(
            self.name,
            f"{escaped(self.caption)}",
            [f"  \\includegraphics[width={width}]{{figures/{self.name}}}"],
            self.broad,
            "figure",
        )


def write_figures(comparison: Comparison, folder: Path, room: Room) -> list[Figure]:
    """Draw what the runs have the numbers for."""
    return [*charts(comparison, folder, room), *attention(comparison, folder, room)]


def charts(comparison: Comparison, folder: Path, room: Room) -> Iterator[Figure]:
    """Scores, by length, by frequency, by step, against cost."""
    chosen = looks([item.name for item in comparison.configurations], comparison.baseline)
    with as_wide_as(DRAWN * room.column / INCH):
        drawn = draw(comparison, chosen)
    for one in drawn:
        files = tuple(folder / f"{one.name}{suffix}" for suffix in (".svg", ".pdf"))
        width = f"{room.text if one.broad else room.column:g}cm"
        for path in files:
            save(one.figure, path, width)
        yield Figure(one.name, f"{opening(one.title)}. {one.caption}", one.broad, files)


def attention(comparison: Comparison, folder: Path, room: Room) -> Iterator[Figure]:
    """What each mechanism looks at in one item that all of them have kept; nothing where none has."""
    found = {name: {item.number: item for item in run.maps(comparison.split) if item.weights.size}
             for name, run in looking(comparison)}  # fmt: skip
    found = {name: maps for name, maps in found.items() if maps}
    numbers = set.intersection(*(set(maps) for maps in found.values())) if found else set()
    if not numbers:
        return
    number = min(numbers, key=lambda number: (distance(next(iter(found.values()))[number]), number))
    runs = [ViewedRun(name, "", [as_kept(maps[number], None)]) for name, maps in found.items()]
    words = comparison.words
    collected = Collected("", [Asked("")], runs, words, (words.columns, words.rows))
    files = tuple(folder / f"attention{suffix}" for suffix in (".svg", ".pdf"))
    broad = len(runs) > 1 or runs[0].items[0].kind != "words"
    width = f"{room.text if broad else room.column:g}cm"
    figure = picture_of(collected, 1, Chosen(width=width))
    for path in files:
        save(figure, path, width)
    seed = next(iter(dict(looking(comparison)).values())).seed
    told = f"Attention in {words.item} {number + 1} of {comparison.split}, by a run of each"
    told += f" (seed {seed})." if seed is not None else "."
    yield Figure("attention", told, broad, files)


def looking(comparison: Comparison) -> list[tuple[str, Run]]:
    """The first run of each configuration that has kept its attention, best configuration first."""
    best = [row.configuration for row in comparison.rows[comparison.split]]
    runs = [(name, comparison.configuration(name).runs[0]) for name in best]
    return [(name, run) for name, run in runs if run.maps_file(comparison.split) is not None][:OVERLAID]


def distance(item: AttentionMap) -> int:
    """From a map that is easy to read in print."""
    return abs(len(item.source_tokens) - READABLE)
