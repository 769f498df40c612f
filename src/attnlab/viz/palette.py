"""One look for each configuration, the same in every figure: a hue, a marker and a dash pattern.

The first eight hues stay apart for readers with deuteranopia and protanopia too, and all of them keep a contrast of
3:1 (WCAG 2.2, 1.4.11) on white and on the dark page alike. Marker and dashes say again what the hue says, so that
nothing is told by colour alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from attnlab.errors import ConfigError, DataError
from attnlab.viz.page import INK

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

# Chosen one after the other to be as far from those before, and from INK, as the bounds on luminance allow:
# least distance in CAM02-UCS under normal vision and both simulated dichromacies (eight), normal vision (the rest).
HUES = (
    "#7446df", "#c28a1b", "#11a3b4", "#b1357a", "#1f8d5b", "#fe557e", "#8f84fe", "#926411",
    "#e351fa", "#c03012", "#046ba3", "#75a304", "#f66624", "#ac10cc", "#576e06", "#ca78aa",
)  # fmt: skip
# White to dark blue in equal steps of CIELAB: equal steps of weight look equal, on a grey printer too. On a dark page
# from its ground to light blue, likewise.
BLUES = ("#ffffff", "#e0e9f8", "#c1d1ef", "#a0b8e2", "#7f9ed2", "#5f83bd", "#3f66a5", "#224b89", "#08306b")
BLUES_ON_DARK = ("#15181c", "#1f2a39", "#2a3f5a", "#3a577d", "#5274a0", "#7092c1", "#93b0dc", "#b6cdf1", "#d8e8ff")
# White to dark orange, as dark as the blues are, for what stands beside them.
ORANGES = ("#ffffff", "#fce5d4", "#f7cba9", "#eeb07c", "#e0944f", "#c57a33", "#a2611f", "#7d4910", "#583005")
ORANGES_ON_DARK = ("#15181c", "#33241a", "#523420", "#744928", "#9a6334", "#bf7f47", "#dd9d66", "#f0bf94", "#fadfc7")
LEVELS = 20  #: shades of a scale
MINUS = "\N{MINUS SIGN}"
SLACK = 1e-3  #: by which rounding may take a weight below 0 or above 1
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h")
DASHES: tuple[tuple[float, ...], ...] = ((), (5, 1.5), (1.5, 1.2), (6, 1.5, 1.5, 1.5), (3, 1, 1, 1, 1, 1))

Dashes = tuple[float, ...]
CHOSEN: ContextVar[str | None] = ContextVar("the colours of weights", default=None)


class Look(NamedTuple):
    color: str  #: ``#rrggbb``
    marker: str  #: of matplotlib
    dashes: Dashes  #: on, off, …, in line widths; empty is a solid line

    @property
    def line(self) -> tuple[float, Dashes] | str:
        """The dash pattern as matplotlib wants it."""
        return (0.0, self.dashes) if self.dashes else "solid"


@contextmanager
def colored(cmap: str | None) -> Iterator[None]:
    """Within, weights are drawn in a colour map of matplotlib's; None leaves what holds, at first white to dark blue.

    Raises:
        ConfigError: there is no such colour map.
    """
    require_colors(cmap)
    before = CHOSEN.set(cmap or CHOSEN.get())
    try:
        yield
    finally:
        CHOSEN.reset(before)


def require_colors(cmap: str | None) -> None:
    """See that there is such a colour map.

    Raises:
        ConfigError: there is none.
    """
    if cmap is None:
        return
    from matplotlib import colormaps

    if cmap not in colormaps:
        raise ConfigError(f"cmap={cmap}: expected a colour map of matplotlib's, as viridis, magma_r, cividis, gray_r")


def colors(usual: "Colormap | None" = None) -> "Colormap":
    """That are chosen by name, or the usual ones: of weights from 0 to 1."""
    from matplotlib import colormaps

    return (usual or scale(BLUES)) if (cmap := CHOSEN.get()) is None else colormaps[cmap]


class Shades(NamedTuple):
    """Which colour each weight has."""

    map: "Colormap"
    low: float  #: the weight of its first colour
    high: float  #: and of its last

    def __call__(self, weight: float) -> tuple[float, ...]:
        return self.map((weight - self.low) / (self.high - self.low))

    @property
    def drawn(self) -> dict[str, Any]:
        """What ``imshow`` takes."""
        return {"cmap": self.map, "vmin": self.low, "vmax": self.high}

    @property
    def ticks(self) -> tuple[list[float], list[str]]:
        """Where its bar is marked, and how: both ends and the middle."""
        places = [self.low, (self.low + self.high) / 2, self.high]
        return places, [f"{place:.2g}".replace("0.", ".").replace("-", MINUS) for place in places]


def shades(*tables: np.ndarray, stretched: bool = False) -> Shades:
    """The colours of weights: from 0 to 1, or to the largest of all that are drawn together.

    Signed weights have a colour for either side of 0, orange below and blue above, white between.

    Args:
        tables: what is drawn.
        stretched: whether the last colour is that of the largest weight, even where that is below 1.
    """
    least, most = (float(pick([pick(table) for table in tables])) for pick in (np.min, np.max))
    largest = max(most, -least)
    high = largest if largest > 0 and (stretched or largest > 1 + SLACK) else 1.0
    if least >= -SLACK:
        return Shades(colors(), 0.0, high)
    return Shades(colors(scale((*reversed(ORANGES), *BLUES[1:]))), -high, high)


def scale(stops: Sequence[str]) -> "Colormap":
    """From the first of the colours to the last."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("attention", stops, 257)  # an odd number has a middle: 0 is white


