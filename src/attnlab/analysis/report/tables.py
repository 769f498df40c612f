"""The tables of the report: what stands in each cell, and what it is sorted by."""

from collections.abc import Iterable, Sequence
from math import isnan
from typing import NamedTuple

import numpy as np

from attnlab.analysis.comparison import OUTPUT_TESTS, Comparison, Estimate, Pair, Row
from attnlab.analysis.published import SPLIT as PUBLISHED
from attnlab.metrics.quantity import ANY, Counted, Quantity, Test
from attnlab.metrics.text_scores import TextScore

MISSING = "–"


class Cell(NamedTuple):
    text: str
    value: float | str = ""  #: what the column is sorted by; "" sorts last
    detail: str = ""  #: a second, smaller line
    best: bool = False  #: of its column


class Column(NamedTuple):
    title: str
    kind: str = "number"  #: or ``text``
    better: str = ""  #: ``higher`` or ``lower``: the end that sorting begins with
    hint: str = ""  #: what the column means
    quantity: str = ""  #: the ``id`` of what it is of
    published: bool = False  #: whether it has what a paper has printed


class Line(NamedTuple):
    head: str  #: of the row
    cells: tuple[Cell, ...]
    configurations: tuple[str, ...] = ()  #: whose colours stand before the head


class Table(NamedTuple):
    name: str  #: unique in the page
    caption: str
    hint: str
    columns: tuple[Column, ...]  #: the first one is of the heads
    lines: tuple[Line, ...]


def quality(comparison: Comparison, split: str) -> Table:
    """One row a configuration over seeds: mean, standard deviation and interval of each score."""
    rows = comparison.rows[split]
    told = comparison.shown(comparison.quantities)
    shown = {key: quantity for key, quantity in told.items() if any(key in row.scores for row in rows)}
    columns = [(Column("seeds"), [_seeds(row) for row in rows])]
    for key, quantity in shown.items():
        best = _best([row.scores.get(key) for row in rows], quantity)
        columns.append((_column(quantity), [_estimate(row.scores.get(key), quantity, best) for row in rows]))
        columns += _printed(comparison, split, key, quantity.title)
    for name in comparison.published.names if comparison.columns is None else ():
        columns += _printed(comparison, split, name, name) if name not in comparison.quantities else []
    lines = tuple(
        Line(row.configuration, tuple(cells[place] for _, cells in columns), (row.configuration,))
        for place, row in enumerate(rows)
    )
    hint = f"Mean ± standard deviation over seeds; below it the {_percent(1 - comparison.level)} interval of the mean"
    over = sorted({item.over for row in rows for item in row.scores.values() if item.over})
    if over:
        hint += f", over {', or '.join(over)}"
    hint = f"{hint}. The best mean of a column is bold."
    if len(columns) > len(shown) + 1:
        hint = " ".join([hint, *(source.told for source in comparison.published.sources)])
    titles = (Column("configuration", "text"), *(column for column, _ in columns))
    return Table(f"quality-{split}", f"Quality on {split}", hint, titles, lines)


def _printed(comparison: Comparison, split: str, name: str, title: str) -> list[tuple[Column, list[Cell]]]:
    """The column of what was published beside another, where something was."""
    values = comparison.published.values if split == PUBLISHED else {}
    if not any(name in told for told in values.values()):
        return []
    texts = [values.get(row.configuration, {}).get(name, MISSING) for row in comparison.rows[split]]
    column = Column(f"{title}, published", hint="as printed, on other data", quantity=name, published=True)
    return [(column, [Cell(text, _number(text)) for text in texts])]


def _number(text: str) -> float | str:
    """What a text is sorted by."""
    try:
        return float(text)
    except ValueError:
        return ""


