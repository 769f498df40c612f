"""In what runs differ: first the options that were chosen, then what else was set.

A person reads it shorter (:func:`summed_up`): of a part that is another one, or lacking, its settings are not told one
by one, since which part it is says them all. They are told where the command line named them, and where runs with the
same part differ in them.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from attnlab.analysis.runs import Run
from attnlab.analysis.values import ABSENT, FIRST, show, without_effect

TARGET = "._target_"
Table = dict[str, Sequence[str]]  #: the value in each run, by key


def differing(runs: Sequence[Run], configs: Sequence[Mapping[str, Any]], asked: Collection[str]) -> Table:
    """Choices, then config keys, that are not the same in all runs; a part that some lack is one of them.

    Args:
        runs: of which each is told.
        configs: their settings, by key.
        asked: the keys that command lines named.
    """
    found: Table = {}
    for table in ([run.choices for run in runs], configs):
        keys = dict.fromkeys(key for row in table for key in row)
        for key in sorted(keys, key=_rank):
            values = [show(row[key]) if key in row else ABSENT for row in table]
            if len(set(values)) > 1 and key not in found and not without_effect(key):
                found[key] = values
    lacking = {key: values for key, values in _parts(found).items() if "." in key and show(None) in values}
    return _without({**found, **lacking}, asked, lacking)


def summed_up(table: Mapping[str, Sequence[str]], asked: Collection[str]) -> Table:
    """The same without what follows from another line of it.

    Args:
        table: what :func:`differing` gives.
        asked: the keys that command lines named.
    """
    choices = {key.replace("/", "."): values for key, values in table.items() if "." not in key}
    parts = {key: values for key, values in _parts(table).items() if key not in choices}
    return _without({**table, **parts}, asked, parts | choices)


def _without(table: Table, asked: Collection[str], parts: Mapping[str, Sequence[str]]) -> Table:
    """Without what follows from a part that it is in."""
    told = {key: values for key, values in table.items() if key in asked or not _said(key, values, parts)}
    return dict(sorted(told.items(), key=lambda item: ("." in item[0], _rank(item[0]))))


def _parts(table: Mapping[str, Sequence[str]]) -> Table:
    """The parts that are another one, or null, in some runs: what each builds, by its place."""
    places = [key.removesuffix(TARGET) for key in table if key.endswith(TARGET)]
    absent = [ABSENT] * len(next(iter(table.values()), ()))
    return {
        place: [
            plain if target == ABSENT else target.rpartition(".")[2]
            for target, plain in zip(table[f"{place}{TARGET}"], table.get(place, absent), strict=True)
        ]
        for place in places
    }


def _said(key: str, values: Sequence[str], parts: Mapping[str, Sequence[str]]) -> bool:
    """Whether it follows from a part that it is in: it is the same wherever the part is."""
    place = key.replace("/", ".")
    return any(
        place != part and place.startswith(f"{part}.") and len({*zip(said, values, strict=True)}) == len({*said})
        for part, said in parts.items()
    )


def _rank(key: str) -> tuple[int, str]:
    return (FIRST.index(key) if key in FIRST else len(FIRST)), key
