"""Asking runs live, from Python."""

from collections.abc import Sequence
from pathlib import Path

from attnlab.api.runs import TrainedRun
from attnlab.cli import folders
from attnlab.cli.playing.settings import Settings


def play(
    runs: str | Path | TrainedRun | Sequence[str | Path | TrainedRun],
    *,
    checkpoints: Sequence[str] = ("best",),
    host: str = "127.0.0.1",
    port: int = 8421,
    beam: int = 5,
    device: str = "auto",
    trust: Sequence[str] = (),
) -> None:
    """Ask runs live in a page of the browser, as ``attnlab play`` does: says where, and goes on until interrupted.

    Args:
        runs: run folders, sweeps, globs, or runs; ``latest`` is the run that was at work last.
        checkpoints: of each run: ``best``, ``last`` or files; several are asked as runs.
        host: where it listens; what is not this machine's own address lets others ask, too.
        port: 0 for any that is free.
        beam: candidates of a translation, as the page opens.
        device: ``auto``, ``cpu`` or ``cuda``.
        trust: packages of yours that the runs may be built from.

    Raises:
        ConfigError, DataError, MistakesError: what is wrong, and what to change; a port that is taken.
    """
    from attnlab.cli.playing.play import play as serve

    folders.register()
    several = [runs] if isinstance(runs, str | Path | TrainedRun) else list(runs)
    names = [run.folder if isinstance(run, TrainedRun) else run for run in several]
    trusted = {*trust, *(name for run in several if isinstance(run, TrainedRun) for name in run.trust)}
    settings = Settings(tuple(checkpoints), host, port, beam, device=device, trust=tuple(sorted(trusted)))
    try:
        serve(names, settings)
    except KeyboardInterrupt:
        return
