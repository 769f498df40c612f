"""How what runs look at forms over their training, as a film: a GIF with a frame a moment."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from attnlab.analysis.viewer.collected import Collected, ViewedRun
from attnlab.analysis.viewer.pictures import Chosen, picture_of
from attnlab.atomic import replacing
from attnlab.errors import ConfigError
from attnlab.viz.widths import fit

if TYPE_CHECKING:
    from PIL.Image import Image

FRAME, LAST = 600, 2500  # milliseconds that a frame is seen, and the last one
DOTS = 110.0  # an inch


def save_film(collected: Collected, item: int, chosen: Chosen, path: Path) -> None:
    """Write an item's film, which begins anew at its end; runs stand side by side, each as far into its training.

    Raises:
        ConfigError: there is but one moment; or as :func:`attnlab.analysis.viewer.pictures.picture_of`.
    """
    shown = [frame(collected._replace(runs=runs), item, chosen) for runs in moments(collected)]
    if len(shown) < 2:
        raise ConfigError(f"{path}: a film has several moments; over_training=true, or checkpoints=[best,last]")
    size = max(one.width for one in shown), max(one.height for one in shown)
    first, *more = [on_ground(one, size) for one in shown]
    lasting = [FRAME] * len(more) + [LAST]
    with replacing(path) as temporary:
        first.save(temporary, format="GIF", save_all=True, append_images=more, duration=lasting, loop=0, optimize=True)


def moments(collected: Collected) -> Iterator[list[ViewedRun]]:
    """Of every frame the runs: as many frames as the longest training has moments."""
    by_run: dict[str, list[ViewedRun]] = {}
    for run in collected.runs:
        by_run.setdefault(run.run, []).append(run)
    last = max(map(len, by_run.values())) - 1
    for number in range(last + 1):
        share = number / last if last else 0.0
        yield [several[round(share * (len(several) - 1))] for several in by_run.values()]


def frame(collected: Collected, item: int, chosen: Chosen) -> "Image":
    """What is seen at one moment."""
    from PIL import Image

    figure: Any = picture_of(collected, item, chosen)
    if chosen.width is not None:
        fit(figure, chosen.width)
    figure.set_dpi(DOTS)
    figure.canvas.draw()
    return Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")


def on_ground(picture: "Image", size: tuple[int, int]) -> "Image":
    """On white, so that all frames are of one size."""
    from PIL import Image

    ground = Image.new("RGB", size, "white")
    ground.paste(picture, (0, 0))
    return ground
