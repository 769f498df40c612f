"""The classes of single pairs, by a finished run: a line is the premise, a tab, the hypothesis, or a JSON object."""

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import torch

from attnlab.attention.edited import Changes, InOrder, Marked, edited
from attnlab.attention.given import watched
from attnlab.data.labelled.batches import ids_of, split_of
from attnlab.data.labelled.labels import saved_labels
from attnlab.data.labelled.ngrams import Ngrams, Speller, require_ngrams
from attnlab.data.pairs.batches import PairBatch, PairTexts
from attnlab.data.pairs.module import FILE, words_of
from attnlab.data.pairs.overlap import NAMES, Overlap
from attnlab.data.text import EMPTY, Field, field, visible
from attnlab.data.tokenizers.load import load
from attnlab.models.overlap_linear import OverlapLinear
from attnlab.models.pair_classifier import PairClassifier, Paired
from attnlab.runs.writing import Map
from attnlab.tasks.entailment.records import SIDES, Pair, pairs_of
from attnlab.tasks.prediction import Prediction, Predictor, Seen, plain
from attnlab.tasks.spelling import unknown_tokens
from attnlab.types import tree_map

KEYS = (("premise", "hypothesis"), ("sentence1", "sentence2"))  #: of a JSON object that is a pair
EXPECTED = 'expected PREMISE<tab>HYPOTHESIS, or {"premise": …, "hypothesis": …}'


class Told(NamedTuple):
    """A pair and the class that it was given."""

    pair: Pair
    predicted: str
    probabilities: dict[str, float]

    @property
    def short(self) -> str:
        return f"{self.predicted}\t{self.probabilities[self.predicted]:.4f}"

    def line(self) -> dict[str, Any]:
        """As a line of ``test.jsonl`` has it."""
        return {**self.pair.line(), "predicted": self.predicted, "probabilities": self.probabilities}

    def map(self, number: int) -> Map | None:
        return self.pair.map(number, f"{self.predicted} with {self.probabilities[self.predicted]:.2f}")


P = TypeVar("P", bound=Prediction)


