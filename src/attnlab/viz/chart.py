"""The frame of a chart: a figure with no window and no global state, quiet axes, a legend outside them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from math import ceil
from typing import TYPE_CHECKING, Any

from attnlab.viz.fonts import DEFAULT, legible
from attnlab.viz.page import DPI, INK, LINE, extents, style
from attnlab.viz.palette import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 5.0, 3.0  # inches: two side by side on a page, one on a telephone
FONT, SMALL = 9.0, 8.0  # points
RULE, PAPER = "#d9d9d9", "#ffffff"
OVERLAID = 8  #: lines up to which one pair of axes stays readable
LOWEST = 2.2  # inches of a narrow chart without its legend
HANDLE = 0.5  # inches of a legend's sample line and the space around an entry


CHOSEN: ContextVar[float] = ContextVar("the width of charts, in inches", default=WIDTH)


@contextmanager
def as_wide_as(inches: float) -> Iterator[None]:
    """Within, charts are drawn so wide, their letters as large as ever."""
    before = CHOSEN.set(inches)
    try:
        yield
    finally:
        CHOSEN.reset(before)


def size() -> tuple[float, float]:
    """Width and height of a chart, in inches."""
    width = CHOSEN.get()
    return width, max(HEIGHT * min(width / WIDTH, 1.0), LOWEST)


def canvas(width: float, height: float) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, facecolor=PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def quiet(axes: "Axes", x: str, y: str, grid: str = "y", size: float = FONT) -> None:
    """Name the axes and leave of the frame what is needed: two spines and faint lines."""
    axes.set_facecolor("none")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=INK, linewidth=0.7)
    axes.grid(axis=grid, color=RULE, linewidth=0.6)  # type: ignore[arg-type]
    axes.set_axisbelow(True)
    axes.tick_params(length=3, width=0.7, color=INK, labelcolor=INK, labelsize=SMALL, labelfontfamily=DEFAULT)
    axes.set_xlabel(x, **style([DEFAULT], size))
    axes.set_ylabel(y, **style([DEFAULT], size))


def count(axes: "Axes") -> None:
    """Write thousands on the axis along the bottom as k; what is less than one stays a fraction, not 200m."""
    from matplotlib.ticker import EngFormatter, FuncFormatter

    large = EngFormatter(sep="")
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:g}" if abs(value) < 1000 else large.format_eng(value))
    )


def legend(figure: "Figure", looks: Mapping[str, Look], labels: Sequence[str]) -> None:
    """Put a legend under the axes, in as many columns as fit, and make the figure higher by its height."""
    from matplotlib.lines import Line2D

    texts, fonts = legible(labels)
    width, height = figure.get_size_inches()
    widest = max(extent for extent, _ in extents(texts, fonts, SMALL)) + HANDLE
    columns = max(1, min(len(texts), int(width / widest)))
    handles = [Line2D([], [], **look_of(looks[label])) for label in labels]
    figure.set_size_inches(width, height + ceil(len(texts) / columns) * LINE * FONT + 0.1)
    box = figure.legend(
        handles, texts, loc="outside lower center", ncols=columns, frameon=False, handlelength=2.4, columnspacing=1.2
    )
    for text in box.get_texts():
        text.set(**style(fonts, SMALL))


def settle(figure: "Figure") -> "Figure":
    """Lay a figure out once; writing it to several files does not do it again."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure


def look_of(look: Look) -> dict[str, Any]:
    """Draw a line so."""
    return {"color": look.color, "linestyle": look.line, "linewidth": 1.6, **_marked(look)}


def dot_of(look: Look) -> dict[str, Any]:
    """Draw a point so."""
    return {"color": look.color, "linestyle": "none", **_marked(look)}


def _marked(look: Look) -> dict[str, Any]:
    return {"marker": look.marker, "markersize": 5.5, "markeredgecolor": PAPER, "markeredgewidth": 0.7}
