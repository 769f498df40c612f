"""``python compare.py runs=…``: which of the differences between finished runs are real."""

import shlex
from pathlib import Path
from typing import Annotated, Literal, TypedDict

from annotated_types import Interval
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from attnlab.cli.app import Command, launch
from attnlab.cli.config.command_line import as_called
from attnlab.cli.config.parsing import parse
from attnlab.cli.errors import MistakesError
from attnlab.metrics.quantity import Test
from attnlab.ranges import PathText, ZeroOrMore

USAGE = """
Compare finished runs: scores over seeds, which differences are real, where they come from, what they cost.

  python compare.py                                            the newest multirun
  python compare.py runs=sweeps/attention_types/latest         a sweep
  python compare.py runs=[outputs/grammar/none/2026-11-23_10-00-00,outputs/grammar/luong_dot/2026-11-23_11-00-00]
  python compare.py 'runs="outputs/grammar/*/*"'               a glob
  python compare.py runs=… baseline=none split=test_long       test against another one, on another split
  python compare.py runs=… metric=chrf tests=[ar,seeds]        by another number that the runs have, some of the tests
  python compare.py runs=… explanation=items-100               what attnlab explain has measured of each
  python compare.py runs=… columns=[bleu,aer,train/seconds]    tables of these numbers only
  python compare.py runs=… report=wandb                        a run in W&B with all of it; online, a report there
  python compare.py runs=… paper=paper width=8.4cm             figures, tables and text for LaTeX: then pdflatex paper
  python compare.py runs=… paper=paper columns=[bleu,aer]      with these columns

tests: bs and ar are the paired bootstrap and approximate randomisation, of two outputs (sacreBLEU's for BLEU, chrF and
TER), mcnemar McNemar's exact test, of accuracy, dm Diebold and Mariano's, of forecasts; each is made where the metric
has it. seeds tests the configurations, over seeds and items. All are corrected for their number (Holm).
Runs that differ in their seed only are one configuration; the folds of a cross-validation (dataset.fold) are one run.
Results: comparison/ in the sweep, or of runs of several places comparisons/<date>_<time>/; with report.html, tables as
CSV, Markdown and LaTeX, and all of it as JSON.
"""


class Options(TypedDict):
    """The plain values at the root of conf/compare.yaml."""

    runs: PathText | list[PathText]
    split: str
    explanation: str | ZeroOrMore | None
    metric: str | None
    baseline: str | None
    tests: list[Test | Literal["seeds"]]
    pairs: Literal["all", "baseline"]
    level: Annotated[float, Interval(gt=0, lt=1)]
    resamples: Annotated[int, Interval(ge=100, le=10_000_000)]
    seed: Annotated[int, Interval(ge=1, le=4_294_967_295)]  # sacreBLEU takes 0 for no seed
    columns: list[str] | None
    output: PathText | None
    report: bool | Literal["wandb"]
    paper: PathText | None
    width: str


def compare(config: DictConfig) -> None:
    """Compare, print, write.

    Raises:
        ConfigError, DataError: with what to change.
    """
    # Not needed for help and for mistakes in the configuration; still without torch.
    from attnlab.analysis.comparing import Settings
    from attnlab.analysis.terminal import show
    from attnlab.cli.comparing import Comparing, require_paper

    runs = [config.runs] if isinstance(config.runs, str) else list(config.runs)
    settings = Settings(
        metric=config.metric,
        split=config.split,
        baseline=config.baseline,
        tests=tuple(config.tests),
        all_pairs=config.pairs == "all",
        level=config.level,
        resamples=config.resamples,
        seed=config.seed,
        columns=None if config.columns is None else tuple(config.columns),
    )
    if config.paper:
        require_paper(Path(config.paper), config.width)
    comparing = Comparing(runs, settings, command(), None if config.explanation is None else str(config.explanation))
    output = Path(config.output) if config.output else comparing.beside
    written = comparing.write(output, bool(config.report))
    show(comparing.comparison)
    if config.paper:
        print(f"paper: {comparing.paper(Path(config.paper), config.width)} (pdflatex paper, twice, in its folder)")
    print(f"files: {output} ({', '.join(path.name for path in written)})")
    if config.report == "wandb":
        from attnlab.cli.wandb_comparing import note_comparison

        note_comparison(comparing.comparison, output, comparing.files(output))


def command() -> str:
    """What was typed, as it can be typed again."""
    return as_called(shlex.join(["python", "compare.py", *HydraConfig.get().overrides.task]))


def prepare(overrides: list[str]) -> None:
    """Explain what Hydra would take for a multirun.

    Raises:
        MistakesError: ``runs`` is a list without brackets.
    """
    for override in parse(overrides)[0]:
        if override.key_or_group == "runs" and override.is_sweep_override():
            raise MistakesError([f"{override.input_line}: write several in brackets: runs=[first,second]"])


COMMAND = Command(compare, Options, USAGE, prepare=prepare)


def main() -> None:
    """The console command."""
    launch(COMMAND)
