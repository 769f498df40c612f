"""``attnlab predict run=<folder>``: what a trained run makes of lines of text."""

from typing import Literal

from omegaconf import DictConfig

from attnlab.cli.app import Command, launch
from attnlab.cli.commands.translate import OfLines
from attnlab.cli.errors import MistakesError
from attnlab.cli.runs import find, recall, wanted
from attnlab.cli.trust import MODEL_PARTS, read
from attnlab.ranges import OneOrMore

USAGE = """
Tell the class of standard input, or of a file, line by line with a trained run. The data set is not needed. Where the
run tells something of two sentences, a line is the premise, a tab, the hypothesis, or {"premise": …, "hypothesis": …}.

  echo "a warm and funny film" | attnlab predict run=latest    the class, a tab, its probability
  attnlab predict run=latest input=in.txt output=out.txt
  attnlab predict run=latest format=json                       probabilities, tokens and the weights of every look
  attnlab predict run=latest plot=pictures                     the words of every line shaded by attention

Of a run on documents a line is a document: a JSON object {"sentences": ["…", "…"]} or {"text": "…"}, or plain text;
texts are cut into sentences as in training.

Of a run on a series all of the input is one table, a CSV as in training, and the answer what comes after its last row:

  attnlab predict run=latest input=my.csv                      a CSV: point, a column a target, its quantiles

Where columns are known of the future, rows for it stand at the end, with the targets empty. Calendar features count
from the first row.

A line where nothing shows has an empty answer. One with more than max_length tokens (1024, of documents any number) is
named and left empty; the rest go on. output=… is written beside its place (.partial) and moved there when it is whole.
"""

PARTS = ("seed", *MODEL_PARTS, "task", "data")  # whose corpus nobody reads


class Options(OfLines):
    """The plain values at the root of conf/predict.yaml."""

    max_length: OneOrMore | Literal["auto"] | None


def prepare(overrides: list[str]) -> None:
    """Recall the run.

    Raises:
        MistakesError: there is no such run, it may not be built, or it translates.
    """
    folder = find(wanted(overrides)).resolve()
    if read(folder).get("search") is not None:
        raise MistakesError([f"run={folder}: it searches for translations; use attnlab translate"])
    recall(overrides, (), PARTS)


def predict(config: DictConfig) -> None:
    """Tell what is made of all lines."""
    from attnlab.cli.predicting import predict_lines  # torch takes seconds to import

    predict_lines(config)


COMMAND = Command(predict, Options, USAGE, prepare=prepare)


def main() -> None:
    """The console command."""
    launch(COMMAND)
