"""Made-up reviews, their words as numbers, and their batches."""

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

LABELS = ("blame", "praise")
JUDGING, PLAIN = (("dull", "poor", "cold"), ("fine", "great", "warm")), ("the", "film", "was", "a", "very", "story")
SIZES = {"train": 240, "val": 40, "test": 60}


class MyTaskCorpus:
    """What ``conf/dataset`` names: splits of texts, each with its class.

    Args:
        longest: words of a review, at most, without those that judge.
    """

    name = "my_task"

    def __init__(self, longest: OneOrMore = 9) -> None:
        self.longest = longest

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(SIZES)

    def read(self, split: str) -> Iterator[tuple[str, int]]:
        """The same reviews at each call."""
        draw = np.random.default_rng(list(SIZES).index(split))
        for _ in range(SIZES[split]):
            words = [str(draw.choice(PLAIN)) for _ in range(draw.integers(1, self.longest, endpoint=True))]
            label, last = int(draw.integers(2)), int(draw.integers(len(words)))
            words.insert(last, str(draw.choice(JUDGING[label])))
            words.insert(int(draw.integers(last, endpoint=True)), str(draw.choice(JUDGING[0] + JUDGING[1])))
            yield " ".join(words), label

    def fingerprint(self) -> str:
        return f"my_task-{self.longest}"


class Batch(NamedTuple):
    words: Tensor  #: [B, S]
    mask: Tensor  #: [B, S], true where there is a word
    label: Tensor  #: [B]
    index: Tensor  # type: ignore[assignment]  #: [B], the number of each review in its split


class Reviews(Dataset[Batch]):
    """A split; a list of rows comes back as one batch."""

    def __init__(self, rows: Sequence[tuple[list[int], int]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, numbers: Sequence[int]) -> Batch:
        texts = [self.rows[number][0] for number in numbers]
        longest = max(map(len, texts))
        words = torch.tensor([text + [PAD] * (longest - len(text)) for text in texts])
        labels = torch.tensor([self.rows[number][1] for number in numbers])
        index = [NO_SENTENCE] * len(numbers) if isinstance(numbers, Weightless) else list(numbers)
        return Batch(words, words != PAD, labels, torch.tensor(index))


class MyTaskData(TaskData):
    """The splits, and the vocabulary of the training split.

    Args:
        corpus: of ``conf/dataset``.
        batch_size: reviews in a training batch.
        eval_batch_size: in one of validation or test.
        seed: of the order of the training batches.
        tokenizers: folder of a finished run, whose vocabulary is taken.
        splits: read these only.
    """

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

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "words.json").write_text(json.dumps(self.words), "utf-8")

    @property
    def corpus_name(self) -> str:
        return self.corpus.name

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(self.texts)

    def dataset(self, split: str, multiple: int = 1) -> Reviews:
        return Reviews([([self.words[word] for word in text.split()], label) for text, label in self.texts[split]])

    def lengths(self, split: str) -> Lengths:
        return (np.array([len(text.split()) for text, _ in self.texts[split]]),)

    def dimensions(self) -> dict[str, int]:
        return {"vocabulary": len(self.words) + PAD + 1, "classes": len(LABELS)}

    def fingerprint(self) -> str:
        return self.corpus.fingerprint()
