"""Comparing from Python."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from attnlab.analysis.comparing import Settings
from attnlab.analysis.comparison import Comparison
from attnlab.api.runs import TrainedRun
from attnlab.cli import folders
from attnlab.cli.comparing import Comparing, require_paper
from attnlab.errors import ConfigError
from attnlab.metrics.quantity import Test

TESTS = (*get_args(Test), "seeds")


def compare(
    runs: str | Path | TrainedRun | Sequence[str | Path | TrainedRun] = "latest",
    *,
    metric: str | None = None,
    split: str = "test",
    explanation: str | None = None,
    baseline: str | None = None,
    tests: Sequence[str] = TESTS,
    pairs: Literal["all", "baseline"] = "all",
    level: float = 0.05,
    resamples: int = 1000,
    seed: int = 12345,
    columns: Sequence[str] | None = None,
    output: str | Path | None = None,
    report: bool = True,
    paper: str | Path | None = None,
    width: str = "8.4cm",
) -> Comparison:
    """Compare finished runs, as ``python compare.py`` does: which of their differences are real.

    Args:
        runs: run folders, sweeps, globs, or runs; ``latest`` is the newest multirun.
        metric: what the tests are about, the name of a quantity that the runs have; None for their first one.
        split: whose items.
        explanation: the name of explanations (``run.explain``) that are compared in the place of a split.
        baseline: the configuration that the others are held against; None for the one without attention.
        tests: which of ``bs``, ``ar``, ``mcnemar``, ``dm`` and ``seeds``.
        pairs: test all pairs, or only those with the baseline.
        level: of significance.
        resamples: of the bootstrap over items.
        seed: of all draws.
        columns: the quantities that tables show, in this order; None for all that are usual.
        output: a folder to write tables (CSV, Markdown, LaTeX, JSON) and ``report.html`` to; None writes nothing.
        report: whether ``report.html`` is among them.
        paper: a folder to write the parts of a paper to: figures, LaTeX tables, the method, references, and a page of
            them all; None writes none.
        width: of a column of the paper, ``8.4cm``.

    Returns:
        Plain, frozen data, which print themselves, and draw themselves in a notebook.

    Raises:
        ConfigError, DataError: ValueErrors: a setting means nothing here, or runs that cannot be compared.
    """
    folders.register()
    several = [runs] if isinstance(runs, str | Path | TrainedRun) else list(runs)
    names = [str(run.folder if isinstance(run, TrainedRun) else run) for run in several]
    if unknown := sorted(set(tests) - set(TESTS)):
        raise ConfigError(f"tests: there is no {unknown[0]!r}; there is {', '.join(TESTS)}")
    if paper is not None:
        require_paper(Path(paper), width)
    shown = None if columns is None else tuple(columns)
    settings = Settings(metric, split, baseline, tuple(tests), pairs == "all", level, resamples, seed, shown)
    told = {key: value for key, value in settings._asdict().items() if value != Settings._field_defaults[key]}
    told |= {} if explanation is None else {"explanation": explanation}
    command = f"attnlab.compare({', '.join([repr(names), *(f'{key}={value!r}' for key, value in told.items())])})"
    comparing = Comparing(names, settings, command, explanation)
    if output is not None:
        comparing.write(Path(output), report)
    if paper is not None:
        comparing.paper(Path(paper), width)
    return comparing.comparison
