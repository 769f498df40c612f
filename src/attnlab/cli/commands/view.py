"""``attnlab view runs=…``: what runs look at, in one HTML file that needs no network."""

from typing import Annotated, Literal, TypedDict

from annotated_types import Interval
from omegaconf import DictConfig

from attnlab.cli.app import Command, launch
from attnlab.cli.commands.compare import prepare
from attnlab.ranges import OneOrMore, PathText, ZeroOrMore

USAGE = """
Write what finished runs look at into one HTML file, which needs no network: pick a sentence, point at a word, switch
run, layer and head, subtract one run from another, lay the true links over it, save what you see as SVG or PNG.

  attnlab view                                                 the newest run
  attnlab view runs=[outputs/grammar/bahdanau/2026-11-23_10-00-00,outputs/grammar/luong_dot/2026-11-23_11-00-00]
  attnlab view runs=sweeps/attention_types/latest              all runs of a sweep
  attnlab view runs=latest checkpoints=[best,last]             one run at two moments of its training
  attnlab view runs=latest input=my.txt                        your own texts, a line each; of a run that translates
                                                               a line may be SOURCE ||| TARGET, which is then decoded
  attnlab view runs=sweeps/attention_types/latest item=17 output=seen.pdf width=8.4cm
                                                               all of them on one sentence, a picture for a paper
  attnlab view runs=latest over_training=true                  how the alignments of some validation items formed: a
                                                               slider; output=film.gif is a film
Without input the items are those that the runs were tested on, and translations are decoded by force to the reference,
so that runs have the same words; target=own decodes what each run finds. More in docs/viewer.md.
"""


class Options(TypedDict):
    """The plain values at the root of conf/view.yaml."""

    runs: PathText | ZeroOrMore | list[PathText]
    checkpoints: list[PathText]
    split: str
    items: OneOrMore
    own: ZeroOrMore
    target: Literal["reference", "own"]
    input: PathText | None
    output: PathText | None
    megabytes: Annotated[float, Interval(gt=0)]
    item: OneOrMore | None
    over_training: bool
    look: str | None
    layer: OneOrMore | None
    head: OneOrMore | None
    joined: bool
    width: str | None
    cmap: str | None
    trust: list[str]


def view(config: DictConfig) -> None:
    """Collect, write, tell where.

    Raises:
        ConfigError, DataError: with what to change.
    """
    from attnlab.cli.viewing.view import write_view  # torch takes seconds to import

    names = [config.runs] if isinstance(config.runs, str | int) else list(config.runs)
    written = write_view([str(name) for name in names], config)
    print(f"view: {written[0]}" + (f" to {written[-1].name}" if len(written) > 1 else ""))


COMMAND = Command(view, Options, USAGE, prepare=prepare)


def main() -> None:
    """The console command."""
    launch(COMMAND)
