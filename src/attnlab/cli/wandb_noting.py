"""What commands that come after a training tell W&B: runs of their own, with the artifacts that they were given."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attnlab.callbacks.archives import Kept, keep, model
from attnlab.callbacks.loggers import close_loggers
from attnlab.callbacks.wandb_logger import WandbLogger
from attnlab.callbacks.wandb_start import Recorded, run_of
from attnlab.cli.runs import checkpoint_file
from attnlab.errors import ConfigError

SAMPLES = 400  #: rows of a table
EVALUATION, ANSWERS = "evaluate", "answer"  #: the kinds of runs that later commands make


def recorded(folder: Path) -> Recorded:
    """The run of W&B's that a run folder is of.

    Raises:
        ConfigError: there is none.
    """
    found = run_of(folder)
    if found is None:
        raise ConfigError(
            f"wandb=true: {folder} was not recorded by W&B, so there is nothing that this could be told of there; "
            "leave it out, or train with logger=wandb"
        )
    return found


@contextmanager
def noting(of: Recorded, place: Path, name: str, kind: str) -> Iterator[WandbLogger]:
    """A run of its own in the same project and group, which lies in ``<place>/wandb``; it ends with the block.

    Args:
        of: the run that it is about.
        place: a folder.
        name: of the run.
        kind: what it does, ``evaluate``.
    """
    logger = WandbLogger(str(place), of.project, name, of.group, job_type=kind, entity=of.entity)
    code = 1
    try:
        yield logger
        code = 0
    finally:
        close_loggers(code)


def models(of: Recorded, folder: Path, checkpoint: Path, further: Iterable[Path]) -> list[Kept]:
    """What a later command was given: the run's model, and those of an ensemble that W&B knows; none is uploaded."""
    found = [model(folder, checkpoint, f"model-{of.id}", given=True, uploaded=False)]
    for place in further:
        if (member := run_of(place)) is not None:
            best = checkpoint_file(place, "best")
            found.append(model(place, best, f"model-{member.id}", given=True, uploaded=False))
    return found


def note_answers(folder: Path, checkpoint: Path, further: Sequence[Path], output: str | None, kind: str) -> None:
    """Tell of lines that a run has answered: the model that was used, and the file of answers.

    Args:
        folder: of the run.
        checkpoint: whose weights were used.
        further: the folders of runs that have answered with it.
        output: the file; None for standard output, of which nothing is kept.
        kind: what is made of a line: ``translation``.
    """
    of, name = recorded(folder), f"{kind}s of {Path(output).name}" if output else f"{kind}s"
    sys.stdout.flush()
    with noting(of, folder / "answers", name, ANSWERS) as logger:
        keep([logger], *models(of, folder, checkpoint, further))
        if output:
            keep([logger], Kept(f"{kind}s", f"{kind}s-{of.id}", {Path(output).name: Path(output)}))
        logger.log_hyperparams({"model": of.id, "ensemble": [str(place) for place in further]})
        logger.summarize({"model": of.id})
