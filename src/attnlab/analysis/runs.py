"""Finished runs, read from the files that they left: no model code, no torch, no omegaconf.

A run folder is what ``train.py`` leaves. Everything here is frozen; the large parts (sentences, alignments,
learning curve) are read when they are first asked for.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from attnlab.bounded import read_yaml
from attnlab.errors import DataError

Value = str | int | float | bool | None
LABELS = ("attention", "encoder", "decoder", "dataset", "tokenizer", "search")


class Sentence(NamedTuple):
    """A line of ``<split>.jsonl``; what an older run did not record is None."""

    source: str
    reference: str
    hypothesis: str
    score: float | None  #: what the search ranked by
    source_tokens: list[str]
    hypothesis_tokens: list[str]
    alignment: list[int | None] | None  #: of each hypothesis token, the source token with most weight
    counts: dict[str, list[int]] | None = None  #: what sacreBLEU counts in it, by score
    loss: float | None = None  #: of the reference, in nats, summed over its tokens, end of sentence counted
    target_tokens: int | None = None  #: how many those are
    links: list[int] | None = None  #: of the forced alignment with the gold one: |A∩S|, |A∩P|, |A|, |S|


class AttentionMap(NamedTuple):
    """The attention weights of one translated sentence."""

    number: int  #: of the sentence in its split, from 0
    weights: Float[np.ndarray, "T S"]
    source_tokens: list[str]
    target_tokens: list[str]  #: of the hypothesis; the end of the sentence has a row where it was produced


class Point(NamedTuple):
    """A line of ``history.jsonl``."""

    step: int  #: optimizer updates so far
    epoch: int  #: from 0
    seconds: float | None  #: of training so far, validation not counted
    values: dict[str, float]  #: ``train/loss``, ``learning_rate``, ``val/bleu``, …: those known at this point


class WordCounts(NamedTuple):
    """How often the words of the tested sentences occur in the targets that a run was trained on."""

    counts: dict[str, int]  #: of the words of references and hypotheses; one that is not listed never occurs
    tokenizer: str  #: sacreBLEU's name of what cut the text into words
    lowercase: bool
    sentences: int  #: training sentences that were counted


@dataclass(frozen=True, eq=False)  # a run is itself, and can be a key
class Run:
    """A finished run.

    Attributes:
        folder: where it lies; its last part names it.
        metrics: ``metrics.json``, a flat table.
        config: ``.hydra/config.yaml`` as composed: interpolations such as ``${seed}`` are left as they stand.
        overrides: what was given on the command line, ``("attention=luong_dot", "seed=2")``.
        choices: the option chosen in each config group, ``{"attention": "luong_dot", …}``, without Hydra's own.
    """

    folder: Path
    metrics: Mapping[str, Value]
    config: Mapping[str, Any]
    overrides: tuple[str, ...]
    choices: Mapping[str, str]
    _sentences: dict[str, tuple[Sentence, ...]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def seed(self) -> int | None:
        """The seed of initialisation, order and dropout."""
        seed = self.config.get("seed", self.metrics.get("seed"))
        return seed if isinstance(seed, int) else None

    @property
    def labels(self) -> dict[str, str]:
        """The option of each of ``LABELS`` that the run has."""
        found = {name: self.choices.get(name, self.metrics.get(name)) for name in LABELS}
        return {name: str(option) for name, option in found.items() if option is not None}

    @property
    def bleu_signature(self) -> str:
        """sacreBLEU's signature of ``<split>/bleu``."""
        return str(self.metrics.get("bleu_signature"))

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """The tested splits: those with a score and a file of translations."""
        scored = [name.removesuffix("/bleu") for name in self.metrics if name.endswith("/bleu")]
        return tuple(split for split in scored if (self.folder / f"{split}.jsonl").is_file())

    def metric(self, name: str) -> float | None:
        """A number of ``metrics.json``; None where there is none (or it was not finite)."""
        value = self.metrics.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def sentences(self, split: str) -> tuple[Sentence, ...]:
        """The translations of a split, in its order.

        Raises:
            DataError: the run has no such split, or a line cannot be read.
        """
        if split not in self._sentences:
            path = self.folder / f"{split}.jsonl"
            if not path.is_file():
                raise DataError(f"{path}: there is no such file; the run was tested on {', '.join(self.splits)}")
            lines = read_lines(path)
            try:
                self._sentences[split] = tuple(Sentence(**{k: line.get(k) for k in Sentence._fields}) for line in lines)
            except (ValueError, AttributeError) as error:
                raise DataError(f"{path}: not a file of translations ({error})") from error
        return self._sentences[split]

    def maps_file(self, split: str) -> Path | None:
        """The file behind ``maps``; None where the mechanism draws no alignment."""
        path = self.folder / "attention" / ("maps.npz" if split == "test" else f"maps_{split}.npz")
        return path if path.is_file() else None

    def maps(self, split: str, numbers: list[int] | None = None) -> list[AttentionMap]:
        """The alignments of a split's sentences; of these numbers only, where they were kept."""
        path = self.maps_file(split)
        if path is None:
            return []
        with np.load(path, allow_pickle=False) as arrays:
            kept = arrays["sentences"].tolist()
            return [_map(arrays, number) for number in kept if numbers is None or number in numbers]

    @cached_property
    def history(self) -> tuple[Point, ...]:
        """The learning curve; empty for a run that left none."""
        path = self.folder / "history.jsonl"
        return tuple(_point(line) for line in read_lines(path)) if path.is_file() else ()

    @cached_property
    def word_counts(self) -> WordCounts | None:
        """Training counts of the words of all tested splits; None for a run that left none."""
        path = self.folder / "word_counts.json"
        return WordCounts(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def read_run(folder: Path) -> Run:
    """Read the small files of a run folder.

    Raises:
        DataError: the folder is not a finished run, and why.
    """
    if not is_run(folder):
        raise DataError(f"{folder}: not a run folder, it has no .hydra/config.yaml")
    path = folder / "metrics.json"
    if not path.is_file():
        raise DataError(f"{folder}: not finished, it has no metrics.json")
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
        config = read_yaml(folder / ".hydra" / "config.yaml") or {}
        overrides = tuple(map(str, read_yaml(folder / ".hydra" / "overrides.yaml") or ()))
        hydra = read_yaml(folder / ".hydra" / "hydra.yaml")["hydra"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder}: cannot be read ({type(error).__name__}: {error})") from error
    chosen = hydra["runtime"]["choices"]
    choices = {k: str(v) for k, v in chosen.items() if v is not None and not k.startswith("hydra/")}
    run = Run(folder, metrics, config, overrides, choices)
    if not run.splits:
        raise DataError(f"{folder}: not finished, no split was tested")
    return run


def is_run(folder: Path) -> bool:
    return (folder / ".hydra" / "config.yaml").is_file()


def read_lines(path: Path) -> Iterator[Any]:
    """The JSON objects of a file, one a line; a last line that a killed process left unfinished is passed over.

    Raises:
        DataError: with file and line.
    """
    lines = path.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            yield json.loads(line)
        except ValueError as error:
            if number == len(lines):
                return
            raise DataError(f"{path}, line {number}: not JSON ({error})") from error


def _map(arrays: Mapping[str, Any], number: int) -> AttentionMap:
    tokens = (arrays[f"{side}_tokens_{number}"].tolist() for side in ("source", "target"))
    return AttentionMap(number, arrays[f"weights_{number}"], *tokens)


def _point(line: dict[str, Any]) -> Point:
    values = {k: float(v) for k, v in line.items() if k not in ("step", "epoch", "seconds") and v is not None}
    return Point(line["step"], line["epoch"], line.get("seconds"), values)
