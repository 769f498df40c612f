"""``attnlab links files=[…]``: one word alignment of two directions, and scores against gold links."""

from typing import Literal, TypedDict

from omegaconf import DictConfig

from attnlab.cli.app import Command, launch
from attnlab.data.gold import Base
from attnlab.ranges import PathText

USAGE = """
Work with files of word alignments, whoever made them (attnlab align, eflomal, fast_align, …): a line a pair of
sentences, its links as 0-0 1-2 (Pharaoh's format).

  attnlab links files=[forward.txt,backward.txt] symmetrize=[grow_diag_final_and] output=both.txt
  attnlab links files=[mine.txt,theirs.txt] gold=gold.txt gold_base=1   AER, precision, recall, F1, with intervals
  attnlab links files=[f.txt,b.txt] symmetrize=[intersection,union] gold=gold.txt
  attnlab links files=[mine.txt] aligners=[eflomal,systran_align] text=pairs.txt train=[more.txt] gold=gold.txt
  attnlab links aligners=[eflomal] text=train.txt output=train.links    to teach attention: task.guided_alignment

Statistical aligners (eflomal; fast_align as systran_align) learn from the pairs of text and train, SOURCE ||| TARGET a
line, and align those of text. backward=turned is for a second file that was made of TARGET ||| SOURCE. p is of the
difference in AER from the first row (approximate randomisation over pairs). More in docs/alignment.md.
"""

Symmetrization = Literal["intersection", "union", "grow_diag", "grow_diag_final", "grow_diag_final_and"]


class Options(TypedDict):
    """The plain values at the root of conf/links.yaml."""

    files: list[str]
    aligners: list[Literal["eflomal", "systran_align"]]
    text: PathText | None
    train: list[PathText]
    symmetrize: list[Symmetrization]
    backward: Literal["as_is", "turned"]
    base: Base
    gold: PathText | None
    gold_base: Base
    output: PathText | None
    json: PathText | None


def links(config: DictConfig) -> None:
    """Symmetrize, write, score."""
    from attnlab.cli.linking import link  # scipy takes a while to import

    link(config)


COMMAND = Command(links, Options, USAGE)


def main() -> None:
    """The console command."""
    launch(COMMAND)
