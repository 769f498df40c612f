"""What `attnlab predict` asks of a task: whether single lines praise."""

import json
from typing import Any, NamedTuple

import torch

from attnlab.runs.writing import Map
from attnlab.tasks.prediction import Predictor
from attnlab.types import PAD


class Verdict(NamedTuple):
    text: str
    predicted: int
    weights: Any

    @property
    def short(self) -> str:
        return "praise" if self.predicted else "blame"

    def line(self) -> dict[str, Any]:
        return {"text": self.text, "predicted": self.predicted, "weights": self.weights.tolist()}

    def map(self, number: int) -> Map | None:
        return Map(number, self.weights, self.text.split(), ["verdict"])


class Lines(Predictor):
    def __init__(self, folder) -> None:
        self.words = json.loads((folder / "words.json").read_text("utf-8"))

    @property
    def dimensions(self):
        return {"vocabulary": len(self.words) + PAD + 1, "classes": 2}

    def tokens(self, text):
        return len(text.split())

    def __call__(self, model, texts, device):
        found = []
        for text in texts:
            ids = torch.tensor([[self.words.get(word, PAD + 1) for word in text.split()]], device=device)
            logits, weights = model(ids, ids != PAD)
            found.append(Verdict(text, int(logits.argmax()), weights.cpu().numpy()))
        return found

    def draws(self, model):
        return True


def predictor(folder, data) -> Predictor:
    return Lines(folder)
