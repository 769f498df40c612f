"""``python dashboard.py``: a view of the project in Weights & Biases, for comparing mechanisms over seeds."""

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

from omegaconf import DictConfig

from attnlab.callbacks.wandb_logger import OUTPUTS
from attnlab.callbacks.wandb_start import choose_mode
from attnlab.cli.app import Command, launch
from attnlab.cli.errors import first_line
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
HEATMAPS, SAMPLES = "val/attention/", "val/samples"

UPDATES = ("train/learning_rate", "train/gradient_norm")  # of no quantity
PAGE, CARD = "attention/over_training", "data/card"

PICTURE = re.compile(r"\w+/(confusion|attention/.+)")


class Options(TypedDict):
    """The plain values at the root of conf/dashboard.yaml."""

    entity: str | None
    project: str
    group: str | None
    title: str


def dashboard(config: DictConfig) -> None:
    """Save the view and print its address.

    Raises:
        ConfigError: W&B is offline, has no such project, or the extra is missing.
    """
    mode = choose_mode(None)
    if mode.mode != "online":
        reason = mode.reason or "disabled"
        raise ConfigError(
            f"a dashboard is made by W&B's server, and W&B is offline ({reason}): log in with `wandb login`, and "
            "upload offline runs with `wandb sync`. Without W&B: python compare.py runs=<sweep>"
        )
    import wandb

    try:
        api = wandb.Api(timeout=20)
        entity = config.entity or api.default_entity
        found = api.runs(f"{entity}/{config.project}", filters={"group": config.group} if config.group else None)
        found = list(found)
        summaries = [list(run.summary.keys()) for run in found]
        shown = Shown(
            heatmap_keys(summaries),
            number_keys(summaries),
            outputs(run.summary for run in found),
            picture_keys(summaries),
            table_keys(summaries),
            [key for key in (*UPDATES, PAGE, CARD) if any(key in keys for keys in summaries)],
            varied(getattr(run, "config", {}) for run in found),
        )
        view = workspace(entity, config.project, config.title, config.group, shown)
        view.save()
    except (wandb.errors.Error, ValueError, OSError) as error:  # the latter two: no such project, no network
        raise ConfigError(f"W&B cannot make the dashboard of {config.project}: {first_line(error)}") from error
    print(f"dashboard: {view.url}")


class Shown(NamedTuple):
    """What the runs have."""

    heatmaps: list[str]  #: their keys
    numbers: list[str]  #: likewise
    outputs: str  #: what their tasks call what they make of an item
    pictures: Sequence[str] = ()  #: the keys of those that a test has left
    tables: Sequence[str] = (SAMPLES,)  #: the keys of samples
    others: Sequence[str] = ()  #: of UPDATES, PAGE and CARD those that there are
    group: str = "attention"  #: what bars and curves are means of, over seeds


def heatmap_keys(summaries: Iterable[Iterable[str]], most: int = 4) -> list[str]:
    """The heatmaps that the most runs have logged: those of the same sentences can be laid side by side."""
    counts: dict[str, int] = {}
    for keys in summaries:
        for key in keys:
            if key.startswith(HEATMAPS):
                counts[key] = counts.get(key, 0) + 1
    return sorted(counts, key=lambda key: (-counts[key], key))[:most]


def picture_keys(summaries: Iterable[Iterable[str]], most: int = 8) -> list[str]:
    """The pictures that tests have left: of attention, and of which classes are taken for which."""
    keys = dict.fromkeys(key for keys in summaries for key in keys)
    tested = [key for key in keys if key.partition("/")[0] not in TRAINING_SPLITS]
    return sorted((key for key in tested if PICTURE.fullmatch(key)), key=lambda key: "/attention/" in key)[:most]


def table_keys(summaries: Iterable[Iterable[str]]) -> list[str]:
    """The tables of samples that any run has: of the validation, whichever there are, then of tests."""
    keys = dict.fromkeys(key for keys in summaries for key in keys if key.endswith("/samples"))
    return list(dict.fromkeys([SAMPLES, *keys]))


def varied(configs: Iterable[Mapping[str, Any]]) -> str:
    """What runs are told apart by: their pooling where all have one, for mechanisms of several poolings are alike."""
    known = list(configs)
    return "pooling" if known and all(config.get("pooling") for config in known) else "attention"


def number_keys(summaries: Iterable[Iterable[str]]) -> list[str]:
    """The numbers that any run has and whose quantity is known, in the order of the first run that has them."""
    return list(dict.fromkeys(key for keys in summaries for key in keys if of_key(key) is not None))


def outputs(summaries: Iterable[Mapping[str, Any]]) -> str:
    """What the tasks call what they make; runs that do not say so are translations."""
    found = dict.fromkeys(str(summary.get(OUTPUTS) or WORDS["outputs"]) for summary in summaries)
    return " and ".join(found) or WORDS["outputs"]


def workspace(entity: str, project: str, title: str, group: str | None, shown: Shown) -> Any:
    """The view: a section a question, runs grouped by attention, data set and seed.

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
            workspaces.Section(name=name, panels=panels, is_open=True)
            for name, panels in panels_by_question(reports, shown).items()
        ]
        settings = workspaces.RunsetSettings(
            groupby=[workspaces.Config(name) for name in (shown.group, "dataset", "seed")],
            filters=[workspaces.Metric("Group") == group] if group else [],
        )
        return workspaces.Workspace(
            entity=entity, project=project, name=title, sections=sections, runset_settings=settings
        )


def panels_by_question(reports: Any, shown: Shown) -> dict[str, list[Any]]:
    """Panels, all of them over seeds: a line or a bar is a mean, its band or whisker a standard deviation.

    Args:
        reports: W&B's.
        shown: what the runs have.
    """
    over_seeds = {
        "groupby": reports.Config(shown.group), "groupby_aggfunc": "mean", "groupby_rangefunc": "stddev"
    }  # fmt: skip
    scores = {key: quantity for key in shown.numbers if not isinstance(quantity := of_key(key), Cost) and quantity}
    costs = {key: quantity for key in shown.numbers if isinstance(quantity := of_key(key), Cost) and quantity.column}
    curves = [key for key in scores if key.partition("/")[0] in TRAINING_SPLITS]
    bars = [key for key, quantity in scores.items() if key not in curves and quantity.column]
    best = [(cost, bars[0]) for cost, quantity in costs.items() if bars and quantity.split != ANY]
    found = {
        f"Learning curves by {shown.group}": [
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
        f"Sample {shown.outputs}": [reports.WeavePanelSummaryTable(table_name=name) for name in shown.tables],
        "What an update is": [
            reports.LinePlot(title=name, x="trainer/global_step", y=[name], **over_seeds)
            for name in UPDATES if name in shown.others
        ],
        "Attention over training": [
            reports.MediaBrowser(title=key, media_keys=[key]) for key in shown.others if key == PAGE
        ],
        "Data": [reports.WeavePanelSummaryTable(table_name=key) for key in shown.others if key == CARD],
        "Pictures of the test": [
            reports.MediaBrowser(title=key, media_keys=[key], mode="grid", grid_x_axis="run") for key in shown.pictures
        ],
        f"{'Alignments' if shown.outputs == WORDS['outputs'] else 'Attention'}, side by side": [
            reports.MediaBrowser(title=key, media_keys=[key], mode="grid", grid_x_axis="run", grid_y_axis="step")
            for key in shown.heatmaps
        ],
    }  # fmt: skip
    return {name: panels for name, panels in found.items() if panels}


COMMAND = Command(dashboard, Options, USAGE)


def main() -> None:
    """The console command."""
    launch(COMMAND)