def ink_on(color: tuple[float, ...]) -> str:
    """White or ink, whichever can be read better on a colour (red, green, blue, from 0 to 1)."""
    ground = "#" + "".join(f"{round(255 * part):02x}" for part in color[:3])
    return max((INK, "#ffffff"), key=lambda ink: contrast(ink, ground))


def steps(colors: Sequence[str]) -> list[str]:
    """A scale in ``LEVELS`` steps without the ground that it begins with."""
    at = np.linspace(0, 1, len(colors))
    stops = np.array([_rgb(color) for color in colors])
    found = [[round(float(np.interp(level / LEVELS, at, one))) for one in stops.T] for level in range(1, LEVELS + 1)]
    return ["#" + "".join(f"{part:02x}" for part in color) for color in found]


def contrast(a: str, b: str) -> float:
    """The contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted(map(_luminance, (a, b)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    rgb = np.array(_rgb(color)) / 255
    return float(np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def _rgb(color: str) -> list[int]:
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def looks(labels: Sequence[str], baseline: str | None = None) -> dict[str, Look]:
    """Give every configuration its look, in the order of ``labels``; the baseline is drawn in ink and dashed.

    Args:
        labels: one a configuration, no two alike.
        baseline: the label that others are compared with.

    Raises:
        DataError: two configurations have one label, or the baseline is none of them.
    """
    if len(set(labels)) < len(labels) or (baseline is not None and baseline not in labels):
        raise DataError(
            f"labels {list(labels)} with baseline {baseline!r} came; expected labels that differ, the baseline among "
            "them; name the configurations apart"
        )
    others = [label for label in labels if label != baseline]
    chosen = {label: _look(number) for number, label in enumerate(others)}
    if baseline is not None:
        chosen[baseline] = Look(INK, "o", (3, 1.5))
    return {label: chosen[label] for label in labels}


def _look(number: int) -> Look:
    """Eleven markers are coprime to sixteen hues and five patterns: only number 880 looks like number 0."""
    return Look(HUES[number % len(HUES)], MARKERS[number % len(MARKERS)], DASHES[number % len(DASHES)])
