"""``python evaluate.py run=<folder>``: score a trained run again, with other data or another search."""

from typing import TypedDict

from omegaconf import DictConfig

from attnlab.cli.app import Command, launch
from attnlab.cli.commands.train import Paths
from attnlab.cli.kept_memory import keep_freed_memory
from attnlab.cli.runs import RESULTS, recall, within
from attnlab.private.lean_imports import lean_imports
from attnlab.ranges import FileName, PathText, Seed, ZeroOrMore

USAGE = """
Score a trained run again, on other data or with another search.

  python evaluate.py run=outputs/grammar/bahdanau/2026-11-23_10-00-00
  python evaluate.py run=latest search=beam search.beam=10
  python evaluate.py run=SEED1 ensemble=[SEED2,SEED3]
  python evaluate.py run=latest search=mbr
  python evaluate.py run=latest dataset=newstest
  python evaluate.py run=latest splits=[train]                 an overfit check
  python evaluate.py -m run=latest search=beam search.beam=1,5,10

Results: <run>/evaluations/<name>.json with the scores, <name>.<split>.jsonl with the translations.
The option "recorded" of a group is what the run was trained with.
"""

GROUPS = ("tokenizer", "task", "dataset", "data", "search", "trainer")


class Options(TypedDict):
    """The plain values at the root of conf/evaluate.yaml."""

    run: PathText | ZeroOrMore
    checkpoint: PathText
    ensemble: list[str]
    half_output: bool
    splits: list[str] | None
    name: FileName | ZeroOrMore
    trust: list[str]
    wandb: bool
    paths: Paths
    seed: Seed


def prepare(overrides: list[str]) -> None:
    """Recall the run, and see that the results stay in its folder."""
    within(recall(overrides, GROUPS), RESULTS)


def evaluate(config: DictConfig) -> float | None:
    """Score the run; return BLEU of the first split."""
    keep_freed_memory()
    with lean_imports():
        from attnlab.cli.score import score  # torch and Lightning take seconds to import

    return score(config)


COMMAND = Command(evaluate, Options, USAGE, prepare=prepare)


def main() -> None:
    """The console command."""
    launch(COMMAND)
