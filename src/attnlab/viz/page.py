"""The page of a heatmap: texts are measured, then every distance is set in inches; nothing overlaps."""

from collections.abc import Sequence
from math import cos, radians, sin
from textwrap import wrap
from typing import TYPE_CHECKING, Any, NamedTuple

from attnlab.viz.fonts import DEFAULT, legible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL, SMALLEST_CELL, AXIS = (
    0.45,
    0.16,
    11.0,
)  # inches: a cell, and the length that cells shrink to stay within
PAD, GAP, BAR, BAR_LABELS, TALLEST_BAR = 0.12, 0.06, 0.14, 0.32, 3.0  # inches
FONT, SMALLEST_FONT, TITLE_FONT, NOTE_FONT = 10.0, 6.5, 11.0, 7.5  # points
LINE = 1.4 / 72  # inches of a line for each point of the font
SLANT = 45.0  # degrees, of labels wider than their column
LONGEST = 32  # characters of a label; a longer one loses its middle
DPI, PIXELS = 150.0, 12_000.0  # the longest side of a picture is never more than PIXELS
INK = "#222222"
NOTE = "framed: sure link, dashed: possible link"


class Labels(NamedTuple):
    """The labels of one axis as they are drawn, and their sizes."""

    texts: list[str]
    fonts: list[str]
    size: float  #: points
    widths: list[float]  #: inches


class Page(NamedTuple):
    """Where the cells are, in inches from the lower left corner, and what is drawn around them."""

    width: float
    height: float
    left: float
    bottom: float
    columns: float  #: width of all columns
    rows: float  #: height of all rows
    slant: float  #: degrees, of the column labels
    title: str  #: broken into lines
    title_fonts: list[str]

    def box(self, left: float, bottom: float, width: float, height: float) -> tuple[float, float, float, float]:
        """Turn inches into the fractions of the page that matplotlib asks for."""
        return left / self.width, bottom / self.height, width / self.width, height / self.height


def cell_size(rows: int, columns: int) -> float:
    """Return the side of a cell in inches: the more cells, the smaller."""
    return min(max(AXIS / max(rows, columns), SMALLEST_CELL), CELL)


def labels(tokens: Sequence[str], cell: float) -> Labels:
    """Make tokens drawable, cut the overlong, and measure them."""
    size = min(max(0.45 * 72 * cell, SMALLEST_FONT), FONT)
    texts, fonts = legible(tokens)
    texts = [_shorten(text) for text in texts]
    return Labels(texts, fonts, size, [width for width, _ in extents(texts, fonts, size)])


def lay_out(
    across: Labels, down: Labels, cell: float, title: str, note: bool, bar: bool = True, square: bool = False
) -> Page:
    """Fix the page for labels across the top and down the left, a title above and a line of notes below.

    ``bar`` says whether there is room for a scale at the right, ``square`` that cells are no wider than high.
    """
    count, widest = len(across.texts), max(across.widths) + 2 * GAP
    # A few short words lie flat over columns a little wider than high; others are slanted over square cells.
    flat = widest <= (cell if square else 2 * cell) and count * widest <= AXIS
    column, slant = (max(cell, widest), 0.0) if flat else (cell, SLANT)
    up = max(across.widths) * sin(radians(slant)) + across.size * LINE
    ends = [(i + 0.5) * column + width * cos(radians(slant)) for i, width in enumerate(across.widths)]
    beyond = max((2 * GAP + BAR + BAR_LABELS) * bar, 0.0 if flat else max(ends) - count * column)
    left, bottom = PAD + max(down.widths) + GAP, PAD + (NOTE_FONT * LINE + GAP) * note
    footing = extents([NOTE], [DEFAULT], NOTE_FONT)[0][0] if note else 0.0
    width, rows = max(left + count * column + beyond, PAD + footing) + PAD, len(down.texts) * cell
    lines, fonts = wrap_title(title, width - 2 * PAD)
    head = extents([lines], fonts, TITLE_FONT)[0][1] + 2 * GAP if lines else 0.0
    height = bottom + rows + GAP + up + head + PAD
    return Page(width, height, left, bottom, count * column, rows, slant, lines, fonts)


def sheet(page: Page) -> "Figure":
    """Take an empty figure of the size of the page: no window, no global state, the Agg canvas."""
    return blank(page.width, page.height)


def blank(width: float, height: float) -> "Figure":
    """An empty figure of so many inches, likewise."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = (width, height)
    figure = Figure(figsize=size, dpi=min(DPI, PIXELS / max(size)), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def style(fonts: Sequence[str], size: float) -> dict[str, Any]:
    """Set a text: ``$5$`` is a price here, not a formula."""
    return {"fontfamily": list(fonts), "fontsize": size, "color": INK, "parse_math": False}


def _shorten(text: str) -> str:
    head = LONGEST * 2 // 3
    return text if len(text) <= LONGEST else f"{text[:head]}…{text[head + 1 - LONGEST :]}"


def wrap_title(title: str, width: float) -> tuple[str, list[str]]:
    """Break a title into lines of at most ``width`` inches."""
    (text,), fonts = legible([" ".join(title.split())])
    lines, letters = text, len(text)
    while letters > 1 and extents([lines], fonts, TITLE_FONT)[0][0] > width:
        letters = letters * 9 // 10
        lines = "\n".join(wrap(text, letters))
    return lines, fonts


def extents(texts: Sequence[str], fonts: Sequence[str], size: float) -> list[tuple[float, float]]:
    """Measure texts: width and height of each in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(dpi=DPI)
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    boxes = [figure.text(0, 0, text, **style(fonts, size)).get_window_extent(renderer) for text in texts]
    return [(box.width / DPI, box.height / DPI) for box in boxes]
