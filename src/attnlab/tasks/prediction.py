"""What a task makes of single lines of text with a finished run, whose data set is not needed.

A task has it where a function ``predictor`` stands beside it, in the module or package that its ``_target_`` names, as
``rehearse`` does: from the folder where its data wrote (``TaskData.save``), and the settings of its data but for the
parts that are made elsewhere (corpus, tokenizer), to a :class:`Predictor`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.edited import Changes
from attnlab.data.text import Field, field
from attnlab.errors import ConfigError
from attnlab.runs.writing import Map


class Seen(NamedTuple):
    """Everything that was looked at for one item: the attention that its map shows, and a Transformer's own."""

    map: Map
    own: Mapping[str, Float[np.ndarray, "L H N N"]] = {}  #: by side (``source``, ``text``, …), layer and head
    labels: Mapping[str, Sequence[str]] = {}  #: the words of each of these sides


def plain(weights: Float[Tensor, "*N"]) -> Float[np.ndarray, "*N"]:
    """Weights as numbers that belong to nobody."""
    return weights.detach().float().cpu().numpy().copy()


@runtime_checkable
class Prediction(Protocol):
    """What was made of a line."""

    @property
    def short(self) -> str:
        """One line of text."""
        ...

    def line(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        ...

    def map(self, number: int) -> Map | None:
        """What was looked at; None where nothing was."""
        ...


class Predictor(ABC):
    """Makes something of lines, with the model of a run.

    Attributes:
        whole: whether all of an input is one item, line ends and all: a table; else every line is one.
        fields: what a line is made of, where a person fills it in part by part.
    """

    whole: ClassVar[bool] = False
    fields: ClassVar[tuple[str, ...]] = ("text",)

    @property
    @abstractmethod
    def dimensions(self) -> Mapping[str, Any]:
        """What the model is built for, as ``TaskData.dimensions`` had it in training."""

    @abstractmethod
    def tokens(self, text: str) -> int:
        """How many tokens a line has."""

    @abstractmethod
    def __call__(self, model: nn.Module, texts: Sequence[str], device: torch.device) -> Sequence[Prediction]:
        """What is made of lines, in each of which something shows."""

    def clean(self, text: str) -> Field:
        """A line of input as the rest takes it, or what is wrong with it."""
        return field(text)

    def unknown(self, text: str) -> list[str]:
        """The tokens of a line that training has not seen."""
        return []

    most: ClassVar[int | None] = 1024  #: tokens of a line, unless the user says otherwise; None is any number

    def fault(self, text: str, model: nn.Module) -> str:
        """Why nothing can be made of a line, in which something shows; empty where something can."""
        return ""

    def longest(self, model: nn.Module) -> int | None:
        """Most tokens that a model can read; None is any number."""
        return None

    def draws(self, model: nn.Module) -> bool:
        """Whether predictions have a map."""
        return False

    def seen(
        self, model: nn.Module, texts: Sequence[str], device: torch.device
    ) -> Sequence[tuple[Prediction, Seen | None]]:
        """What is made of texts, and everything that is looked at for each; None where nothing is."""
        maps = [(found, found.map(number)) for number, found in enumerate(self(model, texts, device))]
        return [(found, None if item is None else Seen(item)) for found, item in maps]

    def line_of(self, record: Mapping[str, Any]) -> str | None:
        """The line of input that a tested item was, from its record; None where the record does not have all of it."""
        return None

    def line_from(self, parts: Sequence[str]) -> str:
        """The line of input that has these parts, by ``fields``."""
        return parts[0]

    def parts_of(self, record: Mapping[str, Any]) -> list[str] | None:
        """The inverse, of a tested item, from its record; None where the record does not have all of them."""
        line = self.line_of(record)
        return None if line is None else [line]

    @property
    def scale(self) -> tuple[float, float] | None:
        """The least and the largest value that is predicted, where a value is and they are known."""
        return None

    def edited(
        self, model: nn.Module, text: str, changes: Changes, device: torch.device
    ) -> AbstractContextManager[None]:
        """Within, links of a line's map are changed by hand, in every head; that line alone is asked.

        Args:
            model: whose.
            text: the line, in which something shows.
            changes: of rows and columns of the map.
            device: where the model is.

        Raises:
            ConfigError: nothing is looked at, there is no such link, or a row may look nowhere.
        """
        raise ConfigError(f"{type(self).__name__} has no links that can be changed")