def cost(comparison: Comparison) -> Table:
    """One row a configuration: what training and decoding cost."""
    rows = comparison.rows[comparison.split]
    costs = comparison.shown(comparison.costs)
    shown = {key: quantity for key, quantity in costs.items() if any(key in row.costs for row in rows)}
    lines = tuple(
        Line(
            row.configuration,
            tuple(_estimate(row.costs.get(key), quantity, None) for key, quantity in shown.items()),
            (row.configuration,),
        )
        for row in rows
    )
    hint = "Mean ± standard deviation over seeds."
    told = [quantity.title for quantity in shown.values() if quantity.split == ANY]
    hint += (
        f" {opening(' and '.join(told))} {'is that' if len(told) == 1 else 'are those'} on {comparison.split}."
        if told
        else ""
    )
    columns = (Column("configuration", "text"), *(_column(quantity) for quantity in shown.values()))
    return Table("cost", "Cost", hint, columns, lines)


def significance(comparison: Comparison, pairs: Sequence[Pair], name: str, caption: str) -> Table:
    """One row a pair: the difference, its interval, the effect size, the p-values and what they allow to say."""
    quantity = comparison.quantity
    theirs = "sacreBLEU's " if isinstance(quantity, TextScore) else ""
    ratio = quantity.scale == "log"
    seeded = any(pair.seeds for pair in pairs)
    kinds = quantity.tests if isinstance(quantity, Counted) else ("bs", "ar")
    words = comparison.words
    over_seeds = dict.fromkeys(pair.over for pair in pairs if pair.seeds)
    tested = next(iter(over_seeds)) if len(over_seeds) == 1 else "seeds" if over_seeds else words.both
    columns = (
        Column("a – b" if name == "all-pairs" else "configuration", "text"),
        Column(f"ratio of {quantity.title}", better=quantity.better, hint="geometric mean of a over that of b")
        if ratio
        else Column(f"difference in {quantity.title}", better=quantity.better, hint="mean of a minus mean of b"),
        Column("effect size g", hint="Hedges' g: the difference in standard deviations over seeds"),
        Column("better / worse", hint=f"share of the {words.items} on which a is better, and on which b is"),
        *([Column(f"p, {tested}", better="lower", hint=f"accounts for {tested}")] if seeded else []),
        *(
            Column(f"p, {short}", better="lower", hint=f"{theirs}{long}: these {words.outputs} only")
            for short, long in (OUTPUT_TESTS[kind] for kind in kinds)
        ),
        Column("what can be concluded", "text"),
    )
    lines = tuple(_pair_line(pair, quantity, seeded, comparison.level, name, kinds) for pair in pairs)
    over = " or ".join(sorted({pair.over for pair in pairs}))
    raised = "; where that is more than sacreBLEU's p, it is shown" if theirs else ""
    what = "ratio" if ratio else "difference"
    hint = (
        f"Below a {what} stands its {_percent(1 - comparison.level)} interval, over {over}, and the runs that all of "
        f"its row is about where they are not all runs. {holm(pairs, 'in this table')} {_ask(kinds)} if these "
        f"{words.outputs} differ beyond the choice of {words.items}; where several runs were tested, the largest p is "
        f"shown. Of m {words.items} that "
        f"differ, p is 2^(1 − m) at least{raised}. Only a test over {tested} is about the configurations."
    )
    return Table(name, caption, hint, columns, lines)


def _ask(kinds: Sequence[Test]) -> str:
    """``Bootstrap and randomisation ask``: the tests of outputs as the subject of a sentence."""
    *others, last = (OUTPUT_TESTS[kind][0] for kind in kinds)
    told = opening(f"{', '.join(others)} and {last} ask" if others else f"{last} asks")
    same = {"ar", "mcnemar"} <= set(kinds)
    return f"McNemar's p is that of all randomisations, exactly. {told}" if same else told


def holm(pairs: Sequence[Pair], where: str) -> str:
    """For how many tests p-values are corrected."""
    return f"All p are corrected after Holm for the number of comparisons {where}, {_numbers(pairs)}."


def _numbers(pairs: Sequence[Pair]) -> str:
    """How many pairs were tested: over seeds, and as outputs, where that is not the same."""
    seeds, outputs = sum(pair.seeds is not None for pair in pairs), sum(bool(pair.sentences) for pair in pairs)
    several = [f"{seeds} over seeds", f"{outputs} of outputs"]
    return " and ".join(several) if seeds and outputs and seeds != outputs else str(seeds or outputs or len(pairs))


