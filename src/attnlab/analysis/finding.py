"""Which folders ``runs=…`` means: a run, a sweep, a list of either, globs of either."""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import NamedTuple

from attnlab.analysis.runs import Run, is_run, read_run
from attnlab.errors import ConfigError, DataError
from attnlab.runs.ending import ending
from attnlab.runs.multiruns import STARTED

LATEST = "latest"


class Found(NamedTuple):
    """What lies in the folders that were named."""

    runs: tuple[Run, ...]
    unfinished: tuple[str, ...]  #: a line for each run folder that is left out, with the reason
    folder: Path  #: the sweep, or the folder that all the runs have in common
    together: bool = True  #: whether all runs lie in it, and it was named or one multirun made it


def find_runs(names: str | Path | Sequence[str | Path], root: Path | None = None) -> Found:
    """Read the finished runs in the folders named.

    Args:
        names: run folders, folders that have run folders anywhere below them (a sweep), globs of either.
            ``<folder>/latest`` is its newest multirun where no such link exists, ``latest`` that of all sweeps.
        root: where a relative path is looked up if it is not in the working directory.

    Raises:
        ConfigError: a name means nothing, or no finished run is there.
    """
    named = [names] if isinstance(names, str | Path) else list(names)
    if not named:
        raise ConfigError("runs: an empty list; name a sweep folder, run folders, or a glob")
    places = [place for name in named for place in expand(str(name), root)]
    folders = list(dict.fromkeys(folder for place in places for folder in run_folders(place)))
    runs, unfinished = [], []
    for folder in folders:
        try:
            run = read_run(folder)
            run.read_all()
            runs.append(run)
        except DataError as error:
            unfinished.append(f"{error}{why(folder)}")
    if not runs:
        shown = ", ".join(map(str, named))
        reasons = "".join(f"\n  {line}" for line in unfinished)
        raise ConfigError(f"runs={shown}: no finished run there{reasons or f'; looked in {places[0]}'}")
    alone = places[0] if len(places) == 1 and not is_run(places[0]) else None
    common = Path(os.path.commonpath([folder.parent for folder in folders]))
    together = {folder.parent for folder in folders} == {common} and (common == alone or is_multirun(common))
    return Found(tuple(runs), tuple(unfinished), alone or common, together)


def default_output(found: Found, root: Path) -> Path:
    """Beside the runs of one place; of several a new folder of its own under ``root``."""
    if found.together:
        return found.folder / "comparison"
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    names = (stamp if number == 1 else f"{stamp}_{number}" for number in count(1))
    return next(path for name in names if not (path := root / "comparisons" / name).exists())


def is_multirun(folder: Path) -> bool:
    """Whether jobs lie in it that one command has started."""
    return any((folder / name).is_file() for name in STARTED)


def why(folder: Path) -> str:
    """What ended a run that is not finished, as far as it left word (``failed.json``)."""
    reason = ending(folder).reason
    return f" ({reason})" if reason else ""


def expand(name: str, root: Path | None) -> Iterator[Path]:
    """The existing folders of a name.

    Raises:
        ConfigError: there is none.
    """
    spelled = Path(name).expanduser()
    candidates = [spelled] if root is None or spelled.is_absolute() else [spelled, root / spelled]
    for path in candidates:
        folders, trials = matching(path), list[Path]()
        if not folders and path.name == LATEST:
            alone = len(Path(name).parts) == 1
            folders, trials = newest_sweep(sorted(path.parent.glob("sweeps/*")) if alone else [path.parent])
        if folders:
            yield from folders
            return
        if trials:
            raise ConfigError(f"runs={name}: no finished multirun there but trials; name them: runs={trials[0]}")
    raise ConfigError(f"runs={name}: there is no such folder{_beside(candidates)}")


def matching(path: Path) -> list[Path]:
    """The folder itself, or the folders that its name is a glob of."""
    # A folder's own name comes first: it may hold characters that a glob reads otherwise.
    matches = [path] if path.is_dir() else [Path(match) for match in sorted(glob.glob(str(path)))]  # noqa: PTH207
    return [match.resolve() for match in matches if match.is_dir()]


def newest_sweep(folders: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """The one multirun in these folders that was started last: their names are dates.

    Returns:
        It, of those that have a finished run that is no trial; and of those that have none. Empty where there is none.
    """
    # A link called latest would sort after every date; what it leads to is among the folders anyway.
    inside = [path for folder in folders for path in folders_in(folder) if path.name != LATEST]
    trials: list[Path] = []
    for path in sorted(inside, key=lambda path: path.name, reverse=True):
        ends = [ending(run) for run in run_folders(path)]
        if any(found.result for found in ends):
            return [path.resolve()], []
        trials += [path.resolve()] * bool(ends)
    return [], trials[:1]


def run_folders(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Run folders in a folder or at any depth below it, in the order of their names with numbers as numbers.

    Links are followed, but not to a folder that they lie in. Folders are named as they are without links, so that a
    run that is reached twice is seen to be one.
    """
    real = folder.resolve()
    if real in above:
        return
    if is_run(real):
        yield real
        return
    for path in sorted(folders_in(folder), key=_natural):
        if not path.name.startswith("."):
            yield from run_folders(path, above | {real})


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, links to some included; none where it cannot be read."""
    try:
        return [path for path in folder.iterdir() if path.is_dir()]
    except OSError:
        return []


def _natural(path: Path) -> tuple[int, str]:
    head = path.name.partition("_")[0]
    return (int(head) if head.isdecimal() else -1), path.name


def _beside(candidates: Iterable[Path]) -> str:
    for path in candidates:
        if path.parent.is_dir():
            names = sorted(item.name for item in path.parent.iterdir() if item.is_dir())
            return f"; in {path.parent} there is {', '.join(names[:20]) or 'none'}"
    return "; give a sweep folder, run folders in brackets, or a glob in quotes"
