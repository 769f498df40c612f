"""Sentences of made-up reviews, and their batches."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from attnlab.data.base import Lengths, TaskData
from attnlab.data.sentences import Weightless
from attnlab.ranges import OneOrMore, Seed
from attnlab.types import NO_SENTENCE, PAD

SIZES = {"train": 240, "val": 40, "test": 60, "test_long": 30}
GOOD, BAD, PLAIN = ("fine", "great", "warm"), ("dull", "poor", "cold"), ("the", "film", "was", "a", "very", "story")


class Reviews:
    """A sentence praises where the last word of judgement in it does."""

    name = "reviews"

    def __init__(self, longest: OneOrMore = 9) -> None:
        self.longest = longest

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(SIZES)

    def read(self, split: str) -> Iterator[tuple[str, int]]:
        draw = np.random.default_rng(list(SIZES).index(split))
        for _ in range(SIZES[split]):
            words = [
                str(draw.choice(PLAIN)) for _ in range(draw.integers(2, self.longest * (1 + (split == "test_long"))))
            ]
            label = int(draw.integers(2))
            place = int(draw.integers(len(words)))
            words[place] = str(draw.choice(GOOD if label else BAD))
            words.insert(int(draw.integers(place + 1)), str(draw.choice(GOOD + BAD)))
            yield " ".join(words), label

    def fingerprint(self) -> str:
        return f"reviews-{self.longest}"


class Batch(NamedTuple):
    words: Tensor  #: [B, S]
    mask: Tensor  #: [B, S]
    label: Tensor  #: [B]
    index: Tensor  # type: ignore[assignment]  #: [B]


class Sentences(Dataset[Batch]):
    def __init__(self, rows: Sequence[tuple[list[int], int]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, numbers: Sequence[int]) -> Batch:
        longest = max(len(self.rows[number][0]) for number in numbers)
        words = torch.tensor([self.rows[n][0] + [PAD] * (longest - len(self.rows[n][0])) for n in numbers])
        index = [NO_SENTENCE] * len(numbers) if isinstance(numbers, Weightless) else list(numbers)
        labels = torch.tensor([self.rows[number][1] for number in numbers])
        return Batch(words, words != PAD, labels, torch.tensor(index))


class ReviewData(TaskData):
    def __init__(
        self,
        corpus: Any,
        batch_size: OneOrMore = 16,
        eval_batch_size: OneOrMore = 32,
        seed: Seed = 1,
        tokenizers: str | None = None,
        splits: list[str] | None = None,
    ) -> None:
        super().__init__(batch_size=batch_size, eval_batch_size=eval_batch_size, seed=seed)
        self.corpus, self.saved, self.wanted = corpus, tokenizers, splits
        self.texts: dict[str, list[tuple[str, int]]] = {}
        self.words: dict[str, int] = {}

    def setup(self, stage: str) -> None:
        if self.texts:
            return
        self.texts = {split: list(self.corpus.read(split)) for split in self.wanted or self.corpus.splits}
        if self.saved is not None:
            self.words = json.loads(Path(self.saved, "words.json").read_text("utf-8"))
        else:
            seen = sorted({word for text, _ in self.texts["train"] for word in text.split()})
            self.words = {word: number for number, word in enumerate(seen, start=PAD + 1)}

    @property
    def corpus_name(self) -> str:
        return self.corpus.name

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(self.texts)

    def dataset(self, split: str, multiple: int = 1) -> Sentences:
        return Sentences([([self.words[word] for word in text.split()], label) for text, label in self.texts[split]])

    def lengths(self, split: str) -> Lengths:
        return (np.array([len(text.split()) for text, _ in self.texts[split]]),)

    def dimensions(self) -> dict[str, int]:
        return {"vocabulary": len(self.words) + PAD + 1, "classes": 2}

    def fingerprint(self) -> str:
        return self.corpus.fingerprint()

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "words.json").write_text(json.dumps(self.words), "utf-8")
