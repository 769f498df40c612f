"""The table of all mechanisms: what each one reached at the same budget."""

from collections.abc import Mapping, Sequence
from statistics import mean

from attnlab.analysis.groups import group
from attnlab.analysis.runs import Run

# Heading, metric, digits behind the point, and which number is best; that one is bold.
COLUMNS = (
    ("BLEU", "test/bleu", 1, max),
    ("BLEU, long", "test_long/bleu", 1, max),
    ("AER", "test/aer", 3, min),
    ("AER, long", "test_long/aer", 3, min),
    ("perplexity", "test/ppl", 2, min),
    ("target tokens a second", "train/target_tokens_per_second", 0, max),
)


def mechanisms_table(runs: Sequence[Run], names: Mapping[str, str]) -> str:
    """A Markdown table, best BLEU first; seeds of a configuration are averaged.

    Args:
        runs: finished ones of one data set and budget.
        names: what the first column says, by the attention preset; one that is not there stands as it is.
    """
    configurations = group(runs).configurations
    seeds = max(len(configuration.runs) for configuration in configurations)
    rows = []
    for configuration in configurations:
        labels = configuration.labels
        rows.append((labels, {metric: average(configuration.runs, metric) for _, metric, _, _ in COLUMNS}))
    rows.sort(key=lambda row: -(row[1]["test/bleu"] or 0.0))
    best = {}
    for _, metric, _, choose in COLUMNS:
        known = [value for _, row in rows if (value := row[metric]) is not None]
        best[metric] = choose(known) if known else None
    head = ["attention", "decoder", *(heading for heading, *_ in COLUMNS)]
    lines = [f"| {' | '.join(head)} |", "| --- | --- |" + " ---: |" * len(COLUMNS)]
    for labels, values in rows:
        attention = labels["attention"]
        cells = [names.get(attention, f"`{attention}`"), labels.get("decoder", "")]
        cells += [cell(values[metric], digits, best[metric]) for _, metric, digits, _ in COLUMNS]
        lines.append(f"| {' | '.join(cells)} |")
    footing = f"\nMeans over up to {seeds} seeds." if seeds > 1 else "\nOne seed each."
    return "\n".join(lines) + "\n" + footing + "\n"


def average(runs: Sequence[Run], metric: str) -> float | None:
    """None where a run has no such number: a mechanism without weights has no AER."""
    values = [value for value in (run.metric(metric) for run in runs) if value is not None]
    return mean(values) if values else None


def cell(value: float | None, digits: int, best: float | None) -> str:
    if value is None:
        return "–"
    text = f"{value:.{digits}f}"
    return f"**{text}**" if value == best else text
