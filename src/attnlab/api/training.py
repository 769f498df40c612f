"""Training from Python."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, overload

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
    return [load(job) for job in jobs(folder)] if multirun else load(folder)


def jobs(multirun: Path) -> list[Path]:
    """The folders of its jobs, by their numbers."""
    found = [path.parent.parent for path in multirun.glob("*/.hydra/hydra.yaml")]
    return sorted(
        found, key=lambda folder: (read_yaml(folder / ".hydra" / "hydra.yaml")["hydra"]["job"]["num"], folder)
    )
