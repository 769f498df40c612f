"""``python dashboard.py``: a view of the project in Weights & Biases, for comparing mechanisms over seeds."""

import warnings
from collections.abc import Sequence
from typing import Any, TypedDict

from omegaconf import DictConfig

from attnlab.callbacks.wandb_names import config_key
from attnlab.callbacks.wandb_start import choose_mode
from attnlab.cli.app import Command, launch
from attnlab.cli.errors import first_line
from attnlab.cli.wandb_noting import ANSWERS, EVALUATION
from attnlab.cli.wandb_shown import CARD, PAGE, UPDATES, Shown, shown
from attnlab.metrics.quantity import ANY, Cost
from attnlab.metrics.registry import TRAINING_SPLITS, of_key
from attnlab.runs.legacy import WORDS
from attnlab.types import ConfigError

USAGE = """
Build a dashboard in W&B and print its address: learning curves by attention (of classifiers by pooling), bars of scores
with the spread over seeds, cost against quality, samples of outputs, pictures of attention side by side. It takes W&B
online (`wandb login`), runs that have been uploaded (`wandb sync`), and the extra:
pip install 'attnlab[dashboard]'.

  python dashboard.py                                              all runs of the project attnlab
  python dashboard.py group=attention_types/2026-11-24_20-00-00    the runs of one multirun
  python dashboard.py entity=my-team project=attnlab group=sweep-abc123

Without W&B the same is in the files: python compare.py runs=<sweep>.
"""
COMPARISON, TRAINING = "Comparison", "Attention over training"  # sections


class Options(TypedDict):
    """The plain values at the root of conf/dashboard.yaml."""

    entity: str | None
    project: str
    group: str | None
    title: str


def dashboard(config: DictConfig) -> None:
    """Save the view and print its address.

    Raises:
        ConfigError: W&B is offline, has no such project or no such runs, or the extra is missing.
    """
    mode = choose_mode(None)
    if mode.mode != "online":
        reason = mode.reason or "disabled"
        raise ConfigError(
            f"a dashboard is made by W&B's server, and W&B is offline ({reason}): log in with `wandb login`, and "
            "upload offline runs with `wandb sync`. Without W&B: python compare.py runs=<sweep>"
        )
    import wandb

    from attnlab.private.wandb import api

    try:
        server = api()
        entity = config.entity or server.default_entity
        wanted = {"group": config.group} if config.group else None
        runs = list(server.runs(f"{entity}/{config.project}", filters=wanted, lazy=False))  # all of a run at once
        if not runs:
            of = f"{entity}/{config.project}" + (f" with group={config.group}" if config.group else "")
            raise ConfigError(f"W&B has no run of {of}: see its name there, or upload offline runs with `wandb sync`")
        view = workspace(entity, config.project, config.title, config.group, shown(runs))
        view.save()
    except ConfigError:
        raise
    except (wandb.errors.Error, ValueError, OSError) as error:  # the latter two: no such project, no network
        raise ConfigError(f"W&B cannot make the dashboard of {config.project}: {first_line(error)}") from error
    print(f"dashboard: {view.url}")


def workspace(entity: str, project: str, title: str, group: str | None, has: Shown) -> Any:
    """The view: a section a question, runs grouped by attention, data set and seed.

    Evaluations of later, which have scores under the same names, are left out, and answers, which have none.

    Raises:
        ConfigError: the package that describes views is not installed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its use of pydantic
        try:
            from wandb_workspaces import workspaces
            from wandb_workspaces.reports import v2 as reports
        except ImportError as error:
            raise ConfigError("missing: pip install 'attnlab[dashboard]'") from error
        sections = [
            workspaces.Section(name=name, panels=panels, is_open=True, layout_settings=layout(workspaces, name, panels))
            for name, panels in panels_by_question(reports, has).items()
        ]
        settings = workspaces.RunsetSettings(
            groupby=[workspaces.Config(config_key(name)) for name in (has.group, "dataset", "seed")],
            filters=[
                workspaces.Metric("JobType").notin([EVALUATION, ANSWERS]),
                *([workspaces.Metric("Group") == group] if group else []),
            ],
        )
        return workspaces.Workspace(
            entity=entity, project=project, name=title, sections=sections, runset_settings=settings
        )


def layout(workspaces: Any, name: str, panels: Sequence[Any]) -> Any:
    """Pages, and tables of many columns, have the whole width of the window."""
    shape = {"columns": 1, "rows": len(panels)} if name in (COMPARISON, TRAINING) else {}
    return workspaces.SectionLayoutSettings(**shape)


def panels_by_question(reports: Any, has: Shown) -> dict[str, list[Any]]:
    """Panels, all of them over seeds: a line or a bar is a mean, its band or whisker a standard deviation.

    Args:
        reports: W&B's.
        has: what the runs have.
    """
    over_seeds = {
        "groupby": reports.Config(config_key(has.group)), "groupby_aggfunc": "mean", "groupby_rangefunc": "stddev"
    }  # fmt: skip
    scores = {key: quantity for key in has.numbers if not isinstance(quantity := of_key(key), Cost) and quantity}
    costs = {key: quantity for key in has.numbers if isinstance(quantity := of_key(key), Cost) and quantity.column}
    curves = [key for key in scores if key.partition("/")[0] in TRAINING_SPLITS]
    bars = [key for key, quantity in scores.items() if key not in curves and quantity.column]
    best = [(cost, bars[0]) for cost, quantity in costs.items() if bars and quantity.split != ANY]
    found = {
        COMPARISON: [
            reports.MediaBrowser(title=key, media_keys=[key]) if key.endswith("/report")
            else reports.WeavePanelSummaryTable(table_name=key)
            for key in has.compared
        ],
        f"Learning curves by {has.group}": [
            reports.LinePlot(title=name, x="trainer/global_step", y=[name], **over_seeds) for name in curves
        ],
        "Scores of the test, mean and spread over seeds": [
            reports.BarPlot(title=name, metrics=[name], **over_seeds) for name in bars
        ],
        "Cost and quality": [
            reports.ScatterPlot(
                title=f"{costs[cost].title} and {scores[score].title}",
                x=reports.SummaryMetric(cost),
                y=reports.SummaryMetric(score),
            )
            for cost, score in best
        ],
        f"Sample {has.outputs}": [reports.WeavePanelSummaryTable(table_name=name) for name in has.tables],
        "What an update is": [
            reports.LinePlot(title=name, x="trainer/global_step", y=[name], **over_seeds)
            for name in UPDATES if name in has.others
        ],
        TRAINING: [reports.MediaBrowser(title=key, media_keys=[key]) for key in has.others if key == PAGE],
        "Data": [reports.WeavePanelSummaryTable(table_name=key) for key in has.others if key == CARD],
        "Pictures of the test": [
            reports.MediaBrowser(title=key, media_keys=[key], mode="grid", grid_x_axis="run") for key in has.pictures
        ],
        f"{'Alignments' if has.outputs == WORDS['outputs'] else 'Attention'}, side by side": [
            reports.MediaBrowser(title=key, media_keys=[key], mode="grid", grid_x_axis="run", grid_y_axis="step")
            for key in has.heatmaps
        ],
    }  # fmt: skip
    return {name: panels for name, panels in found.items() if panels}


COMMAND = Command(dashboard, Options, USAGE)


def main() -> None:
    """The console command."""
    launch(COMMAND)
