"""The figure of all ratios: a row each, its quartiles as a line, 1 and what was promised marked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.ticker import FixedLocator, NullLocator

ROW, EDGES = 0.27, 1.1  #: inches: of a row, and of all above and below the rows of a panel
TICKS = (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.4, 2, 3, 5, 7, 10, 20, 50)
COLOUR, FLOOR = "#1f5fa8", "#c2571a"


class Bar(NamedTuple):
    """A ratio of a table: what is compared stands in the words before the numbers of its row."""

    panel: str
    label: str
    median: float
    low: float
    high: float
    floor: float | None


def bars(name: str, lines: Sequence[dict[str, Any]]) -> list[Bar]:
    """Of the rows of one benchmark, as ``measure.results`` wrote them."""
    found = []
    for line in lines:
        words = []
        for column, cell in line["row"].items():
            if not isinstance(cell, str):
                break
            words.append(f"{column} {cell}" if cell.isdecimal() else cell)
        for cell in line["row"].values():
            if isinstance(cell, dict):
                label = ", ".join(words)
                found.append(Bar(name, label, cell["median"], cell["low"], cell["high"], cell.get("floor")))
    return found


def draw(found: Sequence[Bar], path: Path) -> None:
    """Write ``path`` with ``.png`` and ``.svg``; a panel a benchmark, on one logarithmic scale."""
    panels: dict[str, list[Bar]] = {}
    for bar in found:
        panels.setdefault(bar.panel, []).append(bar)
    heights = [len(rows) for rows in panels.values()]
    size = (8, sum(heights) * ROW + len(panels) * 0.5 + EDGES)
    figure, axes = plt.subplots(
        len(panels), 1, figsize=size, sharex=True, squeeze=False, layout="constrained", height_ratios=heights
    )
    for (name, rows), ax in zip(panels.items(), axes[:, 0], strict=True):
        panel(ax, name, rows)
    ends = [value for bar in found for value in (bar.low, bar.high, bar.median, bar.floor or 1.0, 1.0)]
    last = axes[-1, 0]
    last.set_xscale("log")
    last.set_xlim(0.85 * min(ends), 1.45 * max(ends))
    last.xaxis.set_major_locator(FixedLocator(TICKS))
    last.xaxis.set_minor_locator(NullLocator())
    last.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    last.set_xlabel("attnlab is … times faster: ratio of medians, quartiles by round")
    for ending in (".png", ".svg"):
        figure.savefig(path.with_suffix(ending), dpi=150)
    plt.close(figure)


def panel(ax: Any, name: str, rows: Sequence[Bar]) -> None:
    ax.axvline(1, color="0.2", linewidth=1.2, zorder=1)
    for place, bar in enumerate(rows):
        ax.plot([bar.low, bar.high], [place, place], color=COLOUR, linewidth=3, alpha=0.45, solid_capstyle="butt")
        ax.plot(bar.median, place, "o", color=COLOUR, markersize=5)
        ax.annotate(
            f"{bar.median:.2f}", (max(bar.high, bar.median, bar.floor or 0), place), (6, 0), textcoords="offset points",
            va="center", fontsize=8,
        )  # fmt: skip
        if bar.floor is not None:
            ax.plot(bar.floor, place, "|", color=FLOOR, markersize=11, markeredgewidth=2)
    ax.set_yticks(range(len(rows)), [bar.label for bar in rows], fontsize=8)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_title(name + ("  (orange: floor)" if any(bar.floor for bar in rows) else ""), loc="left", fontsize=9)
    ax.grid(axis="x", color="0.9", zorder=0)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.tick_params(axis="y", length=0)
