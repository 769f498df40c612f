"""A comparison as a report of W&B's: what can be concluded, tables, curves with bands over seeds, heat maps, method."""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from attnlab.analysis.comparison import Comparison
from attnlab.analysis.documents import markdown_table, results, tests
from attnlab.analysis.report.figures import watched
from attnlab.analysis.report.page import versions
from attnlab.callbacks.wandb_names import config_key
from attnlab.callbacks.wandb_start import Recorded
from attnlab.errors import ConfigError
from attnlab.metrics.quantity import Quantity

MOST_MAPS = 4
MOST_FACTORS = 3
LONGEST_TITLE = 128


def save_report(comparison: Comparison, of: Recorded, ids: Sequence[str], sync: str = "wandb sync") -> str:
    """Have W&B's server keep the report; its address.

    Args:
        comparison: of finished runs.
        of: where they are.
        ids: of the runs there.
        sync: the command that uploads them.

    Raises:
        ConfigError: the extra is missing, or some of the runs are not there: their curves would be missing.
    """
    from attnlab.private.wandb import api

    server = api()
    entity = of.entity or server.default_entity
    runs = list(server.runs(f"{entity}/{of.project}", filters={"name": {"$in": list(ids)}}, lazy=False))
    if len(runs) < len(set(ids)):
        raise ConfigError(
            f"of {len(set(ids))} runs {len(runs)} are in {entity}/{of.project}: upload the others ({sync}), "
            "and write the report again"
        )
    maps = heatmaps([list(run.summary.keys()) for run in runs])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its use of pydantic
        made = report(comparison, str(entity), of, ids, maps)
        made.save()
        return str(made.url)


def heatmaps(summaries: Iterable[Iterable[str]]) -> list[str]:
    """The names of some heat maps of the test that most runs have."""
    counts: dict[str, int] = {}
    for key in (key for keys in summaries for key in keys if "/attention/" in key and not key.startswith("val/")):
        counts[key] = counts.get(key, 0) + 1
    return sorted(counts, key=lambda key: (-counts[key], key))[:MOST_MAPS]


def report(comparison: Comparison, entity: str, of: Recorded, ids: Sequence[str], maps: Sequence[str]) -> Any:
    """The report, not saved yet."""
    try:
        from wandb_workspaces import expr
        from wandb_workspaces.reports import v2
    except ImportError as error:
        raise ConfigError("a report takes the extra: pip install 'attnlab[dashboard]'") from error
    reports: Any = v2
    runs = reports.Runset(
        entity=entity,
        project=of.project,
        name="runs",
        filters=[expr.Metric("ID").isin(list(ids))],  # those that are compared: a group has others, too
    )
    curves = [
        reports.LinePlot(
            title=f"{item.title} by {factor}",
            x="trainer/global_step",
            y=[item.key("val")],
            groupby=reports.Config(config_key(factor)),
            groupby_aggfunc="mean",
            groupby_rangefunc="stddev",
        )
        for item in recorded(comparison)
        for factor in factors(comparison)
    ]
    pictures = [
        reports.MediaBrowser(title=key, media_keys=[key], mode="grid", grid_x_axis="run") for key in maps
    ]  # fmt: skip
    blocks: list[Any] = [
        reports.H2("What can be concluded"),
        reports.MarkdownBlock(text=conclusions(comparison)),
        reports.H2("Scores"),
        *(reports.MarkdownBlock(text=f"**{table.caption}**\n\n{markdown_table(table)}\n\n{table.hint}")
          for table in (*results(comparison), *tests(comparison))),
    ]  # fmt: skip
    if curves:
        blocks += [
            reports.H2("Learning curves"),
            reports.P(lines(comparison)),
        ]
        blocks += [reports.PanelGrid(runsets=[runs], panels=curves)]
    if pictures:
        blocks += [reports.H2("Attention"), reports.PanelGrid(runsets=[runs], panels=pictures)]
    blocks += [reports.H2("Method"), reports.MarkdownBlock(text=method(comparison))]
    title = f"{comparison.quantity.title} of {of.group or comparison.folder.name}"[:LONGEST_TITLE]
    return reports.Report(entity=entity, project=of.project, title=title, blocks=blocks, width="fluid")


def factors(comparison: Comparison) -> list[str]:
    """The settings by which curves are put together: those that tell the configurations apart.

    The choice for a part of a part (``attention@sentence_pooling.attention``) is no setting that W&B is told.
    """
    return [key for key in comparison.factor if "@" not in key][:MOST_FACTORS] or ["attention"]


def lines(comparison: Comparison) -> str:
    """What the lines are. W&B puts runs together by one setting at a time."""
    if len(comparison.factor) < 2 and "@" not in "".join(comparison.factor):
        return "A line is a mean over seeds, its band one standard deviation."
    return (
        f"Configurations differ in {', '.join(comparison.factor)}. A line is a mean over all runs with one value of "
        "the setting that stands in the title, whatever the others are, and over seeds; its band is one standard "
        "deviation."
    )


def recorded(comparison: Comparison) -> list[Quantity]:
    """What learning curves are drawn of, where validations have measured it."""
    runs = [part for item in comparison.configurations for run in item.runs for part in run.parts]
    keys = {key for run in runs for point in run.history for key in point.values}
    return [item for item in watched(comparison) if item.key("val") in keys]


def conclusions(comparison: Comparison) -> str:
    """A line a pair, the warnings before."""
    pairs = comparison.against_baseline or comparison.all_pairs
    lines = [f"- **{line}**" for line in comparison.unequal] + [f"- {pair.verdict}" for pair in pairs]
    return "\n".join(lines) or "- one configuration: there is nothing to hold it against"


def method(comparison: Comparison) -> str:
    """How it was found out: seeds, tests, versions, the commands."""
    seeds = "; ".join(
        f"{item.name}: {', '.join(str(seed) for seed in item.seeds)}" for item in comparison.configurations
    )
    level = f"{100 * (1 - comparison.level):g}%"
    parts = [
        f"Scores are means ± standard deviations over seeds ({seeds}), intervals cover {level}, p-values are corrected "
        f"after Holm; tests are about {comparison.quantity.title} on {comparison.split}.",
        "\n".join(f"- {name}: `{text}`" for name, text in comparison.signatures.items()),
        "\n".join(f"- {key}: {', '.join(value for value, _ in values)}" for key, values in versions(comparison)),
        "\n".join(f"- {note}" for note in comparison.notes),
        f"Made by `{comparison.command}` with attnlab.",
    ]
    return "\n\n".join(part for part in parts if part)
