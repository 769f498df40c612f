"""Cost against quality: a point a configuration, named beside it, so that no legend has to be searched."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from attnlab.errors import DataError
from attnlab.viz.chart import OVERLAID, PAPER, SMALL, canvas, count, dot_of, quiet, settle, size
from attnlab.viz.fonts import legible
from attnlab.viz.page import INK, style
from attnlab.viz.palette import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

# Where a name may stand, in points from its point: beside it first, then ever further away, above and below.
PLACES = [
    (side * (7 + far / 2), up * far)
    for far in range(0, 100, 6)
    for up in ((1, -1) if far else (1,))
    for side in (1, -1)
]


class Point(NamedTuple):
    """A configuration: cost and score of each seed."""

    label: str
    x: Sequence[float]
    y: Sequence[float]


def scatter(drawn: Sequence[Point], looks: Mapping[str, Look], x: str, y: str) -> "Figure":
    """Draw means over seeds, joined to each seed by a thin line; x is logarithmic where it spans a decade.

    Raises:
        DataError: there is no point, or one without seeds or with as many x as y, or one without a look.
    """
    if not drawn or any(not len(p.x) or len(p.x) != len(p.y) or p.label not in looks for p in drawn):
        raise DataError(
            f"{y} against {x}: {[(p.label, len(p.x), len(p.y)) for p in drawn]} came; expected configurations with a "
            "look, each with as many x as y, one or more"
        )
    width, height = size()
    figure = canvas(width, height + 0.15 * max(0, len(drawn) - OVERLAID))
    axes = figure.add_subplot()
    quiet(axes, x, y, grid="both")
    _scale(axes, [float(value) for point in drawn for value in point.x])
    for point in drawn:
        center, look = (float(np.mean(point.x)), float(np.mean(point.y))), looks[point.label]
        for seed in zip(point.x, point.y, strict=True):
            axes.plot(*zip(center, seed, strict=True), color=look.color, linewidth=0.7, alpha=0.5)
        axes.plot(*center, **dot_of(look) | {"markersize": 8})
    axes.margins(x=0.12, y=0.12)
    settle(figure)
    _name(axes, drawn)
    return figure


def _scale(axes: "Axes", x: Sequence[float]) -> None:
    from matplotlib.ticker import NullFormatter

    if min(x) > 0 and max(x) / min(x) > 10:
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.locator_params(axis="x", nbins=6)
    count(axes)


def _name(axes: "Axes", drawn: Sequence[Point]) -> None:
    """Write each name where it meets no point, no other name and no edge; a thin line leads to one further off."""
    from matplotlib.transforms import Bbox

    texts, fonts = legible([point.label for point in drawn])
    centers = [(float(np.mean(point.x)), float(np.mean(point.y))) for point in drawn]
    taken = [Bbox.from_bounds(a - 8, b - 8, 16, 16) for a, b in axes.transData.transform(centers)]
    taken += [Bbox.from_bounds(a - 2, b - 2, 4, 4) for a, b in axes.transData.transform(_along(drawn, centers))]
    for text, center in zip(texts, centers, strict=True):
        written = axes.annotate(
            text, center, xytext=PLACES[0], textcoords="offset points", va="center", **style(fonts, SMALL),
            bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.5},
            arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.4, "shrinkB": 4},
        )  # fmt: skip
        taken.append(_place(written, taken, axes.bbox))


def _along(drawn: Sequence[Point], centers: Sequence[tuple[float, float]]) -> Float[np.ndarray, "N 2"]:
    """Points on the thin lines to the seeds, close enough for a name to meet one."""
    steps = np.linspace(0, 1, 12)[:, None]
    lines = [
        np.asarray(center) + steps * (np.array(seed) - center)
        for point, center in zip(drawn, centers, strict=True)
        for seed in zip(point.x, point.y, strict=True)
    ]
    return np.concatenate(lines)


def _place(written: "Annotation", taken: "Sequence[Bbox]", page: "Bbox") -> "Bbox":
    """Take the first place that is free, or else the one that covers least."""
    costs = []
    for place in PLACES:
        box = _put(written, place)
        outside = box.width * box.height - _shared(box, page)
        cost = 4 * outside + sum(_shared(box, other) for other in taken)
        costs.append((cost, place))
        if cost < 1:
            break
    box = _put(written, min(costs, key=lambda found: found[0])[1])
    written.arrow_patch.set_visible(abs(written.xyann[1]) > 11)  # type: ignore[union-attr]
    return box


def _put(written: "Annotation", place: tuple[float, float]) -> "Bbox":
    """Put a name there and return what it covers, the line that leads to it left out."""
    from matplotlib.text import Text

    written.xyann = place
    written.set_horizontalalignment("left" if place[0] > 0 else "right")
    renderer = written.figure.canvas.get_renderer()  # type: ignore[union-attr, attr-defined]
    written.update_positions(renderer)
    return Text.get_window_extent(written, renderer)


def _shared(a: "Bbox", b: "Bbox") -> float:
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    return max(width, 0.0) * max(height, 0.0)