def differences(comparison: Comparison) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """Each key in which configurations differ: its values, and which configurations have them."""
    table = []
    for key, by_name in comparison.differences:
        groups: dict[str, list[str]] = {}
        for name, value in by_name.items():
            groups.setdefault(value, []).append(name)
        table.append((key, list(groups.items())))
    return table


def number(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}".replace("-", "−")


def difference(value: float, quantity: Quantity) -> str:
    """As a number of the quantity's unit; on a logarithmic scale as a factor."""
    if quantity.scale == "linear":
        return number(value, quantity.digits)
    return f"× {number(float(quantity.from_scale(np.array(value))), quantity.digits)}"


def opening(text: str) -> str:
    """As a sentence begins with it."""
    return text[:1].upper() + text[1:]


def probability(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _pair_line(pair: Pair, quantity: Quantity, seeded: bool, level: float, name: str, kinds: Sequence[Test]) -> Line:
    told, low, high = (difference(value, quantity) for value in (pair.difference, pair.low, pair.high))
    span = f"[{low}, {high}]"
    sign = "+" if pair.difference > 0 and quantity.scale == "linear" else ""
    if pair.single and pair.runs_a[0].seed is not None:
        span += f", seeds {pair.runs_a[0].seed} and {pair.runs_b[0].seed}"
    cells = [
        Cell(sign + told, pair.difference, span),
        Cell(MISSING, detail="one seed") if pair.effect is None else Cell(number(pair.effect, 2), pair.effect),
        Cell(MISSING) if isnan(pair.wins) else Cell(f"{pair.wins:.0%} / {pair.losses:.0%}", pair.wins - pair.losses),
    ]
    if seeded:
        test = pair.seeds
        cells.append(
            Cell(probability(test.p_holm), test.p_holm, f"t = {number(test.t, 2)}, df = {test.df:.1f}")
            if test
            else Cell(MISSING, detail="needs two seeds each")
        )
    cells += [_outputs(pair, kind, level) for kind in kinds]
    both = (pair.a, pair.b) if name == "all-pairs" else (pair.a,)
    return Line(" – ".join(both), (*cells, Cell(pair.verdict)), both)


def _outputs(pair: Pair, kind: Test, level: float) -> Cell:
    """The tests of a kind: the largest p, and how many of the pairs of runs lie below the level."""
    tests = [test for test in pair.sentences if test.test == kind]
    if not tests:
        return Cell(MISSING)
    worst = max(tests, key=lambda test: test.p_holm)
    details = (
        [f"{sum(test.p_holm < level for test in tests)} of {len(tests)} below {level:g}"] if len(tests) > 1 else []
    )
    details += [f"{worst.changed} {pair.words.items} differ"] if worst.raised else []
    shown = probability(worst.p_holm)
    return Cell(f"up to {shown}" if len(tests) > 1 else shown, worst.p_holm, "; ".join(details))


def _estimate(item: Estimate | None, quantity: Quantity, best: float | None) -> Cell:
    if item is None:
        return Cell(MISSING)
    text = number(item.mean, quantity.digits)
    if item.std is not None and (item.std or item.low is not None):
        text += f" ± {number(item.std, quantity.digits)}"
    span = ""
    if item.low is not None and item.high is not None:
        span = f"[{number(item.low, quantity.digits)}, {number(item.high, quantity.digits)}]"
    return Cell(text, item.mean, span, best is not None and item.mean == best)


def _best(items: Iterable[Estimate | None], quantity: Quantity) -> float | None:
    means = [item.mean for item in items if item is not None]
    return max(means, key=lambda mean: quantity.sign * mean, default=None)


def _seeds(row: Row) -> Cell:
    return Cell(str(row.seeds), row.seeds, f"{row.folds} folds each" if row.folds > 1 else "")


def _column(quantity: Quantity) -> Column:
    title = f"{quantity.title} ({quantity.unit})" if quantity.unit else quantity.title
    return Column(title, better=quantity.better, hint=f"{quantity.better} is better", quantity=quantity.id)


def _percent(share: float) -> str:
    return f"{100 * share:g}%"
