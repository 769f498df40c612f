"""What a task makes of single lines of text with a finished run, whose data set is not needed.

A task has it where a function ``predictor`` stands beside it, in the module or package that its ``_target_`` names, as
``rehearse`` does: from the folder where its data wrote (``TaskData.save``), and the settings of its data but for the
parts that are made elsewhere (corpus, tokenizer), to a :class:`Predictor`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from attnlab.runs.writing import Map


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
    """Makes something of lines, with the model of a run."""

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

    def longest(self, model: nn.Module) -> int | None:
        """Most tokens that a model can read; None is any number."""
        return None

    def draws(self, model: nn.Module) -> bool:
        """Whether predictions have a map."""
        return False
