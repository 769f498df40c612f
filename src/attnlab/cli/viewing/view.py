"""A view, from the names of runs to its page."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from attnlab.analysis.runs import Run
from attnlab.analysis.viewer.collected import Collected
from attnlab.analysis.viewer.films import save_film
from attnlab.analysis.viewer.page import render
from attnlab.analysis.viewer.pictures import Chosen, save_picture
from attnlab.atomic import require_place, write_text
from attnlab.cli.lines import sentences, table
from attnlab.cli.logging import quiet, set_up_torch
from attnlab.cli.streams import open_input
from attnlab.cli.viewing.collecting import Named, collect_recorded, collect_tested, collect_texts, runs_of
from attnlab.cli.viewing.settings import Settings
from attnlab.data.text import Field, visible
from attnlab.errors import ConfigError, DataError
from attnlab.viz.palette import colored, require_colors

FILE = "view.html"
PAGES, PICTURES = (".html", ".htm"), (".pdf", ".svg", ".png", ".tex", ".gif")
MOST = 100  #: pictures of tested items


def write_view(names: Sequence[str], config: DictConfig) -> list[Path]:
    """What ``attnlab view`` does.

    Args:
        names: of runs.
        config: as conf/view.yaml has it.

    Returns:
        The files.

    Raises:
        ConfigError, DataError: with what to change.
    """
    quiet()
    set_up_torch()
    named = runs_of(names)
    output = place(named.runs) if config.output is None else Path(config.output)
    drawn = require_kind(output, config)
    require_place(output)
    settings = Settings(
        config.split, config["items"], config.own, config.target, tuple(config.checkpoints), tuple(config.trust),
        config.megabytes, config.item, config.over_training,
    )  # fmt: skip
    read = None if config.input is None else partial(texts_of, str(config.input))
    if drawn:
        require_few(settings, read is None and not settings.over_training)
    collected = collect(named, read, settings)
    if drawn:
        with colored(config.cmap):
            return save_pictures(collected, Chosen(*(config[name] for name in Chosen._fields)), output)
    write_text(output, render(collected, settings.megabytes))
    return [output]


def collect(named: Named, read: Callable[[bool], Sequence[str]] | None, settings: Settings) -> Collected:
    """Of the texts that are read, of the items that the runs were tested on, or of those recorded over training.

    Raises:
        ConfigError, DataError: with what to change.
    """
    if settings.over_training:
        if read is not None:
            raise ConfigError("over_training=true: it shows what was recorded, no texts of yours; leave input out")
        return collect_recorded(named, settings)
    return collect_tested(named, settings) if read is None else collect_texts(named, read, settings)


def require_kind(output: Path, config: DictConfig) -> bool:
    """Whether pictures are asked for, by the ending of their name.

    Raises:
        ConfigError: it is of no kind that there is, or a page is asked for with a setting of pictures.
    """
    kind = output.suffix.lower()
    if kind in PICTURES:
        require_colors(config.cmap)
        return True
    if kind not in PAGES:
        raise ConfigError(
            f"output={output}: expected a name that ends in .html, or of a picture in {', '.join(PICTURES)}"
        )
    if named := [name for name in (*Chosen._fields, "cmap") if config[name] not in (None, False)]:
        raise ConfigError(f"{named[0]}={config[named[0]]}: is of a picture; name one: output=seen.pdf")
    return False


def require_few(settings: Settings, tested: bool) -> None:
    """Raise ConfigError where there would be pictures without end."""
    if tested and settings.item is None and settings.items > MOST:
        raise ConfigError(
            f"output: a picture an item, of up to {settings.items:,}; name one (item=17) or few (items=4)"
        )


def save_pictures(collected: Collected, chosen: Chosen, output: Path) -> list[Path]:
    """One of each item, a film where they move; of several their names end in a number."""
    draw = save_film if output.suffix.lower() == ".gif" else save_picture
    count = len(collected.items)
    several = [output.with_stem(f"{output.stem}_{number}") for number in range(1, count + 1)]
    found = several if count > 1 else [output]
    for number, path in enumerate(found, 1):
        draw(collected, number, chosen, path)
    return found


def place(runs: Sequence[Run]) -> Path:
    """In the folder of the run; of several beside what else was made of several."""
    if len(runs) == 1:
        return runs[0].folder / FILE
    return Path(os.environ["ATTNLAB_ROOT"], "views", f"{datetime.now():%Y-%m-%d_%H-%M-%S}.html")


def texts_of(name: str, whole: bool) -> list[str]:
    """The lines of a file in which something shows, as they are; all of it where it is one table.

    Raises:
        ConfigError, DataError: it cannot be read, or there is none.
    """
    with open_input(name) as source:
        lines = table(source, name) if whole else sentences(source, name, lambda text: Field(text.strip("\r\n"), ""))
        found = [line for line in lines if visible(line.text)]
    if wrong := next((line for line in found if line.fault), None):
        raise DataError(f"input={name}, line {wrong.number}: {wrong.fault}")
    if not found:
        raise ConfigError(f"input={name}: nothing shows in it; expected a text a line")
    return [line.text for line in found]
