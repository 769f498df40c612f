"""Runs that differ in their seed only are one configuration; configurations are named by what tells them apart."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from attnlab.analysis.differing import differing, summed_up
from attnlab.analysis.runs import Run
from attnlab.analysis.values import ABSENT, IGNORED

# The callbacks that only watch, of a run that does not say which of its own do (``watching`` in metrics.json).
LEGACY = ("throughput", "history", "attention_maps", "sample_translations", "samples", "run_files", "progress")
HYDRA = ("_partial_", "_convert_", "_recursive_")  # how a part is built, not which


@dataclass(frozen=True)
class Configuration:
    """One row of a comparison: a model and its training, run with one or several seeds.

    Attributes:
        name: short and unique in its comparison.
        runs: by seed; no seed occurs twice.
    """

    name: str
    runs: tuple[Run, ...]

    @property
    def seeds(self) -> tuple[int | None, ...]:
        return tuple(run.seed for run in self.runs)

    @property
    def labels(self) -> dict[str, str]:
        """Attention, encoder, …: the options chosen in the groups that matter most."""
        return self.runs[0].labels


class Difference(NamedTuple):
    """A key of the config, or a choice of an option, in which configurations differ."""

    key: str
    values: dict[str, str]  #: by the configuration's name; "-" where it has no such key


class Grouping(NamedTuple):
    """Runs in configurations."""

    configurations: tuple[Configuration, ...]  #: in the order in which their first runs came
    differences: tuple[Difference, ...]  #: every choice and config key in which they differ
    in_short: tuple[Difference, ...]  #: without what follows from another of them
    repeated: tuple[str, ...]  #: a line for each run left out because configuration and seed occur again
    factor: tuple[str, ...]  #: what is compared: the choices and keys that the names are made of


def group(runs: Sequence[Run]) -> Grouping:
    """Put together the runs that differ in their seed only, and name what comes of it."""
    classes: dict[str, list[Run]] = {}
    flat = dict(zip(map(id, runs), settings_of(runs), strict=True))
    for run in runs:
        classes.setdefault(json.dumps(flat[id(run)], sort_keys=True, default=str), []).append(run)
    kept, repeated = [], []
    for members in classes.values():
        best, left_out = without_repetitions(members)
        kept.append(best)
        repeated += left_out
    firsts = [members[0] for members in kept]
    asked = mentioned(runs)
    table = differing(firsts, [flat[id(run)] for run in firsts], asked)
    models = [run.labels.get("model", "") for run in firsts]
    factor, names = name_rows(table, models, asked)
    names = names or [firsts[0].mechanism or firsts[0].name]
    configurations = tuple(Configuration(name, tuple(members)) for name, members in zip(names, kept, strict=True))
    return Grouping(
        configurations,
        differences_of(table, names),
        differences_of(summed_up(table, asked), names),
        tuple(repeated),
        factor,
    )


def differences_of(table: Mapping[str, Sequence[str]], names: Sequence[str]) -> tuple[Difference, ...]:
    return tuple(Difference(key, dict(zip(names, values, strict=True))) for key, values in table.items())


def settings_of(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """What decides what each run learns, but for its seed, by the keys of the configuration."""
    everywhere = frozenset[str]().union(*map(watchers, runs))
    return [_without_watchers(flatten(run.config), watchers(run), everywhere) for run in runs]


def flatten(node: Any, path: str = "") -> dict[str, Any]:
    """``{"optimizer.lr": 0.003, …}``, without what is ignored; lists are values."""
    if path in IGNORED or path.endswith(HYDRA):
        return {}
    if isinstance(node, Mapping) and node:
        return {k: v for name in node for k, v in flatten(node[name], f"{path}.{name}" if path else str(name)).items()}
    return {path: node}


def watchers(run: Run) -> frozenset[str]:
    """The names below ``callbacks`` of those that only watch."""
    said = run.metrics.get("watching")
    return frozenset(LEGACY if not isinstance(said, str) else filter(None, said.split(",")))


def _without_watchers(flat: dict[str, Any], own: frozenset[str], everywhere: frozenset[str]) -> dict[str, Any]:
    """One that another run watches with is switched off by null in this one."""

    def counts(key: str, value: Any) -> bool:
        part, _, rest = key.partition(".")
        name = rest.partition(".")[0]
        return part != "callbacks" or not (name in own or (value is None and rest in everywhere))

    return {key: value for key, value in flat.items() if counts(key, value)}


def without_repetitions(
    runs: Sequence[Run], what: Callable[[Run], Any] = lambda run: run.seed
) -> tuple[list[Run], list[str]]:
    """The newest run of each seed, by seed: a seed run twice is no second observation. Or of each of something else."""
    newest: dict[Any, Run] = {}
    left_out = []
    for run in runs:
        key = run.folder if what(run) is None else what(run)
        if key not in newest:
            newest[key] = run
            continue
        older, newest[key] = sorted((newest[key], run), key=_age)
        left_out.append(f"{older.folder}: same configuration and seed as {newest[key].folder}, which is newer")
    return sorted(newest.values(), key=lambda run: (run.seed is None, run.seed or 0)), left_out


def _age(run: Run) -> float:
    return (run.folder / "metrics.json").stat().st_mtime


def mentioned(runs: Iterable[Run]) -> set[str]:
    """The keys that the command lines named."""
    return {override.lstrip("+~").partition("=")[0].partition("@")[0] for run in runs for override in run.overrides}


def name_rows(
    table: Mapping[str, Sequence[str]], models: Sequence[str], asked: set[str]
) -> tuple[tuple[str, ...], list[str]]:
    """Name each row by as few keys as tell all rows apart.

    Those chosen on the command line come first, then choices of options, then the rest. One row alone has nothing
    to be told from, and the result is empty.

    Args:
        table: in what they differ.
        models: of each row, which names it where it lacks a part that others have.
        asked: the keys that command lines named.

    Returns:
        The keys, and the names.
    """
    chosen: list[str] = []
    labels: list[tuple[str, ...]] = [()] * len(models)
    choices = [key for key in table if "." not in key]
    rest = [key for key in table if "." in key]
    for key in sorted(choices, key=lambda key: key not in asked) + sorted(rest, key=lambda key: key not in asked):
        finer = [(*label, value) for label, value in zip(labels, table[key], strict=True)]
        if len(set(finer)) > len(set(labels)):
            chosen, labels = [*chosen, key], finer
    if not chosen:
        return (), []
    words = [[(key, value) for key, value in zip(chosen, label, strict=True)] for label in labels]
    short = [_named(row, model) for row, model in zip(words, models, strict=True)]
    distinct = len(set(short)) == len(short)
    return tuple(chosen), short if distinct else [" ".join(_word(*pair) for pair in row) for row in words]


def _named(row: Sequence[tuple[str, str]], model: str) -> str:
    """By what it has, and for what it lacks by its model: ``pooling=mean``, ``model=linear``."""
    there = [pair for pair in row if pair[1] != ABSENT]
    lacks = any(value == ABSENT and "." not in key for key, value in row)
    if model and lacks and all(key != "model" for key, _ in there):
        there = [("model", model), *there]
    return " ".join(_word(*pair) for pair in there or row)


def _word(key: str, value: str) -> str:
    return value if key == "attention" else f"{key.removeprefix('attention/')}={value}"
