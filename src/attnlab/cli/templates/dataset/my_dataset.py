"""My dataset: a file of JSON lines with a sentence pair each, {"source": "A dog.", "target": "Ein Hund."}.

attnlab train dataset=my_dataset dataset.file=other.jsonl
"""

import json
from collections.abc import Iterator
from pathlib import Path

from attnlab.data.corpus import Pair, Report
from attnlab.data.files import lines
from attnlab.data.reading import Faults, Malformed, content_hash, named_file
from attnlab.data.splitting import Size, SplitCorpus, Splits
from attnlab.data.text import field
from attnlab.ranges import PathText, Seed


class MyDataset(SplitCorpus):
    """Sentence pairs; val and test are held out, and no two splits share a pair.

    Args:
        file: from the current folder, else from ``root``; plain or gzip, UTF-8.
        root: data folder.
        source_language: ISO 639-1 code, such as "en".
        target_language: likewise.
        val_size: pairs (int) or share (float below 1) to hold out.
        test_size: likewise.
        split_seed: of that draw.
        malformed: leave malformed lines out with a count, or stop at the first.
    """

    name = "my_dataset"

    def __init__(
        self,
        file: PathText,
        root: PathText,
        source_language: str = "en",
        target_language: str = "de",
        val_size: Size = 0.1,
        test_size: Size = 0.1,
        split_seed: Seed = 0,
        malformed: Malformed = "skip",
    ) -> None:
        self.source_language, self.target_language = source_language, target_language
        self.report = Report()
        self.path, self.malformed = named_file(file, Path(root)), malformed
        self.settings = {"corpus": self.name, "settings": [val_size, test_size, split_seed, malformed]}
        self._splits = Splits(self.name, {"train": self.pairs}, "pair", val_size, test_size, split_seed)

    def pairs(self, report: Report, split: str) -> Iterator[Pair]:
        """The pairs of the file; what is wrong with a line is counted, or stops the run."""
        faults = Faults(self.malformed, report, split)
        for number, line in enumerate(lines(self.path), 1):
            try:
                found = json.loads(line)
                source, target = field(found["source"]), field(found["target"])
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                faults("no JSON with source and target", f"{self.path}:{number}")
                continue
            if fault := source.fault or target.fault:
                faults(fault, f"{self.path}:{number}")
            else:
                yield Pair(source.text, target.text)

    def fingerprint(self) -> str:
        """Of the content, and of all settings that decide what is read."""
        return content_hash(self.settings, [self.path])
