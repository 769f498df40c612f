"""Runs that say what a test has them say: no model, no folder."""

import threading
import time
from base64 import b64encode
from types import SimpleNamespace

import numpy as np

from attnlab.analysis.viewer.playground import render
from attnlab.cli.playing.groups import Group
from attnlab.cli.playing.player import Kind, Player
from attnlab.cli.playing.server import Playground
from attnlab.runs.words import Words

WORDS = Words("sentence", "sentences", "translation", "translations", "word", "source words", "word", "target words")
SENTENCE = Kind("translation", ("sentence",), ("en", "de"))
PAIR = Kind("prediction", ("premise", "hypothesis"))


class Told(Player):
    """Says what ``says`` makes of a question, after ``seconds``; notices where two are answered at once."""

    answers = None

    def __init__(self, name, says, kind=SENTENCE, seconds=0.0, example=("the cat sees",)):
        run = SimpleNamespace(
            name=name,
            contents=SimpleNamespace(words=WORDS),
            labels={"dataset": "grammar"},
            folder=SimpleNamespace(parts=("a", "b")),
        )
        super().__init__(run, 100)
        self.name = name
        self.says, self._kind, self.seconds, self._example = says, kind, seconds, example
        self.asked, self.inside, self.overlaps = [], threading.Semaphore(1), 0

    @property
    def kind(self):
        return self._kind

    def example(self):
        return self._example

    def text_of(self, ids):
        return " ".join(f"w{number}" for number in ids)

    def said(self, question, number):
        if not self.inside.acquire(blocking=False):
            self.overlaps += 1
            raise AssertionError("asked while it was being asked")
        try:
            self.asked.append(question)
            time.sleep(self.seconds)
            return self.says(question, number)
        finally:
            self.inside.release()


def look(weights, rows, columns):
    """Of one layer and head, or of several."""
    array = np.asarray(weights, "<f4")
    array = array if array.ndim == 4 else array[None, None]
    told = {"rows": rows, "columns": columns, "layers": array.shape[0], "heads": array.shape[1]}
    return {**told, "weights": b64encode(array.tobytes()).decode()}


def playground(*players, host="127.0.0.1", beam=3):
    """The application; runs of a kind are a group."""
    kinds = dict.fromkeys(player.kind for player in players)
    groups = [Group(kind, [player for player in players if player.kind == kind]) for kind in kinds]
    return Playground(groups, *render([group.told() for group in groups], beam, 100)).app(host)
