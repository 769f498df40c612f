"""A view, from the names of runs to its page."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from attnlab.analysis.runs import Run
from attnlab.analysis.viewer.page import render
from attnlab.atomic import require_place, write_text
from attnlab.cli.lines import sentences, table
from attnlab.cli.logging import quiet, set_up_torch
from attnlab.cli.streams import open_input
from attnlab.cli.viewing.collecting import Named, collect_tested, collect_texts, runs_of
from attnlab.cli.viewing.settings import Settings
from attnlab.data.text import Field, visible
from attnlab.errors import ConfigError, DataError

FILE = "view.html"


def write_view(names: Sequence[str], config: DictConfig) -> Path:
    """What ``attnlab view`` does.

    Args:
        names: of runs.
        config: as conf/view.yaml has it.

    Returns:
        The file.

    Raises:
        ConfigError, DataError: with what to change.
    """
    quiet()
    set_up_torch()
    named = runs_of(names)
    output = place(named.runs) if config.output is None else Path(config.output)
    if output.suffix not in (".html", ".htm"):
        raise ConfigError(f"output={output}: expected a name that ends in .html")
    require_place(output)
    settings = Settings(
        config.split, config["items"], config.own, config.target, tuple(config.checkpoints), tuple(config.trust),
        config.megabytes,
    )  # fmt: skip
    read = None if config.input is None else partial(texts_of, str(config.input))
    write_text(output, page(named, read, settings))
    return output


def page(named: Named, read: Callable[[bool], Sequence[str]] | None, settings: Settings) -> str:
    """The HTML: of the texts that are read, or of the items that the runs were tested on."""
    collected = collect_tested(named, settings) if read is None else collect_texts(named, read, settings)
    return render(collected, settings.megabytes)


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
