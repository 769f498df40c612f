"""The classes of single texts, by a finished run."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from attnlab.attention.edited import Changes, InOrder, edited
from attnlab.data.labelled.batches import LabelledBatch, Texts, ids_of, split_of
from attnlab.data.labelled.labels import saved_labels
from attnlab.data.labelled.ngrams import Ngrams, Speller, require_ngrams
from attnlab.data.labelled.tokenized import Sentences
from attnlab.data.tokenizers.load import load
from attnlab.models.classifier import Classified, TextClassifier
from attnlab.runs.writing import Map
from attnlab.tasks.classification.records import Looked, Named, in_one_line, read_off
from attnlab.tasks.prediction import Predictor, Seen, plain
from attnlab.tasks.spelling import unknown_tokens


class Told(NamedTuple):
    """A text and the class that it was given."""

    text: str
    predicted: str
    probabilities: dict[str, float]
    seen: Looked

    @property
    def tokens(self) -> list[str]:
        return self.seen.tokens

    @property
    def weights(self) -> Float[np.ndarray, "R S"] | None:
        """Of R looks at the words."""
        return self.seen.weights

    @property
    def looks(self) -> tuple[str, ...]:
        """What each row of the weights is."""
        return () if self.seen.weights is None else self.seen.looks

    @property
    def short(self) -> str:
        return f"{self.predicted}\t{self.probabilities[self.predicted]:.4f}"

    def line(self) -> dict[str, Any]:
        """As a line of ``test.jsonl`` has it; ``looks`` are what each list of ``weights`` is."""
        return {
            "text": in_one_line(self.text),
            "predicted": self.predicted,
            "probabilities": self.probabilities,
            **self.seen.line(),
            "looks": None if self.weights is None else list(self.looks),
        }

    def map(self, number: int) -> Map | None:
        return self.seen.map(number, f"{self.predicted} with {self.probabilities[self.predicted]:.2f}")


class ClassPredictor(Predictor):
    """Tells the class of texts, as a test does.

    Args:
        folder: with ``text.json`` and ``labels.json``.
        ngrams: of words, where the data had some.

    Raises:
        DataError: one is missing or damaged.
    """

    sentences: Sentences | None = None  #: how texts are read where they are documents

    def __init__(self, folder: Path, ngrams: Ngrams | None = None) -> None:
        self.ngrams = ngrams
        self.tokenizer, self.classes = load(folder / "text.json"), saved_labels(folder / "labels.json")

    @property
    def dimensions(self) -> Mapping[str, Any]:
        return {"vocabulary": len(self.tokenizer), "classes": len(self.classes)}

    def tokens(self, text: str) -> int:
        return len(ids_of(self.tokenizer, text))

    def unknown(self, text: str) -> list[str]:
        return unknown_tokens(self.tokenizer, text)

    def longest(self, model: TextClassifier) -> int | None:  # type: ignore[override]
        return model.longest_text

    def draws(self, model: TextClassifier) -> bool:  # type: ignore[override]
        return model.has_weights

    def __call__(  # type: ignore[override]
        self, model: TextClassifier, texts: Sequence[str], device: torch.device
    ) -> list[Told]:
        return self._told(model, self._batch(texts, model, device), texts)

    def _told(self, model: TextClassifier, batch: LabelledBatch, texts: Sequence[str]) -> list[Told]:
        found: Classified = model(*batch.inputs)
        read = read_off(model, found, batch, Named(texts, self.classes, self.tokenizer, self.sentences))
        return [Told(text, *said) for text, said in zip(texts, read, strict=True)]

    def _batch(self, texts: Sequence[str], model: TextClassifier, device: torch.device) -> LabelledBatch:
        require_ngrams(0 if self.ngrams is None else self.ngrams.buckets, model)
        speller = None if self.ngrams is None else Speller(self.ngrams)  # of these texts alone: lines have no end
        split = split_of(texts, [0] * len(texts), self.tokenizer, speller, self.sentences)
        return Texts(split, speller=speller).__getitems__(range(len(texts))).moved(device)

    @torch.no_grad()
    def seen(  # type: ignore[override]
        self, model: TextClassifier, texts: Sequence[str], device: torch.device
    ) -> list[tuple[Told, Seen | None]]:
        """The looks of pooling, by head where there are any, and the encoder's own."""
        batch = self._batch(texts, model, device)
        told = self._told(model, batch, texts)
        maps = [one.map(number) for number, one in enumerate(told)]
        if not any(maps):
            return [(one, None) for one in told]
        heads = model.weights_by_head(*batch.inputs)
        own = model.encoder.self_weights(model.read(batch.words, batch.mask, batch.spelled), batch.mask)
        found: list[tuple[Told, Seen | None]] = []
        for row, (one, item) in enumerate(zip(told, maps, strict=True)):
            if item is None:
                found.append((one, None))
                continue
            words = slice(len(item.columns))
            seen = Seen(item._replace(heads=None if heads is None else plain(heads[row][..., words])))
            if own is not None:
                seen = seen._replace(own={"text": plain(own[row][..., words, words])}, labels={"text": item.columns})
            found.append((one, seen))
        return found

    def line_of(self, record: Mapping[str, Any]) -> str | None:
        text = record.get("text")
        return text if isinstance(text, str) else None

    @contextmanager
    def edited(  # type: ignore[override]
        self, model: TextClassifier, text: str, changes: Changes, device: torch.device
    ) -> Iterator[None]:
        looks, words = len(model.looks), self._batch([text], model, device).mask.size(1)
        changes.check(looks, words)
        pooling = getattr(model, "pooling", None)
        with edited(getattr(pooling, "attention", None), InOrder([changes.marked(0, looks, words)])):
            yield


def predictor(folder: Path, data: Mapping[str, Any]) -> Predictor:
    """Of a finished run, from the folder of its vocabulary and classes and the settings of its data."""
    return ClassPredictor(folder, data.get("ngrams"))
