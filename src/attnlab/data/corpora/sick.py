"""SICK: sentences on pictures and films, paired; does one follow from the other, and how related are they (1 to 5)?

Marelli et al. 2014, "A SICK cure for the evaluation of compositional distributional semantic models". ``test`` is the
file test where it is there, and ``test_dev`` then the file dev (SemEval's trial part); otherwise ``test`` is the file
dev. ``val``, which checkpoints are chosen by, is held out from train.
"""

from functools import partial
from pathlib import Path

from attnlab.data.labelled.corpus import Drawn, public_files
from attnlab.data.pairs.corpus import PairCorpus
from attnlab.data.pairs.reading import Places, read
from attnlab.data.reading import Malformed
from attnlab.data.splitting import Fold, Size
from attnlab.ranges import OneOrMore, PathText, Seed, ZeroOrMore

PLACES = Places("sentence_A", "sentence_B", "entailment_label", "relatedness_score")
CLASSES = {name.upper(): name for name in ("contradiction", "entailment", "neutral")}
SOURCE = "github.com/kkalouli/SICK-processing (pair_ID, sentence_A, sentence_B, entailment_label, relatedness_score)"


class Sick(PairCorpus):
    """Sentence pairs with a class and a score.

    Args:
        root: data folder; the files are ``sick/<part>.tsv[.gz]`` in it, with the names of their columns.
        val_size: pairs (int) or share (float below 1) of train to choose checkpoints by.
        split_seed: of that draw, and of the folds.
        fold: test this part of train, from 0, of a cross-validation; null: the file test, or dev where it is missing.
        folds: in so many parts.
        malformed: leave malformed lines out with a count, or stop at the first.
    """

    tells = ("label", "score")

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
        folder = Path(root).expanduser() / "sick"
        files = public_files(folder, {"train": "train.tsv"}, test="test.tsv", dev="dev.tsv")
        reader = partial(read, "tsv", PLACES, True, False, CLASSES)
        super().__init__("sick", files, reader, drawn, malformed, source=SOURCE)
