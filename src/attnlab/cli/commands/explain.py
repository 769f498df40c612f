"""``attnlab explain run=<folder>``: whether the attention of a trained run explains what it says."""

from pathlib import Path
from typing import Literal, TypedDict

from omegaconf import DictConfig

from attnlab.cli.app import Command, launch
from attnlab.cli.commands.train import Paths
from attnlab.cli.runs import EXPLANATIONS, offer, recall, wanted, within
from attnlab.pretrained.loading import is_pretrained
from attnlab.private.lean_imports import lean_imports
from attnlab.ranges import FileName, OneOrMore, PathText, Positive, Seed, Weight, ZeroOrMore

USAGE = """
Measure whether the attention of a trained run explains what it says: other weights put in its place (permuted, uniform,
adversarial), its ranking of the positions against gradients and against leaving them out, what becomes of the decision
without the positions that it looks at most. Of every task and every mechanism that has weights.

  attnlab explain run=latest                             100 items of the test split; a minute or two
  attnlab explain run=latest items=null captum=false     all of them, without captum's attributions
  attnlab explain run=latest starts=0                    without adversaries, which take most of the time
  attnlab explain run=<seed 2> others=[<seed 1>] name=… whether two runs look at the same; after name=… of seed 1
  attnlab explain run=latest words=true                  documents that are read by sentences, by their words
  attnlab explain run=latest baselines=[perceptron,adversary]   of a classification: models trained on its texts, to be
                                                         held against it (Wiegreffe and Pinter 2019)
  attnlab explain run=latest dataset=labelled dataset.test=my.csv
  attnlab explain run=models/bert input=my.txt           a local folder of the library transformers, and texts

Results: <run>/explanations/<name>/explanation.json, explanation.jsonl (a line an instance) and figures. What each
measure is, and whose: docs/explanation.md.
"""

GROUPS = ("tokenizer", "task", "dataset", "data")


class Options(TypedDict):
    """The plain values at the root of conf/explain.yaml."""

    run: PathText | ZeroOrMore
    checkpoint: PathText
    input: PathText | None
    split: str | None
    others: list[PathText]
    items: OneOrMore | None
    steps: OneOrMore
    words: bool
    batch: OneOrMore
    permutations: OneOrMore
    starts: ZeroOrMore
    adam_steps: OneOrMore
    epsilon: Positive
    learning_rate: Positive
    captum: bool
    baselines: list[Literal["perceptron", "adversary"]]
    epochs: OneOrMore
    train_batch: OneOrMore
    lambdas: list[Weight]
    figures: bool
    device: Literal["auto", "cpu", "cuda"]
    name: FileName | ZeroOrMore
    trust: list[str]
    paths: Paths
    seed: Seed


def prepare(overrides: list[str]) -> None:
    """Recall the run, and see that the results stay in its folder."""
    folder = Path(wanted(overrides))
    if is_pretrained(folder):
        offer(folder, {"seed": 1, **dict.fromkeys(GROUPS)}, GROUPS)  # the seed is of the generator
    else:
        folder = recall(overrides, GROUPS)
    within(folder, EXPLANATIONS)


def explain(config: DictConfig) -> None:
    """Measure, print, write."""
    with lean_imports():
        from attnlab.cli.explaining import explain_run  # torch and Lightning take seconds to import

    explain_run(config)


COMMAND = Command(explain, Options, USAGE, prepare=prepare)


def main() -> None:
    """The console command."""
    launch(COMMAND)
