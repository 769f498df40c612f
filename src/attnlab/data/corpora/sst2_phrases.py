"""SST-2: phrases of film reviews that praise or blame; chosen and tested by whole sentences.

The training file of GLUE's SST-2 (Wang et al. 2019): labelled phrases of the training sentences of ``sst``. A phrase
tells what the sentence is that it stands in, so ``val`` is held out by sentences: some of ``sst/binary.train``, and a
phrase that occurs in these alone is left out of train. ``test`` as in ``sst``.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from attnlab.data.corpora.sst import Sst, names_of, sentences, source_of
from attnlab.data.corpus import Report
from attnlab.data.labelled.corpus import Drawn, Example, Examples, LabelledCorpus, public_files
from attnlab.data.labelled.reading import Columns, separated
from attnlab.data.reading import Faults, Malformed
from attnlab.data.splitting import Size, count, lowest_ranked, rank
from attnlab.ranges import PathText, Seed

SOURCE = f"GLUE (SST-2/train.tsv) and {source_of(Sst.kind)}"


class Sst2Phrases(LabelledCorpus):
    """Phrases for training, sentences for everything else.

    Args:
        root: data folder; the files are ``sst/sst2_phrases.train.tsv[.gz]`` and those of ``sst`` in it.
        val_size: training sentences (int) or share (float below 1) to choose checkpoints by.
        split_seed: of that draw.
        malformed: leave malformed lines out with a count, or stop at the first.
    """

    def __init__(
        self, root: PathText, val_size: Size = 0.1, split_seed: Seed = 0, malformed: Malformed = "skip"
    ) -> None:
        folder = Path(root).expanduser() / "sst"
        whole, dev, test = names_of(Sst.kind)
        parts = {"train": "sst2_phrases.train.tsv", "val": whole}
        files = public_files(folder, parts, test=test, dev=dev)
        drawn = Drawn(val_size, 0, split_seed)
        count(val_size, 0, "val_size")
        self._val_size, self._seed = val_size, split_seed
        self._held: tuple[list[Example], list[Example]] | None = None
        super().__init__("sst2_phrases", files, partial(sentences, Sst.classes), drawn, malformed, source=SOURCE)
        tests = {split: stream for split, stream in self._splits.streams.items() if split not in parts}
        self.set_splits({"train": self._phrases, "val": self._sentences, **tests}, drawn)

    def _phrases(self, report: Report, split: str) -> Examples:
        """All phrases but those that occur in held-out sentences alone."""
        held, rest = (_joined(part) for part in self._cut(report, split))
        faults = Faults(self._malformed, report, split)
        for phrase in separated(self.path("train"), Columns("sentence", "label"), faults, names=Sst.classes):
            inside = f" {phrase.text} "
            if inside in held and inside not in rest:
                report.skip(split, "phrase of a sentence of val")
            else:
                yield phrase

    def _sentences(self, report: Report, split: str) -> Iterator[Example]:
        return iter(self._cut(report, split)[0])

    def _cut(self, report: Report, split: str) -> tuple[list[Example], list[Example]]:
        """Training sentences: those that are held out, and the rest."""
        if self._held is None:
            every = list(self._stream("val", report, split))
            number = count(self._val_size, len(every), "val_size")
            held = set(lowest_ranked(every, number, lambda sentence: rank(self._seed, sentence)))
            self._held = [item for item in every if item in held], [item for item in every if item not in held]
        return self._held


def _joined(sentences: list[Example]) -> str:
    """One text to look phrases up in, which no phrase bridges."""
    return "\n".join(f" {sentence.text} " for sentence in sentences)
