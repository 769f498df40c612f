"""Files of word alignments: made one of two directions, and scored."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from omegaconf import DictConfig

from attnlab.atomic import require_place, write_text
from attnlab.cli.statistical_aligners import align
from attnlab.console import console
from attnlab.data.files import lines
from attnlab.data.pharaoh import links_of, written
from attnlab.errors import ConfigError, DataError
from attnlab.metrics.word_alignment.scoring import Counts, Gold, Interval, Score, counts, paired_test, score
from attnlab.metrics.word_alignment.symmetrization import METHODS, Links
from attnlab.strict_json import dumps
from attnlab.text_table import Entry, TextTable, fitting

Alignment = Sequence[Links]  #: a set a pair


def link(config: DictConfig) -> None:
    """What ``attnlab links`` does.

    Raises:
        ConfigError, DataError: with what to change.
    """
    check(config)
    found = {name: [pair.possible for pair in read(name, config.base)] for name in config.files}
    if config.symmetrize and config.files:
        first, second = found.values()
        if config.backward == "turned":
            second = [frozenset((target, source) for source, target in pair) for pair in second]
            found[config.files[1]] = second
        found |= {name: symmetrized(name, first, second, config.files) for name in config.symmetrize}
    if config.aligners:
        found |= align(config.aligners, config.text, config.train, config.symmetrize)
    if config.output is not None:
        *_, made = found.values()
        text = "".join(f"{written(pair, config.base)}\n" for pair in made)
        write_text(Path(config.output), text)
        console().print(f"links: {config.output}", soft_wrap=True)
    if config.gold is not None:
        tell(found, read(config.gold, config.gold_base), config.json)


def check(config: DictConfig) -> None:
    """See that the settings go together, before anything is read.

    Raises:
        ConfigError: they do not.
    """
    if not config.files and not config.aligners:
        raise ConfigError("files=[]: expected one file of links or more, or aligners=[…] to make some")
    if len(set(config.aligners)) < len(config.aligners):
        raise ConfigError("aligners: one of them is named twice")
    if bool(config.aligners) != (config.text is not None):
        asked = "aligners: what do they align? Name text=…"
        raise ConfigError(asked if config.aligners else "text: is of aligners=[…]; add them, or leave text=… out")
    if config.train and not config.aligners:
        raise ConfigError("train: is what aligners learn from; add aligners=[…]")
    if len(set(config.files)) < len(config.files):
        raise ConfigError("files: one of them is named twice")
    if config.symmetrize and config.files and len(config.files) != 2:
        raise ConfigError(f"symmetrize: came {len(config.files)} files, expected two, one of each direction")
    if config.backward == "turned" and not config.symmetrize:
        raise ConfigError("backward=turned is of two directions that are made one; add symmetrize=[…], or leave it out")
    alone = len(config.aligners) == 1 and not config.files and len(config.symmetrize) < 2
    if config.output is not None and not alone and (len(config.symmetrize) != 1 or config.aligners):
        raise ConfigError(
            "output: is written of two directions that are made one, or by an aligner: expected two files and "
            "symmetrize=[one method], or aligners=[one] and no files"
        )
    if config.gold is None and config.output is None:
        raise ConfigError(
            "nothing to do: name gold=… to score the links, or output=… to write those of two directions or an aligner"
        )
    if config.json is not None and config.gold is None:
        raise ConfigError("json: is of scores, which want gold=…")
    if config.symmetrize and not config.files and list(config.aligners) == ["systran_align"]:
        raise ConfigError(
            "symmetrize: systran_align makes both directions one itself (grow-diag-final-and); leave it out"
        )
    require_places(config)


def require_places(config: DictConfig) -> None:
    """See that what is written takes the place of nothing that is read, or written besides.

    Raises:
        ConfigError: it does, or nothing can be written there.
    """
    taken = [Path(name) for name in (*config.files, *config.train, config.text, config.gold) if name is not None]
    for name in ("output", "json"):
        if config[name] is None:
            continue
        place = Path(config[name])
        require_place(place)
        if place.resolve() in [other.resolve() for other in taken]:
            raise ConfigError(f"{name}={place}: this file is read, or written besides, and would be lost; name another")
        taken.append(place)


def read(name: str, base: int) -> list[Gold]:
    """The links of a file, counted from 0, line by line: the sure ones, and all of them.

    Raises:
        DataError: it cannot be read, or has what is no link.
    """
    path = Path(name)
    decoded = ((number, raw.decode("utf-8-sig", "replace")) for number, raw in enumerate(lines(path), 1))
    return [Gold(*links_of(line, base, f"{path}:{number}")) for number, line in decoded]


def symmetrized(method: str, first: Alignment, second: Alignment, names: Sequence[str]) -> Alignment:
    """One alignment of two.

    Raises:
        DataError: they are of different numbers of pairs.
    """
    require_alike({names[0]: len(first), names[1]: len(second)})
    return [METHODS[method](forward, backward) for forward, backward in zip(first, second, strict=True)]


def require_alike(lengths: Mapping[str, int]) -> None:
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise DataError(f"a line a pair of sentences, the same ones in all files: {told} lines")


def tell(found: Mapping[str, Alignment], gold: Sequence[Gold], place: str | None) -> None:
    """Print a row an alignment, and keep the scores."""
    require_alike({name: len(pairs) for name, pairs in found.items()} | {"the gold file": len(gold)})
    rows = {name: counts(pairs, gold) for name, pairs in found.items()}
    if not sum(len(pair.sure) + len(pair.possible) for pair in gold):
        raise DataError("the gold file has no link")
    scores = {name: score(counted) for name, counted in rows.items()}
    p = against_first(rows)
    for part in fitting(table(scores, p), console().width):
        console().print(part)
    said = f"{len(gold)} pairs; 95% intervals over the pairs; p: of AER, against {next(iter(rows))}"
    console().print(said)
    if place is not None:
        write_text(Path(place), dumps({name: one._asdict() | {"p": p[name]} for name, one in scores.items()}) + "\n")


def against_first(rows: Mapping[str, Counts]) -> dict[str, float | None]:
    """The test of each alignment against the first; None for that one."""
    first, *others = rows
    return {first: None} | {name: paired_test(rows[first], rows[name]) for name in others}


def table(scores: Mapping[str, Score], p: Mapping[str, float | None]) -> TextTable:
    columns = ["alignment", "AER", "precision", "recall", "F1", "links", "p"]
    rows = [
        (
            name,
            [
                *(Entry(shown(value)) for value in (one.aer, one.precision, one.recall, one.f1)),
                Entry(f"{one.links:,}"),
                Entry("" if p[name] is None else f"{p[name]:.3f}"),
            ],
        )
        for name, one in scores.items()
    ]
    return TextTable("", columns, rows)


def shown(value: Interval) -> str:
    return f"{value.value:.3f} ({value.low:.3f}–{value.high:.3f})"
