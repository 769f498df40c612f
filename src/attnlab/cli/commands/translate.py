"""``python translate.py run=<folder>``: translate lines of text with a trained run."""

from typing import Literal, TypedDict

from omegaconf import DictConfig

from attnlab.cli.app import Command, launch
from attnlab.cli.commands.train import Paths
from attnlab.cli.errors import MistakesError
from attnlab.cli.kept_memory import keep_freed_memory
from attnlab.cli.runs import find, recall, wanted
from attnlab.cli.trust import MODEL_PARTS, read
from attnlab.ranges import Hypotheses, OneOrMore, PathText, Seed, ZeroOrMore

USAGE = """
Translate standard input, or a file, line by line with a trained run. The data set is not needed.

  echo "a man sleeps ." | python translate.py run=latest
  python translate.py run=latest input=in.txt output=out.txt search=beam search.beam=10
  python translate.py run=latest search=beam nbest=3           three lines for every line, some may be empty
  python translate.py run=SEED1 ensemble=[SEED2,SEED3]          several runs translate as one
  python translate.py run=latest search=mbr                    of many translations the one most like the others
  python translate.py run=latest format=json                   scores, tokens and alignments
  python translate.py run=latest plot=pictures                 the attention of every sentence

A line where nothing shows has an empty translation. One with more than max_source_length tokens is named and left
empty; the rest go on. output=… is written beside its place (.partial) and moved there when it is whole.
The option "recorded" of a group is what the run was trained with.
"""

GROUPS = ("search",)
PARTS = ("seed", *MODEL_PARTS, "search")  # a model needs no data


class OfLines(TypedDict):
    """The plain values that all commands of lines have."""

    run: PathText | ZeroOrMore
    checkpoint: PathText
    input: PathText | None
    output: PathText | None
    format: Literal["text", "json"]
    plot: PathText | None
    cmap: str | None
    chunk: OneOrMore
    device: Literal["auto", "cpu", "cuda"]
    wandb: bool
    trust: list[str]
    paths: Paths
    seed: Seed


class Options(OfLines):
    """The plain values at the root of conf/translate.yaml."""

    nbest: Hypotheses
    ensemble: list[str]
    half_output: bool
    max_source_length: OneOrMore | None


def prepare(overrides: list[str]) -> None:
    """Recall the run.

    Raises:
        MistakesError: there is no such run, it may not be built, or it translates nothing.
    """
    folder = find(wanted(overrides)).resolve()
    config = read(folder)
    if config.get("search") is None:  # a task sets it to null that has no use for one
        raise MistakesError(
            [
                f"run={folder}: its task has no search, so there is nothing to translate with; what it makes of lines "
                "tells attnlab predict"
            ]
        )
    recall(overrides, GROUPS, PARTS)


def translate(config: DictConfig) -> None:
    """Translate all lines."""
    from attnlab.cli.translating import translate_lines  # torch takes seconds to import

    keep_freed_memory()
    translate_lines(config)


COMMAND = Command(translate, Options, USAGE, prepare=prepare)


def main() -> None:
    """The console command."""
    launch(COMMAND)
