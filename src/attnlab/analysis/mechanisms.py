"""The table of all mechanisms: what each one reached at the same budget."""

import math
from collections.abc import Mapping, Sequence
from statistics import mean

from attnlab.analysis.folds import unite
from attnlab.analysis.groups import group
from attnlab.analysis.runs import Run
from attnlab.metrics.quantity import ANY, Quantity
from attnlab.metrics.registry import of_key


def mechanisms_table(runs: Sequence[Run], columns: Sequence[str], names: Mapping[str, str]) -> str:
    """A Markdown table, ordered by its first column, the best first.

    Seeds of a configuration are averaged; the folds of a cross-validation are one run.

    Args:
        runs: finished ones of one data set and budget.
        columns: keys of ``metrics.json``, of those whose quantities are known; the best of each is bold.
        names: what the first column says, by the mechanism; one that is not there stands as it is.
    """
    configurations = group(unite(runs).runs).configurations
    seeds = max(len(configuration.runs) for configuration in configurations)
    rows = []
    for configuration in configurations:
        rows.append((configuration, {key: average(configuration.runs, key) for key in columns}))
    quantities = {key: quantity for key in columns if (quantity := of_key(key)) is not None}
    best = {}
    for key, quantity in quantities.items():
        known = [value for _, row in rows if (value := row[key]) is not None]
        best[key] = max(known, key=lambda value, sign=quantity.sign: sign * value, default=None)
    first, quantity = next(iter(quantities.items()))
    rows.sort(key=lambda row: math.inf if (value := row[1][first]) is None else -quantity.sign * value)
    head = ["attention", "decoder", *(heading(key, quantity) for key, quantity in quantities.items())]
    lines = [f"| {' | '.join(head)} |", "| --- | --- |" + " ---: |" * len(quantities)]
    for configuration, values in rows:
        name = configuration.runs[0].mechanism
        cells = [names.get(name, f"`{name}`"), configuration.labels.get("decoder", "")]
        cells += [cell(values[key], quantity.digits, best[key]) for key, quantity in quantities.items()]
        lines.append(f"| {' | '.join(cells)} |")
    footing = f"\nMeans over up to {seeds} seeds." if seeds > 1 else "\nOne seed each."
    return "\n".join(lines) + "\n" + footing + "\n"


def heading(key: str, quantity: Quantity) -> str:
    """What the quantity is called, its unit, and which split it is of where that is not ``test``."""
    split = key.partition("/")[0].removeprefix("test").strip("_") if quantity.split == ANY else ""
    unit = f" ({quantity.unit})" if quantity.unit else ""
    return f"{quantity.title}{unit}{f', {split}' if split else ''}"


def average(runs: Sequence[Run], metric: str) -> float | None:
    """None where a run has no such number: a mechanism without weights has no AER."""
    values = [value for value in (run.metric(metric) for run in runs) if value is not None]
    return mean(values) if values else None


def cell(value: float | None, digits: int, best: float | None) -> str:
    if value is None:
        return "–"
    text = f"{value:.{digits}f}"
    return f"**{text}**" if value == best else text
