"""Runs that differ in their seed only are one configuration; configurations are named by what tells them apart."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from attnlab.analysis.runs import Run

# What decides where results go and how a run is watched, but not what is learned.
IGNORED = (
    "seed",
    "paths",
    "logger",
    "sweep",
    "sweep_name",
    "local",
    "tags",
    "notes",
    "print_config",
    "ckpt_path",
    "measure",
    "resume",
    "trust",
    "callbacks.checkpoints.directory",
    "callbacks.checkpoints.every_n_steps",
    "trainer.default_root_dir",
    "trainer.enable_progress_bar",
    "trainer.enable_model_summary",
    "trainer.log_every_n_steps",
    "data.cache",
    "data.num_workers",
)
# The callbacks that only watch, of a run that does not say which of its own do (``watching`` in metrics.json).
LEGACY = ("throughput", "history", "attention_maps", "sample_translations", "samples", "run_files", "progress")
# Configurations are named by these choices first; the value of the first one stands without its name.
FIRST = ("attention", "attention/score", "attention/window", "attention/normalizer", "decoder", "encoder", "dataset")
HYDRA = ("_partial_", "_convert_", "_recursive_")  # how a part is built, not which
ABSENT = "-"


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
    table = differing(firsts, [flat[id(run)] for run in firsts])
    factor, names = name_rows(table, len(firsts), mentioned(runs))
    names = names or [firsts[0].labels.get("attention", firsts[0].name)]
    configurations = tuple(Configuration(name, tuple(members)) for name, members in zip(names, kept, strict=True))
    differences = tuple(Difference(key, dict(zip(names, values, strict=True))) for key, values in table.items())
    return Grouping(configurations, differences, tuple(repeated), factor)


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


def differing(runs: Sequence[Run], configs: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Choices, then config keys, that are not the same in all runs: key -> the value in each."""
    found: dict[str, list[str]] = {}
    for table in ([run.choices for run in runs], configs):
        keys = dict.fromkeys(key for row in table for key in row)
        for key in sorted(keys, key=_rank):
            values = [show(row[key]) if key in row else ABSENT for row in table]
            if len(set(values)) > 1 and key not in found and not _watching(key):
                found[key] = values
    return found


def _watching(key: str) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in IGNORED)


def _rank(key: str) -> tuple[int, str]:
    return (FIRST.index(key) if key in FIRST else len(FIRST)), key


def mentioned(runs: Iterable[Run]) -> set[str]:
    """The keys that the command lines named."""
    return {override.lstrip("+~").partition("=")[0].partition("@")[0] for run in runs for override in run.overrides}


def name_rows(table: Mapping[str, list[str]], rows: int, asked: set[str]) -> tuple[tuple[str, ...], list[str]]:
    """Name each row by as few keys as tell all rows apart.

    Those chosen on the command line come first, then choices of options, then the rest. One row alone has nothing
    to be told from, and the result is empty.

    Returns:
        The keys, and the names.
    """
    chosen: list[str] = []
    labels: list[tuple[str, ...]] = [()] * rows
    choices = [key for key in table if "." not in key]
    rest = [key for key in table if "." in key]
    for key in sorted(choices, key=lambda key: key not in asked) + sorted(rest, key=lambda key: key not in asked):
        finer = [(*label, value) for label, value in zip(labels, table[key], strict=True)]
        if len(set(finer)) > len(set(labels)):
            chosen, labels = [*chosen, key], finer
    if not chosen:
        return (), []
    return tuple(chosen), [
        " ".join(_word(key, value) for key, value in zip(chosen, label, strict=True)) for label in labels
    ]


def _word(key: str, value: str) -> str:
    return value if key == "attention" else f"{key.removeprefix('attention/')}={value}"


def show(value: Any) -> str:
    """As YAML has it: null, true, [1, 2]."""
    if value is None or isinstance(value, bool | list | Mapping):
        return json.dumps(value, default=str)
    return str(value)
