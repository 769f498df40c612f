"""What is known of tested items besides: gold links, scores, the error of their alignment."""

from collections.abc import Mapping
from typing import Any

from attnlab.analysis.runs import Item, Run
from attnlab.cli import build
from attnlab.cli.app import composed
from attnlab.cli.commands import evaluate
from attnlab.cli.config.command_line import literal, trusting
from attnlab.cli.viewing.settings import Settings
from attnlab.data.corpus import Alignment
from attnlab.metrics.quantities.aer import AER
from attnlab.metrics.quantity import Counted

Texts = tuple[str, str]  #: source and reference


def gold_of(run: Run, settings: Settings) -> dict[Texts, Alignment]:
    """The gold links of a run's items, by their texts; none where its data have none.

    They stand in no run folder: the data set is read once more.
    """
    if run.metric(AER.key(settings.split)) is None:
        return {}
    trust = trusting(settings.trust)
    config = composed(evaluate.COMMAND, [f"run={literal(str(run.folder))}", *trust])
    pairs = build.made(config.dataset).read(settings.split)
    return {(pair.source, pair.target): pair.alignment for pair in pairs if pair.alignment is not None}


def outcomes(run: Run, settings: Settings) -> list[dict[str, Any]]:
    """Of each item: what the run made of it, its score, and its AER where it has gold links."""
    items = items_of(run, settings)
    found: list[dict[str, Any]] = [{"output": item.output, "aer": aer(item.record)} for item in items]
    quantity = scored(run)
    rows = None if quantity is None else run.rows(quantity, settings.split)
    if quantity is not None and rows is not None:
        scores = quantity.item_scores(rows)
        for told, number in zip(found, settings.numbers(len(scores)), strict=True):
            told["score"] = float(scores[number])
    return found


def items_of(run: Run, settings: Settings) -> list[Item]:
    """Those that are shown."""
    every = run.items(settings.split)
    return [every[number] for number in settings.numbers(len(every))]


def aer(record: Mapping[str, Any]) -> float | None:
    """Of one item, from what was counted in it."""
    if not record.get("links"):
        return None
    hits_sure, hits_possible, links, sure = record["links"]
    return 1 - (hits_sure + hits_possible) / (links + sure) if links + sure else None


def scored(run: Run) -> Counted | None:
    """What items are scored by: the first quantity that is one of items."""
    return next((quantity for quantity in run.quantities.values() if isinstance(quantity, Counted)), None)
