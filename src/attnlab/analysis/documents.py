"""A comparison as a document: in Markdown, in LaTeX."""

import re
from collections.abc import Iterable

from attnlab.analysis.comparison import Comparison
from attnlab.analysis.latex import latex_table, one_line
from attnlab.analysis.report.tables import Table, cost, differences, quality, significance
from attnlab.console import visible

MARKDOWN = "\\`|*_~[]<>"


def tables(comparison: Comparison) -> list[Table]:
    """All tables, in the order in which they are read."""
    return [*results(comparison), *tests(comparison)]


def results(comparison: Comparison) -> list[Table]:
    """Scores of each split, and costs, where there are any to show."""
    scored = (
        [quality(comparison, split) for split in comparison.splits] if comparison.shown(comparison.quantities) else []
    )
    return scored + ([cost(comparison)] if comparison.shown(comparison.costs) else [])


def tests(comparison: Comparison) -> list[Table]:
    """Against the baseline, and of all pairs where these are more."""
    found, on = [], f"on {comparison.split}"
    if comparison.against_baseline:
        title = f"Against {comparison.baseline}, {on}"
        found.append(significance(comparison, comparison.against_baseline, "against-baseline", title))
    if len(comparison.all_pairs) > len(comparison.against_baseline):
        found.append(significance(comparison, comparison.all_pairs, "all-pairs", f"All pairs, {on}"))
    return found


def markdown(comparison: Comparison) -> str:
    """The whole comparison as a document."""
    parts = ["# Comparison", f"    {one_line(comparison.command)}"]
    parts += ["\n".join(f"- **{_plain(line)}**" for line in comparison.unequal)] if comparison.unequal else []
    for table in tables(comparison):
        parts += [f"## {_plain(table.caption)}", markdown_table(table), _plain(table.hint)]
    parts += ["## Configurations differ in", *(_markdown_differences(comparison))]
    parts += ["## Notes", "\n".join(f"- {_plain(note)}" for note in comparison.notes)] if comparison.notes else []
    parts += ["## Signatures", "\n".join(f"- {name}: {_code(text)}" for name, text in comparison.signatures.items())]
    return "\n\n".join(parts) + "\n"


def markdown_table(table: Table) -> str:
    """Its rows, details in the cells: an interval behind its score, what else there is behind a comma."""
    rows = [[_plain(column.title) for column in table.columns]]
    rows.append(["---" if column.kind == "text" else "---:" for column in table.columns])
    for line in table.lines:
        cells = [f"**{_plain(cell.text)}**" if cell.best else _plain(cell.text) for cell in line.cells]
        details = [_behind(cell.detail) for cell in line.cells]
        rows.append([_plain(line.head), *(a + b for a, b in zip(cells, details, strict=True))])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _behind(detail: str) -> str:
    return f"{' ' if detail.startswith('[') else ', '}{_plain(detail)}" if detail else ""


def _markdown_differences(comparison: Comparison) -> Iterable[str]:
    found = differences(comparison)
    if not found:
        yield "nothing."
        return
    lines = []
    for key, values in found:
        told = "; ".join(f"{_code(value)} ({', '.join(map(_plain, names))})" for value, names in values)
        lines.append(f"- {_code(key)}: {told}")
    yield "\n".join(lines)


def _plain(text: str) -> str:
    """Text that Markdown shows as it is: no link, no emphasis, no HTML, no cell of a table."""
    text = visible(one_line(text)).replace("&", "&amp;")
    for character in MARKDOWN:
        text = text.replace(character, f"\\{character}")
    return text


def _code(text: object) -> str:
    """A span of code, fenced by more backticks than there are in it."""
    shown = visible(one_line(str(text)))
    fence = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    blank = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{blank}{shown}{blank}{fence}"


def latex(comparison: Comparison) -> str:
    """The tables, each a float to be included; they need the package booktabs."""
    head = f"% {one_line(comparison.command)}\n% needs \\usepackage[T1]{{fontenc}} and \\usepackage{{booktabs}}\n"
    return head + "\n".join(latex_table(table) for table in tables(comparison))
