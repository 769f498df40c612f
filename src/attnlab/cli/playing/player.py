"""One run that is asked: what it has in common with others, and what it says."""

from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from attnlab.analysis.runs import Run
from attnlab.analysis.viewer.collected import Viewed
from attnlab.cli.lines import Answers, Line, fitting
from attnlab.cli.playing.questions import Question
from attnlab.data.text import EMPTY
from attnlab.errors import DataError


class Kind(NamedTuple):
    """What is asked: runs of one kind are asked the same."""

    task: str  #: what is made of it: translation, prediction
    fields: tuple[str, ...]  #: what is filled in
    languages: tuple[str, str] = ("", "")  #: BCP 47 tags of what is looked at, and of what looks


class Player(ABC):
    """A run with its model, which one question at a time is put to.

    Args:
        run: which.
        characters: of a text, at most.

    Attributes:
        name: by which it is told from others that are asked the same.
    """

    def __init__(self, run: Run, characters: int) -> None:
        self.run, self.characters = run, characters
        self.name = run.name
        self.lock = Lock()  # links are changed in the model itself

    @property
    @abstractmethod
    def kind(self) -> Kind:
        """What it is asked."""

    @property
    @abstractmethod
    def answers(self) -> Answers:
        """What makes something of its texts."""

    @property
    def scale(self) -> tuple[float, float] | None:
        """The least and the largest value that it predicts, where it predicts one."""
        return None

    @abstractmethod
    def example(self) -> Sequence[str] | None:
        """What it was tested on first, field by field; None where nobody knows."""

    def text_of(self, ids: Sequence[int]) -> str:
        """Tokens of its output as text; of a run that translates.

        Raises:
            DataError: it has no such tokens.
        """
        raise DataError(f"beginning: {self.name} translates nothing")

    @abstractmethod
    def said(self, question: Question, number: int) -> dict[str, Any]:
        """What it says, as JSON values; see ``answer``."""

    def answer(self, question: Question, number: int) -> dict[str, Any]:
        """What it says to a question, as the page reads it.

        Args:
            question: put to it.
            number: of the run among those of its group.

        Returns:
            ``views``: as it is, and with links changed, each with ``output``, ``item`` (what was looked at) and what
            is told of its kind; ``note``: what is to be said of it besides; ``unknown``: words that it does not know.

        Raises:
            ConfigError, DataError: what is wrong with the question.
        """
        with self.lock:
            return self.said(question, number)

    def checked(self, text: str) -> str:
        """A text as the run takes it.

        Raises:
            DataError: what is wrong with it.
        """
        found, fault = self.answers.clean(text)
        line = fitting(Line(0, found), self.answers)
        if fault or line.fault:
            raise DataError("nothing shows in it; type a text" if fault == EMPTY else fault or line.fault)
        return line.text

    def bounded(self, texts: Sequence[str]) -> list[str]:
        """Texts that are as many as there are fields, and short enough.

        Raises:
            DataError: what is wrong.
        """
        if len(texts) != len(self.kind.fields):
            raise DataError(f"texts: {len(texts)}, expected {' and '.join(self.kind.fields)}")
        for field, text in zip(self.kind.fields, texts, strict=True):
            if len(text) > self.characters:
                raise DataError(f"{field}: {len(text)} characters, over the {self.characters} of characters=")
        return list(texts)


def item(viewed: Viewed) -> dict[str, Any]:
    """What was looked at: float32 in base64, ordered layer, head, row, column."""
    looks = {
        name: {
            "rows": list(look.rows),
            "columns": list(look.columns),
            "layers": look.weights.shape[0],
            "heads": look.weights.shape[1],
            "weights": b64encode(np.ascontiguousarray(look.weights, "<f4").tobytes()).decode(),
        }
        for name, look in viewed.looks.items()
    }
    return {"looks": looks, "kind": viewed.kind, "note": viewed.note, "sentences": viewed.sentences}


def unchangeable(name: str, words: Sequence[str], question: Question) -> str:
    """Why the links of a question are not those of a run; empty where they are, or where there are none."""
    links = question.links
    if links is None or not links.changes or list(words) == links.columns:
        return ""
    return f"{name} reads other pieces of the text than those whose links were changed: its own are as they were"


def told(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a prediction says, of what its line has: classes with their probabilities, or a value."""
    probabilities = values.get("probabilities")
    if isinstance(probabilities, Mapping):
        return {"classes": {str(name): float(share) for name, share in probabilities.items()}}
    value = values.get("predicted")
    return {"value": float(value)} if isinstance(value, int | float) else {}
