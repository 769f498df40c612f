"""What runs look at in one item, as a figure: the same data as the page's, in the style of all figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from attnlab.analysis.viewer.collected import BACK, MAIN, SENTENCES, Collected, Gold, Kind, Look, Viewed
from attnlab.atomic import write_text
from attnlab.errors import ConfigError
from attnlab.viz.heatmap import save
from attnlab.viz.joining import joined, words_of
from attnlab.viz.lags import of_several
from attnlab.viz.panels import Panel, side_by_side
from attnlab.viz.picture import picture
from attnlab.viz.shaded import Paragraph, paragraphs
from attnlab.viz.shares import shares
from attnlab.viz.tikz import tikz_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Chosen(NamedTuple):
    """What is drawn of an item."""

    look: str | None = None  #: ``own source``, ``own target``, ``own text``; None for what is shown first
    layer: int | None = None  #: from 1; None for the last one
    head: int | None = None  #: from 1; None for the mean of all
    joined: bool = False  #: whether pieces of words are made words
    width: str | None = None  #: of a column, ``8.4cm``


class Shown(NamedTuple):
    """What one run looks at, of the layer and head that were chosen."""

    name: str  #: of the run; empty where there is but one, at one moment
    weights: Float[np.ndarray, "T S"]
    look: Look
    item: Viewed


def save_picture(collected: Collected, item: int, chosen: Chosen, path: Path) -> None:
    """Draw an item to a file; its suffix says how: ``.png``, ``.pdf``, ``.svg``, or ``.tex`` for TikZ.

    Raises:
        ConfigError: there is no such item, look, layer, head, format or width.
    """
    if path.suffix != ".tex":
        return save(picture_of(collected, item, chosen), path, chosen.width)
    shown = shown_of(collected, item, chosen)
    if kind_of(shown, chosen) != "words":
        raise ConfigError(f"{path}: TikZ has maps of one text over another; write .pdf or .svg")
    write_text(path, tikz_of(panels(shown, chosen), chosen.width))
    return None


def picture_of(collected: Collected, item: int, chosen: Chosen) -> "Figure":
    """The figure of an item: maps side by side, texts one below another.

    Args:
        collected: whose items.
        item: its number, from 1, as the page counts them.
        chosen: what is drawn of it.

    Raises:
        ConfigError: there is no such item, look, layer, head or width.
    """
    shown = shown_of(collected, item, chosen)
    kind = kind_of(shown, chosen)
    if kind == "words":
        return side_by_side(panels(shown, chosen), width=chosen.width)
    if chosen.joined:
        raise ConfigError("joined=true: pieces are joined in maps of one text over another; leave it out")
    if len(shown) == 1:
        return alone(shown[0], kind)
    if kind == "lags":
        return of_several([(one.name, one.weights) for one in shown], shown[0].look.columns, shown[0].look.rows)
    return paragraphs([text for one in shown for text in texts(one)])


def kind_of(shown: Sequence[Shown], chosen: Chosen) -> Kind:
    """How columns are drawn; those of self-attention side by side."""
    return shown[0].item.kind if chosen.look is None else "words"


def alone(one: Shown, kind: Kind) -> "Figure":
    """What one run looks at in a running text, or among lags."""
    item, look, upper = one.item, one.look, one.item.looks.get(SENTENCES)
    return picture(
        one.weights, look.columns, look.rows, one.name, text=kind == "text", note=item.note, lags=kind == "lags",
        sentences=item.sentences, sentence_weights=None if upper is None else upper.weights.mean((0, 1)),
    )  # fmt: skip


def shown_of(collected: Collected, number: int, chosen: Chosen) -> list[Shown]:
    """Of every run that looks at something in the item.

    Raises:
        ConfigError: there is no such item, or none of them does; or a layer or head that a run has not.
    """
    if not 1 <= number <= len(collected.items):
        raise ConfigError(f"item={number}: there are {len(collected.items):,}, counted from 1")
    found = []
    for run in collected.runs:
        item = run.items[number - 1]
        look = item.looks.get(chosen.look) if chosen.look else item.main
        if look is not None:
            name = run.name if len(collected.runs) > 1 or run.moment else ""
            found.append(Shown(name, matrix(look, chosen, run.name), look, item))
    if not found:
        there = sorted({name for run in collected.runs for name in run.items[number - 1].looks} - {MAIN})
        told = f"look={chosen.look}" if chosen.look else f"item={number}"
        raise ConfigError(f"{told}: no run looks there; there is {', '.join(there) or 'nothing else'}")
    return found


def matrix(look: Look, chosen: Chosen, name: str) -> Float[np.ndarray, "T S"]:
    """Of the layer, and of the head or the mean of all."""
    layers, heads = look.weights.shape[:2]
    for told, number, count in (("layer", chosen.layer, layers), ("head", chosen.head, heads)):
        if number is not None and not 1 <= number <= count:
            raise ConfigError(f"{told}={number}: {name} has {count}, counted from 1")
    layer = look.weights[(chosen.layer or layers) - 1]
    found: np.ndarray = np.asarray(layer.mean(0) if chosen.head is None else layer[chosen.head - 1], np.float64)
    return found


def panels(shown: Sequence[Shown], chosen: Chosen) -> list[Panel]:
    """A map a run; where both sides look, two."""
    found = []
    for one in shown:
        gold = one.item.gold if chosen.look is None else None
        found.append(panel(one.name, one.weights, one.look, gold, chosen.joined))
        back = one.item.looks.get(BACK) if chosen.look is None else None
        if back is not None:
            told = ", ".join(filter(None, (one.name, "the other way")))
            found.append(panel(told, matrix(back, chosen, one.name), back, None, chosen.joined))
    return found


def panel(name: str, weights: Float[np.ndarray, "T S"], look: Look, gold: Gold | None, whole: bool) -> Panel:
    if not whole:
        return Panel(name, weights, look.columns, look.rows, gold)
    down, across = words_of(look.rows), words_of(look.columns)
    table, rows, columns = joined(weights, look.rows, look.columns)
    if gold is None:
        return Panel(name, table, columns, rows)
    sure, possible = ([(across[column], down[row]) for column, row in links] for links in gold)
    return Panel(name, table, columns, rows, (sure, possible))


def texts(one: Shown) -> list[Paragraph]:
    """A text a look; of a document one, its words shaded by those of its sentences, too."""
    name = f"{one.name}, {one.item.note}" if one.item.note else one.name
    if one.item.sentences is not None:
        above = one.item.looks.get(SENTENCES)
        upper = None if above is None else above.weights.mean((0, 1, 2))
        dark = shares(one.weights.mean(0), one.item.sentences, upper)
        return [Paragraph(name, one.look.columns, dark, shares=True)]
    names = [name] if len(one.look.rows) == 1 else [f"{name}, {row}" for row in one.look.rows]
    return [Paragraph(told, one.look.columns, row) for told, row in zip(names, one.weights, strict=True)]
