"""Training from Python."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, overload

from attnlab.api.commands import execute, words
from attnlab.api.runs import TrainedRun, load
from attnlab.bounded import read_yaml
from attnlab.cli.commands.train import COMMAND


@overload
def train(overrides: Sequence[str] = (), *, multirun: Literal[False] = False) -> TrainedRun: ...
@overload
def train(overrides: Sequence[str] = (), *, multirun: Literal[True]) -> list[TrainedRun]: ...
def train(overrides: Sequence[str] = (), *, multirun: bool = False) -> TrainedRun | list[TrainedRun]:
    """Train, test the best checkpoint, leave a run folder; as ``python train.py`` does.

    Args:
        overrides: what stands on its command line, ``["attention=bahdanau", "seed=2"]``.
        multirun: run every combination (``["attention=none,bahdanau", "seed=1,2,3"]``), as ``-m`` does.

    Returns:
        The run; of a multirun all of its runs, in the order in which they were started.

    Raises:
        ConfigError, DataError, MistakesError: all are ValueError: what is wrong, and what to change.
        FailedJobError: jobs of a multirun failed; the others are finished.
    """
    asked = words(overrides)
    folder = execute(COMMAND, [*(["-m"] if multirun else []), *asked])
    if folder is None:  # it was finished before
        return load(next(word.partition("=")[2] for word in asked if word.startswith("resume=")))
    return [trained(job) for job in jobs(folder)] if multirun else trained(folder)


def trained(folder: Path) -> TrainedRun:
    """A run that was just trained here: what it names has been imported and executed, so it is trusted."""
    run = load(folder)
    return TrainedRun(run.folder, sorted(packages(run.config)))


def packages(node: Any) -> set[str]:
    """The packages that the nodes of a configuration are built from, other than this one."""
    if isinstance(node, Mapping):
        own = {str(node["_target_"]).partition(".")[0]} if "_target_" in node else set()
        return (own - {"attnlab"}).union(*map(packages, node.values()))
    return set[str]().union(*map(packages, node)) if isinstance(node, list) else set()


def jobs(multirun: Path) -> list[Path]:
    """The folders of its jobs, by their numbers."""
    found = [path.parent.parent for path in multirun.glob("*/.hydra/hydra.yaml")]
    return sorted(
        found, key=lambda folder: (read_yaml(folder / ".hydra" / "hydra.yaml")["hydra"]["job"]["num"], folder)
    )
