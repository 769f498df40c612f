"""The table of the data: what runs were trained and tested on, as their data cards say it."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from attnlab.analysis.comparison import Comparison
from attnlab.analysis.reading import BROKEN, read_json, read_mapping
from attnlab.analysis.report.tables import MISSING, Cell, Column, Line, Table, number, opening
from attnlab.errors import DataError

CARD, IDENTITY = "data_card.json", "data.json"
UNKNOWN, SEEN = "unknown (%)", "in train"  #: titles of columns
SHOWN = 20  #: characters of a fingerprint


class Card(NamedTuple):
    """The data of some configurations."""

    told: Mapping[str, Any]  #: ``data_card.json``
    fingerprint: str  #: empty where it was not noted
    configurations: Sequence[str]


def cards(comparison: Comparison) -> list[Card]:
    """Those that differ, each with the configurations that have it; runs that left none are left out."""
    found: dict[str, Card] = {}
    for item in comparison.configurations:
        for run in (part for whole in item.runs for part in whole.parts):
            told = read(run.folder / CARD)
            if told is None or not isinstance(told.get("splits"), dict):
                continue
            fingerprint = str((read(run.folder / IDENTITY) or {}).get("fingerprint", ""))
            card = found.setdefault(f"{told}{fingerprint}", Card(told, fingerprint, []))
            card.configurations.extend([item.name] * (item.name not in card.configurations))  # type: ignore[attr-defined]
    return list(found.values())


def read(path: Path) -> dict[str, Any] | None:
    """None where it is not there, or damaged."""
    try:
        return read_mapping(path, read_json) if path.is_file() else None
    except (DataError, *BROKEN):
        return None


def data_tables(comparison: Comparison) -> list[Table]:
    """One for each of the data that differ."""
    known = cards(comparison)
    tables = []
    for place, card in enumerate(known, 1):
        whose = "" if len(known) == 1 else f" of {', '.join(card.configurations)}"
        try:
            tables.append(table_of(card, f"data-{place}" if len(known) > 1 else "data", whose))
        except BROKEN:
            continue  # edited: no card
    return tables


def table_of(card: Card, name: str, whose: str) -> Table:
    """A line a split and side."""
    told = card.told
    items, words = str(told["items"]), told["vocabulary"]
    titles = ["split", items, "side", "tokens", "median", "longest", UNKNOWN, SEEN]
    table = list(lines(told["splits"]))
    kept = [place for place, title in enumerate(titles) if place == 0 or known(table, place, title, words)]
    hint = [f"{opening(SEEN)}: {items} whose side stands there word for word."] if titles.index(SEEN) in kept else []
    if words:
        hint.append(f"Vocabulary: {'; '.join(f'{side} {number(size, 0)}' for side, size in words.items())}.")
    if card.fingerprint:
        hint.append(f"Fingerprint: {short(card.fingerprint)}.")
    hint += [f"{opening(str(line))}." for line in told.get("left_out", [])]
    if classes := told.get("classes"):
        hint.append(f"Training {items} by class: {', '.join(f'{k} {number(v, 0)}' for k, v in classes.items())}.")
    return Table(
        name,
        f"The data{whose}: {told['corpus']}",
        " ".join(hint),
        tuple(Column(titles[place], "number" if place else "text") for place in kept),
        tuple(Line(line.head, tuple(line.cells[place - 1] for place in kept[1:])) for line in table),
    )


def known(table: Sequence[Line], place: int, title: str, vocabulary: Mapping[str, int]) -> bool:
    """Whether a column says something: where there are no words, none is unknown."""
    told = any(line.cells[place - 1].text not in (MISSING, "") for line in table)
    return told and (title != UNKNOWN or bool(vocabulary))


def lines(splits: Mapping[str, Any]) -> Iterator[Line]:
    for split, told in splits.items():
        size, seen = number(told["items"], 0), told.get("in_train", {})
        sides = told.get("sides", {}) or {"": None}
        for place, (side, has) in enumerate(sides.items()):
            cells = [size if not place else "", side or MISSING]
            if has is None:
                cells += [MISSING] * 4
            else:
                cells += [number(has["tokens"], 0), number(has["median"], 0), number(has["longest"], 0)]
                cells.append(number(100 * has["unknown_rate"], 2))
            cells.append(number(seen[side], 0) if side in seen else MISSING)
            yield Line(split if not place else "", tuple(map(Cell, cells)))


def short(fingerprint: str) -> str:
    """It is a hash, or what the data were made of, which is hashed."""
    if len(fingerprint) <= SHOWN and fingerprint.isalnum():
        return fingerprint
    return f"{sha256(fingerprint.encode()).hexdigest()[:SHOWN]} (of SHA-256)"
