"""A run that translates, asked for a sentence: candidates word by word, what may come next, links changed by hand."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from omegaconf import DictConfig

from attnlab.analysis.pages import languages
from attnlab.analysis.runs import Run
from attnlab.analysis.viewer.collected import Viewed
from attnlab.attention.edited import Changes
from attnlab.cli import build
from attnlab.cli.app import composed
from attnlab.cli.commands import translate
from attnlab.cli.playing.player import Kind, Player, item, unchangeable
from attnlab.cli.playing.questions import MOST_BEAM, Question
from attnlab.cli.translating import Translations
from attnlab.cli.viewing.looking import viewed
from attnlab.search.base import Search
from attnlab.tasks.translation.exploring import Explored, Explorer, Step
from attnlab.types import EOS, SPECIALS, UNK, DataError


class TranslationPlayer(Player):
    """Searches with a beam, whatever the run was tested with; the rest of its search is the run's own.

    Args:
        run: which.
        asked: how ``translate.py`` would be told to restore it.
        characters: of a sentence, at most.
    """

    def __init__(self, run: Run, asked: Sequence[str], characters: int) -> None:
        super().__init__(run, characters)
        own = run.config.get("search")
        beam = [] if isinstance(own, Mapping) and "beam" in own else ["search=beam"]
        config = composed(translate.COMMAND, [*asked, *beam])
        self._answers = Translations.restore(config)
        self._search = lru_cache(MOST_BEAM)(lambda width: wide(config, width))

    @property
    def answers(self) -> Translations:
        return self._answers

    @property
    def kind(self) -> Kind:
        return Kind("translation", ("sentence",), languages(self.run.config))

    def example(self) -> Sequence[str] | None:
        first = next((split for split in self.run.splits), None)
        return None if first is None else [self.run.items(first)[0].input]

    def said(self, question: Question, number: int) -> dict[str, Any]:
        line = self.checked(self.bounded(question.texts)[0])
        translator = self.answers.translator
        words = [token.text for token in translator.source.tokenize(line)]
        ids, note = self._beginning(question, number)
        other = "" if not question.links else self._links_note(words, question)
        explorer = Explorer(
            translator.model, (translator.source, translator.target), translator.source.encode(line), translator.device
        )
        search = self._search(question.beam)
        free = explorer.explore(search, ids)
        views = [self._view(line, free)]
        if question.links is not None and question.links.changes and not other:
            changes: Changes = question.links.marked
            found = explorer.explore(search, ids, changes)
            behind = explorer.next_words(free.best, changes, [step.tokens for step in free.steps])
            told = [{"said": step.said, "of": step.asked} for step in behind]
            views.append(self._view(line, found) | {"behind": told})
        return {
            "views": views,
            "words": words,
            "held": len(ids),
            "note": " ".join(filter(None, (note, other))),
            "unknown": self.answers.unknown(line),
        }

    def _links_note(self, words: Sequence[str], question: Question) -> str:
        if self.answers.undrawable:
            return f"{self.name} looks at nothing: no link of it can be changed."
        return unchangeable(self.name, words, question)

    def _beginning(self, question: Question, number: int) -> tuple[Sequence[int], str]:
        """The tokens that translations begin with, and what is to be said of them."""
        beginning, target = question.beginning, self.answers.translator.target
        if beginning.run == number and beginning.ids:
            return beginning.ids, ""
        ids = target.encode(beginning.text) if beginning.text.strip() else []
        strange = [token.text for token, one in zip(target.tokenize(beginning.text), ids, strict=False) if one == UNK]
        note = f"{self.name} does not know {', '.join(strange)} of what translations begin with." if strange else ""
        return ids, note

    def text_of(self, ids: Sequence[int]) -> str:
        target = self.answers.translator.target
        if any(one >= len(target) for one in ids):
            raise DataError(f"beginning.ids: {max(ids)}, and {self.name} has a vocabulary of {len(target)}")
        return target.decode(ids)

    def _view(self, line: str, found: Explored) -> dict[str, Any]:
        target = self.answers.translator.target
        spelled = self.answers.translator.spell(line, found.best)
        tree = [
            {
                "text": target.decode(one.tokens),
                "tokens": target.tokens(one.tokens),
                "ids": one.tokens,
                "ended": one.ended,
                "score": one.score,
                "log_prob": one.log_prob,
                "steps": one.steps,
            }
            for one in found.candidates
        ]
        seen = found.seen
        shown = Viewed(spelled.text, {}) if seen is None else viewed(seen.map, spelled.text, seen)
        return {
            "output": spelled.text,
            "item": item(shown),
            "candidates": tree,
            "steps": [self._step(step) for step in found.steps],
        }

    def _step(self, step: Step) -> dict[str, Any]:
        target = self.answers.translator.target
        words = [SPECIALS[EOS] if one == EOS else target.tokens([one])[0] for one in step.tokens]
        return {"said": step.said, "ids": step.tokens, "words": words, "log_probs": step.log_probs}


def wide(config: DictConfig, width: int) -> Search:
    """The search, so wide, all of whose candidates are told."""
    asked = config.search.copy()
    asked.beam = asked.n_best = width
    if asked.get("patience") is not None:
        asked.patience = max(1.0, asked.patience)  # less would finish fewer than are told
    search: Search = build.made(asked)
    return search
