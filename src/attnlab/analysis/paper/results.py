"""The table of results: the columns that were chosen, what is known of each mean, what can be concluded."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from attnlab.analysis.comparison import OUTPUT_TESTS, Comparison, Pair
from attnlab.analysis.report.tables import MISSING, Cell, Column, Line, Table, cost, probability, quality
from attnlab.analysis.verdicts import decisive
from attnlab.metrics.quantities.costs import PARAMETERS

P = "p"  #: the title of the column


class Decision(NamedTuple):
    """What the verdict on a pair rests on."""

    p: float  #: corrected
    test: str
    of_outputs: bool  #: about two outputs, and not about the configurations


def results(comparison: Comparison) -> list[Table]:
    """A table a split; tests are about the first one."""
    return [table_of(comparison, split) for split in comparison.splits]


def table_of(comparison: Comparison, split: str) -> Table:
    """A row a configuration."""
    tested = split == comparison.split
    best = undisputed(comparison) if tested else None
    names = [line.head for line in quality(comparison, split).lines]
    columns, cells = [], dict[str, list[Cell]]((name, []) for name in names)
    for column, found in chosen(comparison, split, tested):
        columns.append(column)
        decisive = column.quantity == comparison.metric and not column.published
        for name in names:
            told = found.get(name, Cell(MISSING))
            cells[name].append(told._replace(best=name == best and decisive))
    if tested and comparison.against_baseline:
        columns.append(Column(P))
        against = {pair.a: decision(pair) for pair in comparison.against_baseline}
        for name in names:
            known = against.get(name)
            cells[name].append(Cell(MISSING if known is None else probability(known.p)))
    lines = tuple(Line(name, tuple(cells[name]), (name,)) for name in names)
    whose = f"Results on {split}, {len(comparison.configurations[0].runs[0].items(split)):,} {comparison.words.items}"
    first = Column("configuration", "text")
    return Table(f"results-{split}", whose, " ".join(hints(comparison, split, best)), (first, *columns), lines)


def chosen(comparison: Comparison, split: str, tested: bool) -> Iterator[tuple[Column, Mapping[str, Cell]]]:
    """Each column with its cells by configuration: those asked for in their order, else the scores and the size."""
    found: dict[str, list[tuple[Column, Mapping[str, Cell]]]] = {}
    for table in (quality(comparison, split), cost(comparison)):
        for place, column in enumerate(table.columns[1:]):
            cells = {line.head: line.cells[place] for line in table.lines}
            found.setdefault(column.quantity, []).append((column, cells))
    costs = {item.id for item in comparison.costs.values()}
    named = [name for name in found if name and (name not in costs or name == PARAMETERS.id)]
    for name in comparison.columns or named:
        yield from found.get(name, []) if tested or name not in costs else []


def undisputed(comparison: Comparison) -> str | None:
    """The configuration that is better than every other one beyond the choice of seeds and items; None if none is."""
    rows = [row.configuration for row in comparison.rows[comparison.split] if comparison.metric in row.scores]
    if len(rows) < 2:
        return None
    best, *others = rows
    pairs = {frozenset((pair.a, pair.b)): pair for pair in (*comparison.against_baseline, *comparison.all_pairs)}
    found = [pairs.get(frozenset((best, other))) for other in others]
    return best if all(pair is not None and shown(pair, comparison.level) for pair in found) else None


def shown(pair: Pair, level: float) -> bool:
    """Whether the verdict is that these configurations differ."""
    known = decision(pair)
    return known is not None and not known.of_outputs and known.p < level


def decision(pair: Pair) -> Decision | None:
    """What the verdict rests on; None where no test was made."""
    if pair.seeds is not None:
        return Decision(pair.seeds.p_holm, f"a test over {pair.over}", False)
    tests = decisive(pair) if pair.single else []
    if not tests:
        return None
    worst = max(tests, key=lambda test: test.p_holm)
    return Decision(worst.p_holm, f"{OUTPUT_TESTS[worst.test][1]} of two {pair.words.outputs}", True)


def hints(comparison: Comparison, split: str, best: str | None) -> Iterator[str]:
    """What its numbers are."""
    rows = comparison.rows[split]
    seeds = sorted({row.seeds for row in rows})
    told = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    over = sorted({item.over for row in rows for item in row.scores.values() if item.over})
    level = f"{100 * (1 - comparison.level):g}% interval"
    if seeds == [1]:
        yield f"One seed each{f'; below a score its {level} over ' + ', or '.join(over) if over else ''}."
    else:
        below = f"; below it its {level} over {', or '.join(over)}" if over else ""
        yield f"Mean ± standard deviation over {told} seeds{below}."
    if any(column.published for column, _ in chosen(comparison, split, True)):
        yield from (source.told for source in comparison.published.sources)
    if split != comparison.split:
        return
    decisions = [known for pair in comparison.against_baseline if (known := decision(pair)) is not None]
    title = comparison.quantity.title
    if decisions:
        tests = ", or ".join(dict.fromkeys(known.test for known in decisions))
        pairs = len(comparison.against_baseline)
        yield (
            f"{P} is of the difference in {title} from {comparison.baseline} ({tests}), corrected after Holm for "
            f"{pairs} {'comparison' if pairs == 1 else 'comparisons'}."
        )
    if any(known.of_outputs for known in decisions):
        yield "Of one seed each, nothing can be concluded about the configurations."
    elif best is not None:
        yield f"Bold: better in {title} than every other configuration at the {100 * comparison.level:g}% level."
    elif decisions:
        yield f"None is better in {title} than every other one at the {100 * comparison.level:g}% level."
