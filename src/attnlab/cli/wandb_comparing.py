"""A comparison in W&B: one run with mean, standard deviation, interval and p of every configuration, and a report."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from attnlab.analysis.comparison import Comparison, Estimate
from attnlab.analysis.exports import REPORT, Record, plain, scores, significance
from attnlab.analysis.finding import is_multirun
from attnlab.analysis.runs import Run
from attnlab.callbacks.archives import Kept, evaluation, keep
from attnlab.callbacks.wandb_start import Recorded, choose_mode, run_of, sync_all, sync_each
from attnlab.cli.config.command_line import quoted
from attnlab.cli.errors import first_line
from attnlab.cli.wandb_noting import noting
from attnlab.errors import ConfigError
from attnlab.tasks.records import Table

JOB = "compare"  #: the kind of such a run


def note_comparison(comparison: Comparison, output: Path, written: Sequence[Path]) -> None:
    """Tell W&B of a comparison, where its runs were recorded there; whatever comes of that is told in a line.

    Args:
        comparison: of finished runs.
        output: its folder.
        written: the files in it.
    """
    runs = [part for item in comparison.configurations for run in item.runs for part in run.parts]
    known = [(run, found) for run in runs if (found := run_of(run.folder)) is not None]
    if not known:
        print("W&B: none of these runs was recorded there (logger=wandb), so nothing is told there of the comparison")
        return
    try:
        online = choose_mode(None)
        of = common([found for _, found in known])
        name = f"comparison of {of.group or comparison.folder.name}"
        note_summary(comparison, output, written, [(run, found) for run, found in known], of._replace(name=name))
        if online.mode == "online":
            from attnlab.cli.wandb_report import save_report

            print(f"report: {save_report(comparison, of, [found.id for _, found in known], sync(comparison, output))}")
        else:
            print(
                f"W&B: a report is written by its server, and W&B is {online.mode} ({online.reason or 'as asked'}): "
                f"upload the runs ({sync(comparison, output)}), log in, and write it with {again(comparison, output)}"
            )
    except Exception as error:  # of W&B, its many libraries, the network: the comparison itself is whole
        print(f"W&B: the comparison is not, or not all, told there ({first_line(error)}); its files are whole")


def sync(comparison: Comparison, output: Path) -> str:
    """The line that uploads what was recorded offline of the compared runs, and of the comparison itself."""
    folders = [part.folder for item in comparison.configurations for run in item.runs for part in run.parts]
    sweep = comparison.folder
    if is_multirun(sweep) and {folder.parent.resolve() for folder in [*folders, output]} == {sweep.resolve()}:
        return sync_all(sweep) or "wandb sync"
    return sync_each([*folders, output]) or "wandb sync"


def again(comparison: Comparison, output: Path) -> str:
    """The command that makes the same comparison once more, to the same place, with a report."""
    command, said = comparison.command, shlex.split(comparison.command)
    told = any(word.startswith("output=") for word in said) or output.resolve().parent == comparison.folder.resolve()
    more = [] if told else [f"output={quoted(str(output))}"]
    return " ".join([command, *more, *(["report=wandb"] if "report=wandb" not in said else [])])


def common(runs: Sequence[Recorded]) -> Recorded:
    """Where all of them are.

    Raises:
        ConfigError: they are in several projects.
    """
    places = {(run.entity, run.project) for run in runs if run.entity} or {(None, run.project) for run in runs}
    if len(places) > 1 or len({run.project for run in runs}) > 1:
        raise ConfigError(f"the runs are in several projects, {', '.join(sorted({run.project for run in runs}))}")
    ((entity, project),) = places
    groups = {run.group for run in runs}
    return Recorded("", project, entity, groups.pop() if len(groups) == 1 else None, None)


def note_summary(
    comparison: Comparison, output: Path, written: Sequence[Path], runs: Sequence[tuple[Run, Recorded]], of: Recorded
) -> None:
    """One run: numbers for a table of runs, all of them as tables, figures, the page, and where it comes from."""
    with noting(of, output, str(of.name), JOB) as logger:
        logger.go_on()  # compared once more, to the same folder: for a report, when all is uploaded
        logger.log_hyperparams({"command": comparison.command, "metric": comparison.metric,
                                "baseline": comparison.baseline, "split": comparison.split,
                                "factor": list(comparison.factor)})  # fmt: skip
        keep([logger], *(evaluation(run.folder, run.splits, f"evaluation-{found.id}", True) for run, found in runs))
        logger.summarize(numbers(comparison))
        logger.show_table("comparison/scores", table(list(scores(comparison))), 0)
        if tests := list(significance(comparison)):
            logger.show_table("comparison/significance", table(tests), 0)
        for path in written:
            if path.suffix == ".png":
                logger.show_picture(f"comparison/{path.stem}", path, 0)
            elif path.name == REPORT:
                logger.show_page("comparison/report", path.read_text("utf-8"), 0)
        files = {path.relative_to(output).as_posix(): path for path in written}
        keep([logger], Kept("comparison", f"comparison-{of.group or comparison.folder.name}", files))


def table(records: Sequence[Record]) -> Table:
    """A row a record; a column for every key that any has."""
    columns = list(dict.fromkeys(key for record in records for key in record))
    return Table(columns, [[plain(record.get(key)) for key in columns] for record in records])


def numbers(comparison: Comparison) -> dict[str, float]:
    """Flat: ``luong_dot/test/bleu/mean``, ``…/sd``, ``…/low``, ``…/high``, and against the baseline ``…/p``."""
    found: dict[str, float] = {}
    for split, rows in comparison.rows.items():
        for row in rows:
            for name, estimate in row.scores.items():
                found |= {f"{row.configuration}/{split}/{name}/{key}": x for key, x in told(estimate).items()}
    for pair in comparison.against_baseline:
        p = pair.seeds.p_holm if pair.seeds else max((test.p_holm for test in pair.sentences), default=None)
        if p is not None:
            found[f"{pair.a}/{comparison.split}/{comparison.metric}/p"] = p
    return found


def told(estimate: Estimate) -> dict[str, float]:
    every = {"mean": estimate.mean, "sd": estimate.std, "low": estimate.low, "high": estimate.high}
    return {key: float(value) for key, value in every.items() if value is not None}
