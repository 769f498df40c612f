"""The classes of single documents, by a finished run.

A line is a document: a JSON object with a list of ``sentences``, or with a ``text``; or plain text. A text is cut into
sentences by the rule of :mod:`attnlab.data.documents.sentences`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from attnlab.attention.edited import Changes, InOrder, Marked, edited
from attnlab.data.documents.reading import Keys, text_of
from attnlab.data.documents.sentences import document, split
from attnlab.data.labelled.batches import ids_of
from attnlab.data.labelled.ngrams import Ngrams
from attnlab.data.labelled.tokenized import Sentences
from attnlab.models.classifier import TextClassifier
from attnlab.models.hierarchical import Hierarchical, groups
from attnlab.tasks.classification.prediction import ClassPredictor, Told
from attnlab.tasks.prediction import Predictor, Seen
from attnlab.types import ConfigError, DataError

KEYS = Keys()


class DocumentPredictor(ClassPredictor):
    """Tells the class of documents, as a test does.

    Args:
        folder: with ``text.json`` and ``labels.json``.
        ngrams: of words, where the data had some.
        language: ISO 639-1 code, for the rule that cuts texts.
        sentences: how much of a document is read.
        batch_tokens: padded tokens that are read together at most; None is any number.

    Raises:
        DataError: one is missing or damaged.
    """

    most: ClassVar[int | None] = None  #: documents are read whole
    fields: ClassVar[tuple[str, ...]] = ("document",)

    def __init__(
        self, folder: Path, ngrams: Ngrams | None, language: str, sentences: Sentences, batch_tokens: int | None
    ) -> None:
        super().__init__(folder, ngrams)
        self.sentences: Sentences = sentences
        self.language, self.batch_tokens = language, batch_tokens

    def fault(self, text: str, model: TextClassifier) -> str:  # type: ignore[override]
        found, wrong = self._document(text)
        if wrong:
            return wrong
        counts = [len(ids_of(self.tokenizer, sentence)) for sentence in self.sentences.of(found)]
        there = {"sentences": len(counts), "words in a sentence": max(counts)}
        for what, most in getattr(model, "sentence_limits", {}).items():
            if most is not None and there[what] > most:
                return f"{there[what]} {what}, over the {most} positions that the run knows"
        return ""

    def tokens(self, text: str) -> int:
        return sum(len(ids_of(self.tokenizer, sentence)) for sentence in self.document(text).split("\n"))

    def unknown(self, text: str) -> list[str]:
        of_a_sentence = super().unknown
        return [token for sentence in self.document(text).split("\n") for token in of_a_sentence(sentence)]

    def document(self, line: str) -> str:
        """The document of a line, a sentence a line.

        Raises:
            DataError: the line is a JSON object that is none.
        """
        text, fault = self._document(line)
        if fault:
            raise DataError(fault)
        return text

    def _document(self, line: str) -> tuple[str, str]:
        if not line.startswith("{"):
            return document(split(line, self.language)), ""
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            return "", f"begins with a brace and is no JSON object ({type(error).__name__})"
        if not (KEYS.sentences in row or KEYS.text in row):
            there = ", ".join(map(str, row)) or "none"
            return "", f"a JSON object without {KEYS.sentences} and {KEYS.text}; it has {there:.60}"
        return text_of(row, KEYS, self.language)

    def __call__(  # type: ignore[override]
        self, model: TextClassifier, texts: Sequence[str], device: torch.device
    ) -> list[Told]:
        read = [self.document(text) for text in texts]
        found: dict[int, Told] = {}
        answer = super().__call__
        for rows in self._batches([self.tokens(text) for text in texts]):
            together = [read[row] for row in rows]
            found |= dict(zip(rows, answer(model, together, device), strict=True))
        return [found[row] for row in range(len(texts))]

    def _batches(self, lengths: Sequence[int]) -> list[list[int]]:
        from attnlab.data.batching import EvaluationBatches

        sizes = np.array(lengths, np.int64)
        return EvaluationBatches(sizes, np.zeros_like(sizes), max(1, len(sizes)), tokens=self.batch_tokens).batches

    @torch.no_grad()
    def seen(  # type: ignore[override]
        self, model: TextClassifier, texts: Sequence[str], device: torch.device
    ) -> list[tuple[Told, Seen | None]]:
        """The looks at both levels; of a flat model, all that it has."""
        if not model.sentence_looks and not hasattr(model, "sentence_limits"):
            return super().seen(model, [self.document(text) for text in texts], device)
        maps = [(told, told.map(number)) for number, told in enumerate(self(model, texts, device))]
        return [(told, None if item is None else Seen(item)) for told, item in maps]

    def line_of(self, record: Mapping[str, Any]) -> None:
        """None: how a document was cut into sentences stands in no record."""

    def line_from(self, parts: Sequence[str]) -> str:
        return json.dumps({KEYS.text: parts[0]}, ensure_ascii=False)

    def parts_of(self, record: Mapping[str, Any]) -> list[str] | None:
        """Its text, which may be cut otherwise than it was."""
        text = record.get("text")
        return [text] if isinstance(text, str) else None

    @contextmanager
    def edited(  # type: ignore[override]
        self, model: TextClassifier, text: str, changes: Changes, device: torch.device
    ) -> Iterator[None]:
        """Of a document that is read by sentences a word's weight is one within its sentence."""
        read = self.document(text)
        if not isinstance(model, Hierarchical):
            with super().edited(model, read, changes, device):
                yield
            return
        batch = self._batch([read], model, device)
        assert batch.sentences is not None
        words = batch.mask.size(1)
        marked = changes.marked(0, max(1, len(model.looks)), words)
        changes.check(len(model.looks), words)
        parts = [by_sentence(marked, group.places, group.mask) for group in groups(batch.sentences, words)]
        with edited(model.encoder.pooling.attention, InOrder(parts)):
            yield


def by_sentence(marked: Marked, places: Int[Tensor, "M W"], mask: Bool[Tensor, "M W"]) -> Marked:
    """The marks of a document, a row a sentence.

    Raises:
        ConfigError: every word of a sentence is forbidden.
    """
    forbidden, forced = (part[0][:, places.cpu()].transpose(0, 1) & mask.cpu().unsqueeze(1) for part in marked)
    if bool((forbidden | ~mask.cpu().unsqueeze(1)).all(-1).any()):
        raise ConfigError("links: every word of a sentence is forbidden; leave one that can be looked at")
    return Marked(forbidden, forced)


def predictor(folder: Path, data: Mapping[str, Any]) -> Predictor:
    """Of a finished run, from the folder of its vocabulary and classes and the settings of its data."""
    sentences = Sentences(data.get("max_sentences"), data.get("max_words"))
    return DocumentPredictor(
        folder, data.get("ngrams"), data.get("language", "en"), sentences, data.get("eval_batch_tokens")
    )
