"""A comparison as files that programs read: CSV tables, and everything as JSON."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from attnlab.analysis.comparison import Breakdown, Comparison, Pair
from attnlab.analysis.documents import latex, markdown
from attnlab.analysis.published import SPLIT as PUBLISHED
from attnlab.analysis.runs import Run
from attnlab.atomic import replacing, write_text
from attnlab.console import visible
from attnlab.strict_json import dumps

Record = dict[str, Any]
FILES = (
    "scores.csv", "significance.csv", "outputs.csv", "breakdowns.csv",
    "comparison.json", "comparison.md", "comparison.tex",
)  # fmt: skip
REPORT, FIGURES = "report.html", "figures"  #: likewise, where a report is wanted
FORMULA = ("=", "+", "-", "@")  # how one may begin; blanks before it are no hindrance


def write_files(comparison: Comparison, folder: Path) -> list[Path]:
    """Write the CSV tables, and the comparison as JSON, Markdown and LaTeX.

    Returns:
        The files.
    """
    paths = [folder / name for name in FILES]
    tables, texts = paths[:4], paths[4:]
    for path, records in zip(tables, (scores, significance, outputs, breakdowns), strict=True):
        write_csv(path, records(comparison))
    told = (dumps(plain(comparison), indent=2) + "\n", markdown(comparison), latex(comparison))
    for path, text in zip(texts, told, strict=True):
        write_text(path, text)
    return paths


def write_csv(path: Path, records: Iterator[Record]) -> Path:
    """A line a record; a column for every key that any has."""
    rows = list(records)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: cell(value) for key, value in row.items()} for row in rows)
    return path


def cell(value: Any) -> Any:
    """Text that a spreadsheet takes for a formula gets a quote in front; a number stays a number.

    What a terminal would obey is written out: such a file is looked at by ``cat``, too.
    """
    if not isinstance(value, str):
        return value
    value = visible(value.replace("\r", " "))  # Python's writer leaves one bare, and it would end the row
    if not value.lstrip().startswith(FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def scores(comparison: Comparison) -> Iterator[Record]:
    """A line a split and configuration: scores with their spread, and costs."""
    every = [row for rows in comparison.rows.values() for row in rows]
    scores = [name for name in comparison.quantities if any(name in row.scores for row in every)]
    for split, rows in comparison.rows.items():
        for row in rows:
            record: Record = {"split": split, "configuration": row.configuration, "seeds": row.seeds}
            record |= {"folds": row.folds} if row.folds > 1 else {}
            for name in scores:
                item = row.scores.get(name)
                parts = (None,) * 5 if item is None else (item.mean, item.std, item.low, item.high, item.over)
                keys = (name, f"{name}_std", f"{name}_low", f"{name}_high", f"{name}_interval_over")
                record |= dict(zip(keys, parts, strict=True))
            if split == PUBLISHED:
                told = comparison.published.values.get(row.configuration, {})
                record |= {f"{name}_published": told.get(name) for name in comparison.published.names}
            for key in comparison.costs:
                cost, name = row.costs.get(key), key.removeprefix("<split>/")
                record |= {name: cost and cost.mean, f"{name}_std": cost and cost.std}
            yield record


def significance(comparison: Comparison) -> Iterator[Record]:
    """A line a pair of configurations; ``family`` says with which pairs its p-values were corrected."""
    for family, pair in _pairs(comparison):
        test = pair.seeds
        yield {
            "family": family,
            "split": comparison.split,
            "metric": comparison.metric,
            "a": pair.a,
            "b": pair.b,
            "seeds_a": " ".join(str(run.seed) for run in pair.runs_a),
            "seeds_b": " ".join(str(run.seed) for run in pair.runs_b),
            "difference": pair.difference,
            "low": pair.low,
            "high": pair.high,
            "interval_over": pair.over,
            "hedges_g": pair.effect,
            "better": pair.wins,
            "worse": pair.losses,
            "standard_error": test and test.standard_error,
            "t": test and test.t,
            "df": test and test.df,
            "p": test and test.p,
            "p_holm": test and test.p_holm,
            **_ratio(comparison, pair),
            "verdict": pair.verdict,
        }


def _ratio(comparison: Comparison, pair: Pair) -> Record:
    """Where differences are of logarithms: what they are of the numbers themselves."""
    if comparison.quantity.scale == "linear":
        return {}
    told = comparison.quantity.from_scale(np.array([pair.difference, pair.low, pair.high])).tolist()
    return dict(zip(("ratio", "ratio_low", "ratio_high"), told, strict=True))


def outputs(comparison: Comparison) -> Iterator[Record]:
    """A line a pair of runs and kind of test."""
    for family, pair in _pairs(comparison):
        for test in pair.sentences:
            yield {
                "family": family,
                "test": test.test,
                "a": pair.a,
                "b": pair.b,
                "run_a": _folders(test.a),
                "run_b": _folders(test.b),
                "score_a": test.score_a,
                "score_b": test.score_b,
                "p_sacrebleu": test.p_sacrebleu,
                f"{comparison.words.items.replace(' ', '_')}_changed": test.changed,
                "p_least": test.least,
                "p": test.p,
                "p_holm": test.p_holm,
            }


def _folders(run: Run) -> str:
    return " ".join(str(part.folder) for part in run.parts)


def breakdowns(comparison: Comparison) -> Iterator[Record]:
    """A line a configuration and bin."""
    tables: Sequence[Breakdown | None] = (comparison.by_length, comparison.by_frequency)
    for table in filter(None, tables):
        for name, values in table.values.items():
            for place, item in zip(table.bins, values, strict=True):
                yield {
                    "score": table.score,
                    "by": table.unit,
                    "splits": " ".join(table.splits),
                    "from": place.low,
                    "to": place.high,
                    "size": place.size,
                    "configuration": name,
                    "mean": item and item.mean,
                    "std": item and item.std,
                }


def _pairs(comparison: Comparison) -> Iterator[tuple[str, Pair]]:
    yield from (("baseline", pair) for pair in comparison.against_baseline)
    yield from (("all", pair) for pair in comparison.all_pairs)


def plain(value: Any) -> Any:
    """As JSON has it: named fields are keys, a run is its folder, seed, overrides and, of several, folds."""
    if isinstance(value, Run):
        folds = {"folds": plain(value.parts)} if len(value.parts) > 1 else {}
        return {"folder": str(value.folder), "seed": value.seed, "overrides": list(value.overrides), **folds}
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: plain(item) for name, item in zip(value._fields, value, strict=True)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
