"""The runs that were named, restored, and grouped by what they are asked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from attnlab.analysis.runs import Run
from attnlab.cli.config.command_line import literal, trusting
from attnlab.cli.playing.player import Kind, Player
from attnlab.cli.playing.predictions import PredictionPlayer
from attnlab.cli.playing.questions import Question
from attnlab.cli.playing.settings import Settings
from attnlab.cli.playing.translations import TranslationPlayer
from attnlab.cli.viewing.collecting import Named, sources, told_of
from attnlab.data.progress import bar
from attnlab.errors import ConfigError, DataError
from attnlab.runs.words import Words


class Group(NamedTuple):
    """Runs that are asked the same."""

    kind: Kind
    players: Sequence[Player]

    @property
    def words(self) -> Words:
        """What things are called."""
        return self.players[0].run.contents.words

    def example(self) -> list[str]:
        """What is asked when the page opens: what a run was tested on first; empty texts where nobody knows."""
        found = next((parts for player in self.players if (parts := player.example()) is not None), None)
        return list(found) if found is not None else [""] * len(self.kind.fields)

    def spelled(self, question: Question) -> Question:
        """The question, the beginning of translations as a text, too, where it came as tokens of one run.

        Raises:
            DataError: there is no such run, or it has no such tokens.
        """
        number, ids = question.beginning.run, question.beginning.ids
        if number is None:
            return question
        if number >= len(self.players):
            raise DataError(f"beginning.run: came {number}, and there are {len(self.players)}")
        beginning = question.beginning.model_copy(update={"text": self.players[number].text_of(ids)})
        return question.model_copy(update={"beginning": beginning})

    def told(self) -> dict[str, Any]:
        """As the page reads it."""
        words = self.words
        data = sorted({player.run.labels.get("dataset", "") for player in self.players} - {""})
        return {
            "title": f"{words.outputs} of {' and '.join(data) or 'texts'}",
            "task": self.kind.task,
            "fields": self.kind.fields,
            "languages": self.kind.languages,
            "words": words._asdict(),
            "sides": (words.columns, words.rows),
            "example": self.example(),
            "runs": [
                {"name": player.name, "folder": told_of(player.run.folder), "scale": player.scale}
                for player in self.players
            ],
        }


def load(named: Named, settings: Settings) -> list[Group]:
    """Every run at every checkpoint, ready to be asked, in groups.

    Raises:
        ConfigError, DataError, MistakesError: a run that cannot be asked here, or may not be built.
    """
    if named.pretrained:
        raise ConfigError(
            f"runs: {named.pretrained[0]} is a model of the transformers library, which is asked nothing here; "
            "look into it with attnlab view"
        )
    groups: dict[Kind, list[tuple[Run, list[Player]]]] = {}
    with bar("runs", len(named.runs)) as shown:
        for run in named.runs:
            players = [player_of(run, checkpoint, settings) for checkpoint in settings.checkpoints]
            groups.setdefault(players[0].kind, []).append((run, players))
            shown.advance(1)
    return [Group(kind, named_apart(several, settings)) for kind, several in groups.items()]


def named_apart(several: Sequence[tuple[Run, list[Player]]], settings: Settings) -> list[Player]:
    """The players of a group, each with a name that is its own."""
    players = [player for _, own in several for player in own]
    for player, source in zip(players, sources([run for run, _ in several], settings.checkpoints), strict=True):
        player.name = f"{source.name}, {source.moment}" if source.moment else source.name
    return players


def player_of(run: Run, checkpoint: str | Path, settings: Settings) -> Player:
    """A run, restored as the commands that ask it restore it."""
    trust = trusting(settings.trust)
    asked = [f"run={literal(str(run.folder))}", f"checkpoint={literal(str(checkpoint))}"]
    asked += [f"device={settings.device}", *trust]
    if run.config.get("search") is not None:
        most = f"max_source_length={settings.tokens}"
        return TranslationPlayer(run, [*asked, most], settings.characters)
    return PredictionPlayer(run, asked, settings.characters, settings.tokens)
