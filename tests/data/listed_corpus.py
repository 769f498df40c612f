"""A corpus of given pairs that counts how often it is read; importable by the processes that tests start."""

import hashlib
from pathlib import Path

from attnlab.data.corpus import Pair, Report


class Listed:
    name = "listed"
    source_language, target_language = "en", "de"

    def __init__(self, journal: Path | None = None, **splits):
        self.pairs = {
            split: [pair if isinstance(pair, Pair) else Pair(*pair) for pair in pairs]
            for split, pairs in splits.items()
        }
        self.journal = journal  # a file, since several processes may read
        self.reads = 0
        self.report = Report()

    @property
    def splits(self):
        return tuple(self.pairs)

    def read(self, split):
        self.reads += 1
        if self.journal:
            with self.journal.open("a") as file:
                file.write(f"{split}\n")
        self.report.begin(split)
        yield from self.pairs[split]

    def fingerprint(self):
        return hashlib.sha256(repr(self.pairs).encode()).hexdigest()


def numbered(count, start=0):
    """Pairs of 1 to 9 words, different from each other."""
    return [
        (" ".join(["word"] * (i % 7) + [f"w{i}"]), " ".join(["Wort"] * (i % 9) + [f"v{i}"]))
        for i in range(start, start + count)
    ]


def small(**more):
    return Listed(**{"train": numbered(50), "val": numbered(5, 100), "test": numbered(7, 200), **more})
