"""A run that predicts something of texts, asked for one: classes or a value, with links changed by hand."""

from collections.abc import Sequence
from typing import Any

import torch

from attnlab.analysis.runs import Run
from attnlab.analysis.viewer.collected import Viewed
from attnlab.attention.edited import Changes
from attnlab.cli.app import composed
from attnlab.cli.commands import predict
from attnlab.cli.playing.player import Kind, Player, item, told, unchangeable
from attnlab.cli.playing.questions import Question
from attnlab.cli.predicting import Predictions
from attnlab.cli.viewing.looking import viewed
from attnlab.errors import ConfigError


class PredictionPlayer(Player):
    """Classes, scores: what the task's predictor makes of a line.

    Args:
        run: which.
        asked: how ``attnlab predict`` would be told to restore it.
        characters: of a text, at most.
        tokens: likewise; documents, which are read by sentences, have no such bound.

    Raises:
        ConfigError: it reads tables.
    """

    def __init__(self, run: Run, asked: Sequence[str], characters: int, tokens: int) -> None:
        super().__init__(run, characters)
        self._answers = Predictions.restore(composed(predict.COMMAND, asked))
        if self._answers.most is not None:
            self._answers.most = tokens
        if self._answers.whole:
            raise ConfigError(
                f"runs: {run.folder} reads tables, and here texts are typed; take it out, and ask it by attnlab predict"
            )

    @property
    def answers(self) -> Predictions:
        return self._answers

    @property
    def kind(self) -> Kind:
        return Kind("prediction", self.answers.predictor.fields)

    @property
    def scale(self) -> tuple[float, float] | None:
        return self.answers.predictor.scale

    def example(self) -> Sequence[str] | None:
        predictor = self.answers.predictor
        items = [self.run.items(split) for split in self.run.splits]
        lines = [predictor.parts_of(some[0].record) for some in items if some]
        return next((parts for parts in lines if parts is not None), None)

    def said(self, question: Question, number: int) -> dict[str, Any]:
        predictor = self.answers.predictor
        line = self.checked(predictor.line_from(self.bounded(question.texts)))
        first, words = self._view(line, None)
        links, note = question.links, ""
        views = [first]
        if links is not None and links.changes:
            note = self._links_note(words, question)
            if not note:
                views.append(self._view(line, links.marked)[0])
        return {"views": views, "words": words, "note": note, "unknown": self.answers.unknown(line)}

    def _links_note(self, words: Sequence[str], question: Question) -> str:
        if self.answers.undrawable:
            return f"{self.name} looks at nothing: no link of it can be changed."
        return unchangeable(self.name, words, question)

    @torch.inference_mode()
    def _view(self, line: str, changes: Changes | None) -> tuple[dict[str, Any], list[str]]:
        """What is made of a line, and the words that are looked at."""
        asked = self.answers
        if changes is None:
            ((said, seen),) = asked.predictor.seen(asked.model, [line], asked.device)
        else:
            with asked.predictor.edited(asked.model, line, changes, asked.device):
                ((said, seen),) = asked.predictor.seen(asked.model, [line], asked.device)
        output = said.short.partition("\t")[0]
        shown = Viewed(output, {}) if seen is None else viewed(seen.map, output, seen)
        return {"output": output, "item": item(shown), **told(said.line())}, [] if seen is None else seen.map.columns
