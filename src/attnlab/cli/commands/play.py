"""``attnlab play runs=…``: runs are asked live, in a page of the browser."""

from typing import Annotated, Literal, TypedDict

from annotated_types import Interval
from omegaconf import DictConfig

from attnlab.cli.app import Command, launch
from attnlab.cli.commands.compare import prepare
from attnlab.errors import ConfigError
from attnlab.ranges import PathText, ZeroOrMore

USAGE = """
Ask runs live, in a page of your browser: type a sentence and see what each run makes of it and where it looks, side by
side; see the candidates of the beam as a tree, have a translation begin as you like, forbid or force a link and see
what changes. Classifications, documents, entailment and relatedness likewise.

  attnlab play                                                 the newest run
  attnlab play runs=[outputs/grammar/bahdanau/2026-11-23_10-00-00,outputs/grammar/multi_head/2026-11-23_11-00-00]
  attnlab play runs=sweeps/attention_types/latest              all runs of a sweep
  attnlab play runs=latest checkpoints=[best,last]             one run at two moments of its training
  attnlab play port=0                                          on any port that is free

This machine alone reaches it, unless host= says otherwise, and it sends nothing anywhere. Ctrl-C ends it. More in
docs/playground.md.
"""


class Options(TypedDict):
    """The plain values at the root of conf/play.yaml."""

    runs: PathText | ZeroOrMore | list[PathText]
    checkpoints: list[PathText]
    host: str
    port: Annotated[int, Interval(ge=0, le=65_535)]
    beam: Annotated[int, Interval(ge=1, le=20)]
    characters: Annotated[int, Interval(ge=1, le=100_000)]
    tokens: Annotated[int, Interval(ge=1, le=2_000)]
    device: Literal["auto", "cpu", "cuda"]
    trust: list[str]


def play(config: DictConfig) -> None:
    """Load, tell where, answer until it is ended.

    Raises:
        ConfigError, DataError: with what to change.
    """
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise ConfigError(f"{error.name} is not installed; pip install -c constraints.txt 'attnlab[play]'") from error
    from attnlab.cli.playing.play import play as serve  # torch takes seconds to import
    from attnlab.cli.playing.settings import Settings

    names = [config.runs] if isinstance(config.runs, str | int) else list(config.runs)
    settings = Settings(
        tuple(config.checkpoints), config.host, config.port, config.beam, config.characters, config.tokens,
        config.device, tuple(config.trust),
    )  # fmt: skip
    serve([str(name) for name in names], settings)


COMMAND = Command(play, Options, USAGE, prepare=prepare)


def main() -> None:
    """The console command."""
    launch(COMMAND)
