"""Runs by what ``attnlab explain`` has measured of them, in the place of what was tested."""

from dataclasses import replace

from attnlab.analysis.finding import Found
from attnlab.analysis.reading import read_metrics
from attnlab.analysis.runs import Run
from attnlab.errors import ConfigError, DataError

SPLIT = "explanation"  #: what stands for a split


def explained(run: Run, name: str) -> Run:
    """A run whose scores are those of an explanation of it.

    Raises:
        DataError: there is none of that name, or it is damaged.
    """
    place = run.folder / "explanations" / name
    if not place.is_dir():
        there = sorted(path.name for path in place.parent.glob("[!.]*/"))
        raise DataError(
            f"{run.folder}: no explanation {name!r}; there is {', '.join(there) or 'none'} (attnlab explain)"
        )
    return replace(run, metrics=read_metrics(place / "explanation.json"), scored=place, _items={}, damaged={})


def explanations(found: Found, name: str) -> Found:
    """The runs that have an explanation of this name, by it.

    Raises:
        ConfigError: none has.
    """
    runs, without = [], []
    for run in found.runs:
        try:
            runs.append(explained(run, name))
        except DataError as error:
            without.append(str(error))
    if not runs:
        raise ConfigError(f"explanation={name}: no run has it:" + "".join(f"\n  {line}" for line in without))
    return found._replace(runs=tuple(runs), unfinished=(*found.unfinished, *without))