class PairPredictor(Predictor, Generic[P]):
    """Tells something of pairs, as a test does.

    Args:
        folder: with ``text.json``, and with ``overlap.json`` where the model reads features.
        ngrams: of words, where the data had some.

    Raises:
        DataError: one is missing or damaged.
    """

    fields: ClassVar[tuple[str, ...]] = SIDES

    def __init__(self, folder: Path, ngrams: Ngrams | None = None) -> None:
        self.folder, self.ngrams = folder, ngrams
        self.tokenizer = load(folder / "text.json")
        self.overlap: Overlap | None = None

    @property
    @abstractmethod
    def classes(self) -> int:
        """Outputs of the model."""

    @abstractmethod
    def tell(self, found: Paired, pairs: Sequence[Pair]) -> list[P]:
        """What the model says of each pair."""

    @property
    def dimensions(self) -> Mapping[str, Any]:
        return {"vocabulary": len(self.tokenizer), "classes": self.classes, "features": len(NAMES)}

    def clean(self, text: str) -> Field:
        """Both sides of a line, a tab between them."""
        if not visible(text):
            return Field("", EMPTY)
        sides = sides_of(text)
        if isinstance(sides, str):
            return Field("", sides)
        found = [field(side) for side in sides]
        for side, which in zip(found, ("premise", "hypothesis"), strict=True):
            if side.fault:
                return Field("", f"nothing shows in the {which}" if side.fault == EMPTY else side.fault)
        return Field("\t".join(side.text for side in found), "")

    def tokens(self, text: str) -> int:
        return max(len(ids_of(self.tokenizer, side)) for side in text.split("\t"))

    def unknown(self, text: str) -> list[str]:
        return [token for side in text.split("\t") for token in unknown_tokens(self.tokenizer, side)]

    def longest(self, model: PairClassifier | OverlapLinear) -> int | None:  # type: ignore[override]
        return model.longest_text

    def draws(self, model: PairClassifier | OverlapLinear) -> bool:  # type: ignore[override]
        return model.has_weights

    def __call__(  # type: ignore[override]
        self, model: PairClassifier | OverlapLinear, texts: Sequence[str], device: torch.device
    ) -> list[P]:
        pairs = parted(texts)
        found: Paired = model(*self._batch(pairs, model, device).inputs)
        return self.tell(found, pairs_of(found, pairs, self.tokenizer))

    def line_of(self, record: Mapping[str, Any]) -> str | None:
        sides = self.parts_of(record)
        return None if sides is None else "\t".join(sides)

    def line_from(self, parts: Sequence[str]) -> str:
        return json.dumps(dict(zip(SIDES, parts, strict=True)), ensure_ascii=False)

    def parts_of(self, record: Mapping[str, Any]) -> list[str] | None:
        sides = [side for name in SIDES if isinstance(side := record.get(name), str)]
        return sides if len(sides) == len(SIDES) else None

    @contextmanager
    def edited(  # type: ignore[override]
        self, model: PairClassifier, text: str, changes: Changes, device: torch.device
    ) -> Iterator[None]:
        """What the premise looks at in the hypothesis, it looks at as it would."""
        inputs = self._batch(parted([text]), model, device).inputs
        rows, columns = inputs[1].mask.size(1), inputs[0].mask.size(1)
        changes.check(rows, columns)
        attention = model.matching.attention
        with watched(attention) as seen:
            model(*inputs)
        back = model.matching.both_ways(seen, rows)[1].size(1)  # rows of the way back, where there is one
        forth = changes.marked(0, rows, columns)
        nothing = Changes().marked(0, back, rows)
        calls = [model.matching.calls(there.float(), none.float()) for there, none in zip(forth, nothing, strict=True)]
        with edited(attention, InOrder([Marked(*(part > 0 for part in call)) for call in zip(*calls, strict=True)])):
            yield

    def _batch(
        self, pairs: Sequence[tuple[str, str]], model: PairClassifier | OverlapLinear, device: torch.device
    ) -> PairBatch:
        require_ngrams(0 if self.ngrams is None else self.ngrams.buckets, model)
        speller = None if self.ngrams is None else Speller(self.ngrams)  # of these texts alone: lines have no end
        texts = [side for pair in pairs for side in pair]
        split = split_of(texts, [0] * len(pairs), self.tokenizer, speller)
        features = None
        if model.reads_overlap:
            self.overlap = self.overlap or Overlap.load(self.folder / FILE)
            features = self.overlap(words_of(self.tokenizer, texts)).astype("float32")
        batch = PairTexts(split, speller=speller, overlap=features).__getitems__(range(len(pairs)))
        moved: PairBatch = tree_map(lambda part: part.to(device), batch)
        return moved

    @torch.no_grad()
    def seen(  # type: ignore[override]
        self, model: PairClassifier | OverlapLinear, texts: Sequence[str], device: torch.device
    ) -> list[tuple[P, Seen | None]]:
        """Both ways of the alignment, and the encoder's own attention within each sentence, where it has some."""
        told = self(model, texts, device)
        maps = [one.map(number) for number, one in enumerate(told)]
        if not any(maps) or not isinstance(model, PairClassifier):
            return [(one, None) for one in told]
        batch = self._batch(parted(texts), model, device)
        heads = model.weights_by_head(*batch.inputs)
        own = {
            name: model.matching.encoder.self_weights(model.read(*side), side.mask)
            for name, side in zip(SIDES, (batch.premise, batch.hypothesis), strict=True)
        }
        found: list[tuple[P, Seen | None]] = []
        for row, (one, item) in enumerate(zip(told, maps, strict=True)):
            if item is None:
                found.append((one, None))
                continue
            labels = dict(zip(SIDES, (item.columns, item.rows), strict=True))
            squares = {
                name: plain(weights[row][..., : len(labels[name]), : len(labels[name])])
                for name, weights in own.items()
                if weights is not None
            }
            cells = (..., slice(len(item.rows)), slice(len(item.columns)))
            full = item._replace(heads=None if heads is None else plain(heads[row][cells]))
            found.append((one, Seen(full, squares, {name: labels[name] for name in squares})))
        return found


def parted(texts: Sequence[str]) -> list[tuple[str, str]]:
    """Premise and hypothesis of cleaned lines."""
    return [(premise, hypothesis) for premise, _, hypothesis in (text.partition("\t") for text in texts)]


class ClassPredictor(PairPredictor[Told]):
    """Tells the class of pairs.

    Args:
        folder: with ``labels.json`` besides.
        ngrams: of words, where the data had some.
    """

    def __init__(self, folder: Path, ngrams: Ngrams | None = None) -> None:
        super().__init__(folder, ngrams)
        self.names = saved_labels(folder / "labels.json")

    @property
    def classes(self) -> int:
        return len(self.names)

    def tell(self, found: Paired, pairs: Sequence[Pair]) -> list[Told]:
        told = []
        for pair, row in zip(pairs, found.logits.double().softmax(-1).tolist(), strict=True):
            named = dict(zip(self.names, row, strict=True))
            told.append(Told(pair, max(named, key=named.__getitem__), named))
        return told


def sides_of(text: str) -> tuple[str, str] | str:
    """Premise and hypothesis of a line; what is wrong with it where these cannot be told."""
    if text.lstrip().startswith("{"):
        try:
            row = json.loads(text)
        except (ValueError, RecursionError):
            return f"no JSON; {EXPECTED}"
        for keys in KEYS:
            if all(isinstance(row.get(key), str) for key in keys):
                return row[keys[0]], row[keys[1]]
        return f"no premise and hypothesis among its keys; {EXPECTED}"
    sides = text.rstrip("\r\n").split("\t")
    if len(sides) != 2:
        return f"{len(sides) - 1 or 'no'} tab{'s' if len(sides) > 2 else ''}; {EXPECTED}"
    return sides[0], sides[1]


def predictor(folder: Path, data: Mapping[str, Any]) -> Predictor:
    """Of a finished run, from the folder of its vocabulary and classes and the settings of its data."""
    return ClassPredictor(folder, data.get("ngrams"))
