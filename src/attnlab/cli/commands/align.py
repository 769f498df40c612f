"""``attnlab align run=<folder>``: which word of a sentence is which of its translation."""

from typing import Literal

from omegaconf import DictConfig

from attnlab.cli.app import Command, launch
from attnlab.cli.commands.links import Symmetrization
from attnlab.cli.commands.translate import OfLines
from attnlab.cli.config.parsing import parse
from attnlab.cli.config.vain import alone
from attnlab.cli.errors import MistakesError
from attnlab.cli.runs import find, recall, wanted
from attnlab.cli.trust import MODEL_PARTS, read
from attnlab.data.gold import Base
from attnlab.ranges import OneOrMore, PathText, Probability, ZeroOrMore

USAGE = """
Link the words of sentence pairs by the attention of a trained translation run, which decodes the given target by force.
A line of the input is SOURCE ||| TARGET (or with a tab between), words parted by blanks; one of the output has its
links, 0-0 1-2 (Pharaoh's format).

  attnlab align run=latest input=pairs.txt output=links.txt
  attnlab align run=latest input=pairs.txt method=one_to_one   no two links share a word; or method=threshold theta=0.3
  attnlab align run=latest input=pairs.txt shift=true          the step that has read the word; of Transformers
  attnlab align run=FORWARD backward=BACKWARD input=pairs.txt  both directions made one, symmetrize=grow_diag_final_and
  attnlab align run=FORWARD backward=BACKWARD input=pairs.txt choose=agreement   layer, head, step without gold
  attnlab align run=latest input=pairs.txt format=json         words, links and weights, one object a line

A pair that cannot be aligned is named and has an empty line; the rest go on. attnlab links scores against gold links,
and runs statistical aligners. More in docs/alignment.md.
"""

NEEDED = {
    "theta": "method=threshold",
    "symmetrize": "backward",
    "choose_on": "choose=agreement",
    "choose_pairs": "choose=agreement",
}  # what these are read with
PARTS = ("seed", *MODEL_PARTS, "search")  # a model needs no data


class Options(OfLines):
    """The plain values at the root of conf/align.yaml."""

    backward: PathText | None
    symmetrize: Symmetrization
    choose: Literal["given", "agreement"]
    choose_on: PathText | None
    choose_pairs: OneOrMore
    method: Literal["argmax", "threshold", "one_to_one"]
    theta: Probability
    shift: bool | None
    layer: ZeroOrMore | None
    head: ZeroOrMore | None
    base: Base
    max_length: OneOrMore | None


def prepare(overrides: list[str]) -> None:
    """Recall the run.

    Raises:
        MistakesError: there is no such run, it may not be built, or it translates nothing; an option has no effect.
    """
    if mistakes := alone(parse(overrides)[0], NEEDED):
        raise MistakesError(mistakes)
    folder = find(wanted(overrides)).resolve()
    if read(folder).get("search") is None:
        raise MistakesError([f"run={folder}: its task translates nothing, so there is no pair of sentences to align"])
    recall(overrides, (), PARTS)


def align(config: DictConfig) -> None:
    """Align all pairs."""
    from attnlab.cli.aligning import align_lines  # torch takes seconds to import

    align_lines(config)


COMMAND = Command(align, Options, USAGE, prepare=prepare)


def main() -> None:
    """The console command."""
    launch(COMMAND)
