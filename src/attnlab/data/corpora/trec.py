"""TREC question classification (Li and Roth 2002, "Learning question classifiers"): what a question asks for.

Six coarse classes, fifty fine ones. ``test`` is the file test where it is there, otherwise held out from train;
``dataset.folds=5 dataset.fold=0`` tests one part of train.
"""

from functools import partial
from pathlib import Path
from typing import Literal

from attnlab.data.labelled.corpus import Drawn, Examples, LabelledCorpus, public_files
from attnlab.data.labelled.reading import prefixed
from attnlab.data.reading import Faults, Malformed
from attnlab.data.splitting import Fold, Size
from attnlab.ranges import OneOrMore, PathText, Seed, ZeroOrMore

SOURCE = "github.com/harvardnlp/sent-conv-torch (TREC.train.all, TREC.test.all)"
Classes = Literal["coarse", "fine"]


class Trec(LabelledCorpus):
    """Questions.

    Args:
        root: data folder; the files are ``trec/<part>.txt[.gz]`` in it.
        classes: ``coarse`` (6: what kind of thing) or ``fine`` (50, such as HUM:ind).
        val_size: questions (int) or share (float below 1) of train to choose checkpoints by.
        test_size: likewise, for test, where it has no file.
        split_seed: of that draw, and of the folds.
        fold: test this part of train, from 0, of a cross-validation.
        folds: in so many parts.
        malformed: leave malformed lines out with a count, or stop at the first.
    """

    def __init__(
        self,
        root: PathText,
        classes: Classes = "coarse",
        val_size: Size = 0.1,
        test_size: Size = 0.1,
        split_seed: Seed = 0,
        fold: ZeroOrMore | None = None,
        folds: OneOrMore | None = None,
        malformed: Malformed = "skip",
    ) -> None:
        drawn = Drawn(val_size, test_size, split_seed, Fold.of_settings(fold, folds))
        files = public_files(Path(root).expanduser() / "trec", {"train": "train.txt"}, test="test.txt")
        super().__init__("trec", files, partial(read, classes), drawn, malformed, {"classes": classes}, source=SOURCE)


def read(classes: Classes, path: Path, faults: Faults) -> Examples:
    for found in prefixed(path, faults):
        coarse = found.label.partition(":")[0]
        if not coarse:
            faults("no coarse class", str(path))
        else:
            yield found if classes == "fine" else found._replace(label=coarse)
