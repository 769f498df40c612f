"""Whether a comparison is fair: in what the configurations are not alike, beyond what is compared.

What is compared is what the rows are named by. A preset may bring parts of the model along (``attention=bahdanau`` its
decoder): these are of the factor, as long as nobody asked for them. Everything else that differs is said: how long, on
what and with what a model was trained, parts that were asked for, values of parts that are the same.
"""

import json
from collections.abc import Iterator, Mapping, Sequence

from attnlab.analysis.groups import Difference, Grouping, flatten, mentioned
from attnlab.analysis.runs import Run
from attnlab.analysis.values import ABSENT
from attnlab.bounded import read_json
from attnlab.errors import DataError

# How a model is trained and tested; whoever brings it along, it is not the model.
CONDITIONS = ("trainer", "dataset", "data", "tokenizer", "optimizer", "scheduler", "task", "monitor", "callbacks",
              "search", "debug", "experiment")  # fmt: skip
NOTHING = (ABSENT, "null")
SHOWN = 8  #: differences in one line
NAMED = 3  #: configurations that a value is said of by name


def unequal(grouping: Grouping) -> Iterator[str]:
    """Lines that stand before every table: other settings, numbers of seeds, devices, data."""
    configurations = grouping.configurations
    if len(configurations) > 1:
        found = [(item.key, by_value(item.values)) for item in beyond(grouping)]
        seeds = by_value({item.name: str(len(item.runs)) for item in configurations})
        found += [("seeds", seeds)] if len(seeds) > 1 else []
        told = [f"{key} {values_of(values)}" for key, values in found]
        if told:
            more = f"; and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
            but = f" but for {' and '.join(grouping.factor)}" if grouping.factor else ""
            yield f"Not alike{but}: {'; '.join(told[:SHOWN])}{more}."
    runs = [run for item in configurations for run in item.runs]
    for name in ("device", "precision"):
        found_values = dict.fromkeys(str(run.metrics.get(name)) for run in runs)
        if len(found_values) > 1:
            yield f"Not alike: {name} ({', '.join(found_values)}). Do not compare seconds, speeds and memory."
    yield from other_data(runs)


def beyond(grouping: Grouping) -> list[Difference]:
    """The differences that are no part of what is compared, conditions of training first."""
    runs = [run for item in grouping.configurations for run in item.runs]
    asked = mentioned(runs)
    options = {item.key: item.values for item in grouping.differences if "." not in item.key}
    brought = {key for key in options if key not in asked and head(key) not in CONDITIONS}
    factor = (*grouping.factor, *brought)
    found = [
        item
        for item in grouping.differences
        if item.key not in factor
        and (item.key in asked or not any(below(item.key, part) for part in factor))
        and differs(item, options)
    ]
    return sorted(found, key=lambda item: rank(item.key, asked))


def differs(item: Difference, options: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a key has different values where it means the same: what another option lacks is no value of its own."""
    group = next((name for name in options if name != item.key and below(item.key, name)), None)
    if group is not None and item.key.endswith("_target_"):
        return False  # the option says it
    real = {value for value in item.values.values() if value not in NOTHING}
    if item.key in options or group is not None:
        return len(real) > 1
    return bool(real)  # of one part, with and without


def below(key: str, group: str) -> bool:
    """Whether a key of the configuration, or a group, lies in a group."""
    path = group.replace("/", ".")
    return key.replace("/", ".").startswith(f"{path}.")


def head(key: str) -> str:
    return key.replace("/", ".").partition(".")[0]


def rank(key: str, asked: set[str]) -> tuple[int, bool, str]:
    first = head(key)
    return (CONDITIONS.index(first) if first in CONDITIONS else len(CONDITIONS)), key not in asked, key


def by_value(values: Mapping[str, str]) -> dict[str, list[str]]:
    """Which configurations have each value."""
    found: dict[str, list[str]] = {}
    for name, value in values.items():
        found.setdefault(value, []).append(name)
    return found


def values_of(values: Mapping[str, Sequence[str]]) -> str:
    """``10 (bahdanau), 20 (none)``; what many have is said of the others."""
    most = max(values.values(), key=len)

    def who(names: Sequence[str]) -> str:
        if len(names) <= NAMED:
            return ", ".join(names)
        return "the others" if names is most else f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"

    ordered = sorted(values.items(), key=lambda item: item[1] is most and len(most) > NAMED)
    return ", ".join(f"{'unset' if value == ABSENT else value} ({who(names)})" for value, names in ordered)


def other_data(runs: Sequence[Run]) -> Iterator[str]:
    """Files that have changed between runs: trained on other data, with the same settings."""
    seen: dict[str, dict[str, Run]] = {}
    for run in (part for whole in runs for part in whole.parts):
        try:
            trained = json.dumps([read_json(run.folder / "data.json")[key] for key in ("corpus", "fingerprint")])
        except (DataError, OSError, ValueError, KeyError, TypeError):
            continue
        parts = {name: flatten(run.config.get(name), name) for name in ("dataset", "tokenizer", "data")}
        alike = json.dumps([parts, run.seed if seeded(run) else None], sort_keys=True, default=str)
        seen.setdefault(alike, {}).setdefault(trained, run)
    for several in seen.values():
        if len(several) > 1:
            first, second, *_ = several.values()
            yield (
                f"Not alike: the data that {first.folder.name} and {second.folder.name} were trained on, in spite of "
                "the same settings; have files changed, or versions?"
            )
            return


def seeded(run: Run) -> bool:
    """Whether its data are drawn anew with each seed."""
    return "${seed}" in json.dumps(run.config.get("dataset"), default=str)
