"""The figures of the report: drawn from a comparison, put inline, and saved beside it for papers."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from attnlab.analysis.comparison import Bin, Breakdown, Comparison, Estimate
from attnlab.analysis.groups import Configuration
from attnlab.analysis.report.forecasts import drawn_forecasts
from attnlab.analysis.runs import Point, Run
from attnlab.atomic import replacing
from attnlab.metrics.quantities.costs import PARAMETERS
from attnlab.metrics.quantities.loss import LOSS
from attnlab.metrics.quantity import Quantity
from attnlab.metrics.text_scores import TextScore
from attnlab.viz.bars import Bar, bars
from attnlab.viz.chart import OVERLAID
from attnlab.viz.curves import Curve, Line, curves
from attnlab.viz.palette import Look
from attnlab.viz.scatter import Point as Spot
from attnlab.viz.scatter import scatter
from attnlab.viz.svg import inline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".svg", ".png")


class Drawn(NamedTuple):
    name: str  #: of its files too
    title: str
    caption: str
    figure: "Figure"
    broad: bool  #: wants the whole width of the page

    def inline(self) -> str:
        return inline(self.figure, self.name, self.title, self.caption)


def draw(comparison: Comparison, looks: Mapping[str, Look]) -> list[Drawn]:
    """Draw all figures that the runs have the numbers for."""
    parts: tuple[Callable[[Comparison, Mapping[str, Look]], list[Drawn]], ...]
    parts = (by_length, by_frequency, scores, forecasts, learning, cost_quality)
    return [drawn for part in parts for drawn in part(comparison, looks)]


def save(drawn: Drawn, folder: Path) -> list[Path]:
    """Write a figure as SVG, texts as outlines, and as PNG."""
    from matplotlib import rc_context

    paths = [folder / f"{drawn.name}{suffix}" for suffix in SUFFIXES]
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "attnlab"}):
        for path in paths:
            metadata = {"Date": None, "Title": drawn.title} if path.suffix == ".svg" else {"Title": drawn.title}
            with replacing(path) as temporary:
                drawn.figure.savefig(temporary, metadata=metadata)
    return paths


def by_length(comparison: Comparison, looks: Mapping[str, Look]) -> list[Drawn]:
    table = comparison.by_length
    if table is None:
        return []
    quantity = comparison.quantities[table.score]
    like = ", as in figure 2 of Bahdanau et al. (2015)" if isinstance(quantity, TextScore) else ""
    caption = (
        f"On {', '.join(table.splits)}{like}; n is the number of {comparison.words.items}. Bars reach from the lowest "
        "seed to the highest."
    )
    title = f"{quantity.title} by {table.unit.partition(' ')[0]} length"
    return _breakdown(table, looks, f"{table.score}-by-length", title, quantity.title, caption)


def by_frequency(comparison: Comparison, looks: Mapping[str, Look]) -> list[Drawn]:
    table = comparison.by_frequency
    if table is None:
        return []
    caption = (
        f"F1 of the words of {', '.join(table.splits)} by how often they occur in the training targets; n is the "
        "number of words in the references. Bars reach from the lowest seed to the highest."
    )
    return _breakdown(table, looks, "f1-by-frequency", "Word F1 by training frequency", "F1 (%)", caption)


def scores(comparison: Comparison, looks: Mapping[str, Look]) -> list[Drawn]:
    """Bars of the metric of the comparison on each split."""
    quantity, drawn = comparison.quantity, []
    for split in comparison.splits:
        found = [(row.configuration, row.scores[comparison.metric]) for row in comparison.rows[split]
                 if comparison.metric in row.scores
                 and np.isfinite(row.scores[comparison.metric].values).all()]  # fmt: skip
        if not found:
            continue
        rows = [Bar(name, item.values, _interval(item)) for name, item in found]
        over = next((item.over for _, item in found if item.over), "")
        caption = f"{quantity.better.capitalize()} is better. A ring is a training run"
        caption += f"; the whisker is the {100 * (1 - comparison.level):g}% interval over {over}." if over else "."
        figure = bars(rows, looks, f"{quantity.title} on {split}", quantity.digits)
        drawn.append(Drawn(f"{quantity.name}-{split}", f"{quantity.title} on {split}", caption, figure, False))
    return drawn


def forecasts(comparison: Comparison, looks: Mapping[str, Look]) -> list[Drawn]:
    """Of a series: what came and what was forecast, in an early and the last window."""
    caption = "What came (grey) and what was forecast, by one run of each configuration, the best ones first."
    return [
        Drawn(f"forecast-{number}", f"Forecasts of {comparison.words.item} {number}", caption, figure, True)
        for number, figure in drawn_forecasts(comparison, looks)
    ]


def learning(comparison: Comparison, looks: Mapping[str, Look]) -> list[Drawn]:
    """The validation score by optimizer step and by training time."""
    runs = [run for item in comparison.configurations for run in item.runs]
    wanted = [item for item in watched(comparison) if any(_curve(run, item.key("val"), _step) for run in runs)]
    if not wanted:
        return []
    key, y = wanted[0].key("val"), f"validation {wanted[0].title}"
    drawn = []
    for name, of, x, words in (
        ("steps", _step, "optimizer steps", "optimizer step"),
        ("seconds", _seconds, "training time (s)", "training time"),
    ):
        lines = [Curve(item.name, _curves(item, key, of)) for item in comparison.configurations]
        lines = [curve for curve in lines if curve.lines]
        if not any(curve.mean[0].size for curve in lines):
            continue
        caption = (
            f"{y[0].upper()}{y[1:]}. Faint: each seed; full: their mean at each validation that all of them reached."
        )
        figure = curves(lines, looks, x, y)
        broad = len(lines) > OVERLAID
        drawn.append(Drawn(f"learning-{name}", f"Learning curve by {words}", caption, figure, broad))
    return drawn


def watched(comparison: Comparison) -> list[Quantity]:
    """What a learning curve is drawn of: the first score, else what checkpoints were chosen by, else the loss."""
    contents = comparison.configurations[0].runs[0].contents
    names = (next(iter(comparison.quantities)), contents.monitor.rpartition("/")[2], LOSS.name)
    return [contents.quantities[name] for name in dict.fromkeys(names) if name in contents.quantities]


def cost_quality(comparison: Comparison, looks: Mapping[str, Look]) -> list[Drawn]:
    """The metric of the comparison against training speed, and against size."""
    quantity, drawn = comparison.quantity, []
    speed = next((cost for cost in comparison.costs.values() if cost.split == "train" and cost.higher_is_better), None)
    for cost, name in ((speed, "speed"), (PARAMETERS, "size")):
        if cost is None:
            continue
        key, points = cost.key(), []
        for item in comparison.configurations:
            both = [(run.metric(key), run.metric(quantity.key(comparison.split))) for run in item.runs]
            known = [(x, y) for x, y in both if x is not None and y is not None]
            if known:
                points.append(Spot(item.name, *map(list, zip(*known, strict=True))))
        if not points:
            continue
        x = f"{cost.title} ({cost.unit})" if cost.unit else cost.title
        caption = (
            f"On {comparison.split}. {quantity.better.capitalize()} and further to the "
            f"{'right' if cost.better == 'higher' else 'left'} is better. Thin lines lead to the single seeds."
        )
        figure = scatter(points, looks, x, f"{quantity.title} on {comparison.split}")
        title = f"{quantity.title} against {cost.title}"
        drawn.append(Drawn(f"{quantity.name}-against-{name}", title, caption, figure, False))
    return drawn


def bin_label(item: Bin) -> str:
    if item.high is None:
        return f"≥ {item.low}"
    return str(item.low) if item.low == item.high else f"{item.low}–{item.high}"


def _breakdown(table: Breakdown, looks: Mapping[str, Look], name: str, title: str, y: str, caption: str) -> list[Drawn]:
    lines = [Curve(label, _seed_lines(estimates)) for label, estimates in table.values.items()]
    if not any(curve.mean[0].size for curve in lines):
        return []
    buckets = [f"{bin_label(item)}\nn = {item.size:,}" for item in table.bins]
    figure = curves(lines, looks, table.unit, y, buckets)
    return [Drawn(name, title, caption, figure, len(lines) > OVERLAID)]


def _seed_lines(estimates: tuple[Estimate | None, ...]) -> list[Line]:
    """A line a seed over the bins; bins without a value for every seed have none."""
    seeds = max((len(item.values) for item in estimates if item), default=0)
    x = np.arange(len(estimates), dtype=float)
    table = np.full((len(estimates), seeds), np.nan)
    for row, item in enumerate(estimates):
        if item is not None and len(item.values) == seeds:
            table[row] = item.values
    return [(x, table[:, seed]) for seed in range(seeds)]


def _interval(item: Estimate) -> tuple[float, float] | None:
    return None if item.low is None or item.high is None else (item.low, item.high)


def _step(point: Point) -> float | None:
    return float(point.step)


def _seconds(point: Point) -> float | None:
    return point.seconds


def _curves(item: Configuration, key: str, of: Callable[[Point], float | None]) -> list[Line]:
    lines = [_curve(run, key, of) for run in item.runs]
    return [line for line in lines if line is not None]


def _curve(run: Run, key: str, of: Callable[[Point], float | None]) -> Line | None:
    known = [(of(point), point.values[key]) for point in run.history if key in point.values]
    found = sorted((x, y) for x, y in known if x is not None)
    return (np.array([x for x, _ in found]), np.array([y for _, y in found])) if found else None
