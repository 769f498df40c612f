"""How what a run looks at has formed over its training, as a page for dashboards."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from attnlab.analysis.maps import Moment, recorded
from attnlab.analysis.viewer.collected import Collected, ViewedRun
from attnlab.analysis.viewer.page import render
from attnlab.callbacks.dashboards import Pages
from attnlab.cli.viewing.collecting import asked_of, common, items_at, named_moment, told_of
from attnlab.runs.words import Words

NAME = "attention/over_training"
MOST = 40  #: moments
MEGABYTES = 10.0


def show_training(loggers: Iterable[object], folder: Path, name: str, words: Words, step: int) -> None:
    """Show the viewer's page, with a slider over the validations, by whatever loggers can show pages.

    Args:
        loggers: of the run.
        folder: of the run.
        name: what the run is called.
        words: of its task.
        step: updates until now.
    """
    able = [logger for logger in loggers if isinstance(logger, Pages)]
    moments = recorded(folder) if able else []
    if moments:
        page = render(over_training(name, folder, moments, words), MEGABYTES)
        for logger in able:
            logger.show_page(NAME, page, step)


def over_training(name: str, folder: Path, moments: Sequence[Moment], words: Words) -> Collected:
    """What was looked at in the same validation items; of a long training some moments, evenly spread."""
    parts = min(MOST, len(moments))
    places = sorted({round(part * (len(moments) - 1) / max(1, parts - 1)) for part in range(parts)})
    shown = [moments[place] for place in places]
    numbers = common(shown)
    first = {item.number: item for item in shown[0].maps}
    found = [
        ViewedRun(name, told_of(folder), items_at(moment, numbers), named_moment(moment, moments)) for moment in shown
    ]
    asked = [asked_of(first[number]) for number in numbers]
    return Collected(f"{name}, over its training", asked, found, words, (words.columns, words.rows))
