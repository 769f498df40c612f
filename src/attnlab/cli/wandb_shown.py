"""What runs of W&B's have to show: the keys of their summaries that a dashboard names, in an order for readers.

W&B gives the keys of a summary in no order, and a group also has runs that are no training: its comparison, and what
commands that came later have told.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from attnlab.analysis.values import FIRST, show, without_effect
from attnlab.callbacks.wandb_logger import OUTPUTS
from attnlab.metrics.registry import TRAINING_SPLITS, known, of_key
from attnlab.runs.legacy import WORDS

HEATMAPS = "val/attention/"
UPDATES = ("train/learning_rate", "train/gradient_norm")  # of no quantity
PAGE, CARD = "attention/over_training", "data/card"
COMPARED = ("comparison/scores", "comparison/significance", "comparison/report")
PICTURE = re.compile(r"\w+/(confusion|(attention|forecast)/.+)")
FRONT = ("val", "train", "", "test")  #: splits; the others after them


class Shown(NamedTuple):
    """What the runs have."""

    heatmaps: Sequence[str]  #: their keys
    numbers: Sequence[str]  #: likewise
    outputs: str  #: what their tasks call what they make of an item
    pictures: Sequence[str] = ()  #: the keys of those that a test has left
    tables: Sequence[str] = ()  #: the keys of samples
    others: Sequence[str] = ()  #: of UPDATES, PAGE and CARD those that there are
    group: str = "attention"  #: what bars and curves are means of, over seeds
    compared: Sequence[str] = ()  #: of COMPARED those that there are


def shown(runs: Iterable[Any]) -> Shown:
    """Read what there is.

    Args:
        runs: as W&B's API gives them, with ``summary`` and ``config``.
    """
    every = list(runs)
    trained = [run for run in every if "attention" in run.config] or every
    summaries = [list(run.summary.keys()) for run in trained]
    there = {key for run in every for key in run.summary.keys()}  # noqa: SIM118 (no mapping)
    monitored = next((str(run.summary.get("monitor") or "") for run in trained), "")
    factor: list[str] = next((run.config["factor"] for run in every if run.config.get("factor")), [])
    return Shown(
        heatmap_keys(summaries),
        number_keys(summaries, monitored),
        outputs(run.summary for run in trained),
        picture_keys(summaries),
        table_keys(summaries),
        [key for key in (*UPDATES, PAGE, CARD) if key in there],
        varied([run.config for run in trained], factor),
        [key for key in COMPARED if key in there],
    )


def heatmap_keys(summaries: Iterable[Iterable[str]], most: int = 4) -> list[str]:
    """The heatmaps that the most runs have logged: those of the same sentences can be laid side by side."""
    counts: dict[str, int] = {}
    for keys in summaries:
        for key in keys:
            if key.startswith(HEATMAPS):
                counts[key] = counts.get(key, 0) + 1
    return sorted(counts, key=lambda key: (-counts[key], _natural(key)))[:most]


def picture_keys(summaries: Iterable[Iterable[str]], most: int = 8) -> list[str]:
    """The pictures that tests have left: which classes are taken for which, forecasts, then attention."""
    keys = {key for keys in summaries for key in keys if key.partition("/")[0] not in TRAINING_SPLITS}
    tested = [key for key in keys if PICTURE.fullmatch(key)]
    return sorted(tested, key=lambda key: ("/attention/" in key, _natural(key)))[:most]


def table_keys(summaries: Iterable[Iterable[str]]) -> list[str]:
    """The tables of samples that any run has, those of the validation first."""
    keys = {key for keys in summaries for key in keys if key.endswith("/samples")}
    return sorted(keys, key=_place)


def number_keys(summaries: Iterable[Iterable[str]], monitored: str = "") -> list[str]:
    """The numbers that any run has and whose quantity is known, by split, what was monitored first.

    Args:
        summaries: keys of each run.
        monitored: the key that checkpoints were chosen by.
    """
    name, order = monitored.rpartition("/")[2], list(known())
    found = {key: item for keys in summaries for key in keys if (item := of_key(key)) is not None}

    def rank(key: str) -> tuple[Any, ...]:
        return (*_place(key), found[key].name != name, order.index(found[key].id))

    return sorted(found, key=rank)


def outputs(summaries: Iterable[Mapping[str, Any]]) -> str:
    """What the tasks call what they make; runs that do not say so are translations."""
    found = dict.fromkeys(str(summary.get(OUTPUTS) or WORDS["outputs"]) for summary in summaries)
    return " and ".join(found) or WORDS["outputs"]


def varied(configs: Sequence[Mapping[str, Any]], told: Sequence[str] = ()) -> str:
    """The setting by which runs are told apart.

    Where all have a pooling it is that, for mechanisms of several poolings are alike, else the attention; where all
    have the same, the first setting that is not the same in runs of one seed.

    Args:
        configs: of each run.
        told: what their comparison has found that they are told apart by; it is right.
    """
    for key in told:
        if any(key in config for config in configs):
            return key
    usual = "pooling" if configs and all(config.get("pooling") for config in configs) else "attention"
    if len({show(config.get(usual)) for config in configs}) > 1:
        return usual
    seeds: dict[str, list[Mapping[str, Any]]] = {}
    for config in configs:
        seeds.setdefault(show(config.get("seed")), []).append(config)
    keys = {key for config in configs for key in config if not without_effect(key) and not _of_a_place(key)}
    differing = [
        key for key in keys if any(len({show(config.get(key)) for config in those}) > 1 for those in seeds.values())
    ]
    return min(differing, key=_rank, default=usual)


def _of_a_place(key: str) -> bool:
    """Callbacks hold the folder of their run."""
    return key.startswith(("callbacks", "_"))


def _rank(key: str) -> tuple[Any, ...]:
    """The choice of an option before a setting, the usual ones first; of a part its own place before the model's."""
    return "." in key, FIRST.index(key) if key in FIRST else len(FIRST), key.count("."), key


def _place(key: str) -> tuple[int, str]:
    split = key.rpartition("/")[0]
    return FRONT.index(split) if split in FRONT else len(FRONT), split


def _natural(key: str) -> list[tuple[int, str]]:
    """Numbers as numbers: ``val_5`` before ``val_36``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", key)]
