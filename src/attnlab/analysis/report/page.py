"""The report: one HTML file that needs no network, with all tables, figures, heatmaps and commands.

The file holds its style and its script, and a content security policy that lets nothing else run or load.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from markupsafe import Markup

from attnlab.analysis.comparison import Comparison, Contrast, SentenceDifference
from attnlab.analysis.documents import results, tests
from attnlab.analysis.exports import FIGURES
from attnlab.analysis.groups import Configuration
from attnlab.analysis.pages import environment, languages, policy, template_file
from attnlab.analysis.report.figures import Drawn, draw, save
from attnlab.analysis.report.heatmaps import Heatmap, coarse, lay_out, shade_rules
from attnlab.analysis.report.tables import differences, number, opening
from attnlab.analysis.report.texts import Shaded, ground_rules, shade
from attnlab.analysis.runs import AttentionMap, Run
from attnlab.atomic import write_text
from attnlab.metrics.quantity import Counted, Quantity
from attnlab.runs.words import Words
from attnlab.viz.palette import Look, looks
from attnlab.viz.svg import swatch

PACKAGE = "attnlab.analysis.report"
SHOWN = 3  #: sentences of a contrast, on each side


class Seen(NamedTuple):
    """A sentence that two systems translate differently well, as the report shows it."""

    sentence: SentenceDifference
    maps: tuple[tuple[str, Heatmap | Shaded | None], ...]  #: of both systems; None where none was kept


def write_report(comparison: Comparison, path: Path) -> list[Path]:
    """Write ``report.html``, and the figures as SVG and PNG into ``figures/`` beside it.

    Args:
        comparison: what is reported.
        path: of the HTML file; missing folders are made.

    Returns:
        The files that were written, the report first.
    """
    chosen = looks([item.name for item in comparison.configurations], comparison.baseline)
    drawn = draw(comparison, chosen)
    write_text(path, render(comparison, drawn, chosen))
    return [path, *(file for figure in drawn for file in save(figure, path.parent / FIGURES))]


def render(comparison: Comparison, drawn: list[Drawn], chosen: Mapping[str, Look]) -> str:
    """Fill the template."""
    templates = environment(PACKAGE)
    templates.filters |= {"opening": opening, "item_score": item_score}
    script, first = template_file(PACKAGE, "report.js"), _first(comparison.configurations)
    shown = [(contrast, seen(contrast, comparison)) for contrast in comparison.contrasts]
    return templates.get_template("report.html.j2").render(
        comparison=comparison,
        quantity=comparison.quantity,
        policy=policy(script),
        style=Markup(template_file(PACKAGE, "report.css") + shade_rules() + "\n" + ground_rules()),
        script=Markup(script),
        swatches={label: Markup(swatch(look)) for label, look in chosen.items()},
        tables={"results": results(comparison), "significance": tests(comparison)},
        figures=[(figure, Markup(figure.inline())) for figure in drawn],
        differences=differences(comparison),
        contrasts=shown,
        pictured={
            kind.__name__ for kind in (Heatmap, Shaded) if any(isinstance(one, kind) for one in drawn_maps(shown))
        },
        confusions=comparison.confusions,
        languages=languages(first.config),
        commands=commands(comparison),
        versions=versions(comparison),
        runs=sum(len(run.parts) for item in comparison.configurations for run in item.runs),
        items=len(first.items(comparison.split)),
        words=comparison.words,
        record=first.contents.record,
    )


def seen(contrast: Contrast, comparison: Comparison) -> list[tuple[str, list[Seen]]]:
    """The sentences on which each of two configurations is better, with the attention of both."""
    sides = [(contrast.a, contrast.better[:SHOWN]), (contrast.b, contrast.worse[:SHOWN])]
    numbers = [sentence.number for _, sentences in sides for sentence in sentences]
    maps = [(name, {item.number: item for item in run.maps(comparison.split, numbers)})
            for name, run in ((contrast.a, contrast.run_a), (contrast.b, contrast.run_b))]  # fmt: skip
    return [
        (
            name,
            [
                Seen(item, tuple((label, _placed(kept.get(item.number), comparison.words)) for label, kept in maps))
                for item in found
            ],
        )
        for name, found in sides
        if found
    ]


def drawn_maps(shown: Sequence[tuple[Contrast, list[tuple[str, list[Seen]]]]]) -> Iterator[Heatmap | Shaded | None]:
    """Every one that the report shows."""
    for _, sides in shown:
        for _, found in sides:
            for item in found:
                yield from (one for _, one in item.maps)


def item_score(score: float, quantity: Quantity) -> str:
    """Of one item; what scores 1 or 0 is right or wrong."""
    if isinstance(quantity, Counted) and "mcnemar" in quantity.tests:
        return "right" if score == 1 else "wrong"
    return f"{quantity.title} {number(score, 1)}"


def commands(comparison: Comparison) -> list[tuple[str, list[str]]]:
    """What makes every run again, as it was given, and then this report."""
    return [
        (item.name, [command(part) for run in item.runs for part in run.parts]) for item in comparison.configurations
    ]


def command(run: Run) -> str:
    return " ".join(["python train.py", *map(quote, run.overrides)])


def versions(comparison: Comparison) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """Versions, device and precision: each with its values, and which configurations have them."""
    found: dict[str, dict[str, list[str]]] = {}
    for item in comparison.configurations:
        for run in (part for whole in item.runs for part in whole.parts):
            for key in run.metrics:
                if key.startswith("version/") or key in ("device", "devices", "precision"):
                    names = found.setdefault(key.removeprefix("version/"), {}).setdefault(str(run.metrics[key]), [])
                    names.extend([item.name] * (item.name not in names))
    return [(key, list(values.items())) for key, values in found.items()]


def _first(configurations: tuple[Configuration, ...]) -> Run:
    return configurations[0].runs[0]


def _placed(kept: AttentionMap | None, words: Words) -> Heatmap | Shaded | None:
    if kept is None or not kept.weights.size:
        return None
    if kept.lags:
        return lay_out(coarse(kept), words)
    return lay_out(kept, words) if kept.note is None else shade(kept)
