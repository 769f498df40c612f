"""A run as a notebook shows it."""

import html
from base64 import b64encode
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from attnlab.cli.table import cell
from attnlab.errors import ConfigError, DataError
from attnlab.metrics.quantity import Cost
from attnlab.viz.curves import Curve, curves
from attnlab.viz.palette import looks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from attnlab.api.runs import TrainedRun


def page(run: "TrainedRun") -> str:
    """Choices, scores and the learning curve; of a run that is not finished, that it is not."""
    try:
        files = run.files
    except DataError as error:
        return f"<p><b>{html.escape(run.name)}</b>: {html.escape(str(error))}</p>"
    quantities = [item for item in files.contents.quantities.values() if item.column and not isinstance(item, Cost)]
    shown = [item for item in quantities if any(files.metric(item.key(split)) is not None for split in files.splits)]
    head = "".join(f"<th>{html.escape(item.title)}</th>" for item in shown)
    rows = ""
    for split in files.splits:
        cells = (f"<td>{html.escape(cell(item, files.metric(item.key(split))))}</td>" for item in shown)
        rows += f"<tr><td>{html.escape(split)}</td>{''.join(cells)}</tr>"
    chosen = ", ".join(f"{name} {option}" for name, option in files.labels.items())
    title = f"<p><b>{html.escape(run.name)}</b><br>{html.escape(chosen)}</p>"
    return f"{title}<table><tr><th>split</th>{head}</tr>{rows}</table>{picture(run)}"


def picture(run: "TrainedRun") -> str:
    """The learning curve in a page; nothing where none was recorded."""
    try:
        figure = run.plot()
    except ConfigError:
        return ""
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=90)
    return f'<img alt="learning curve" src="data:image/png;base64,{b64encode(drawn.getvalue()).decode()}">'


def learning_curve(run: "TrainedRun", quantity: str | None = None) -> "Figure":
    """A quantity over the optimizer's steps; None is what checkpoints were chosen by.

    Raises:
        ConfigError: it was not recorded.
    """
    key = quantity or run.files.contents.monitor
    points = [(point.step, point.values[key]) for point in run.history if key in point.values]
    if not points:
        there = sorted({name for point in run.history for name in point.values})
        raise ConfigError(f"quantity={key}: was not recorded; there is {', '.join(there) or 'nothing'}")
    x, y = (np.array(axis, dtype=np.float64) for axis in zip(*points, strict=True))
    return curves([Curve(run.name, [(x, y)])], looks([run.name]), "optimizer steps", key)
