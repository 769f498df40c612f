r"""One's own sentence pairs: JSON lines as SNLI has them, TSV or CSV; plain or gzip, UTF-8.

    python train.py dataset=pairs dataset.train=multinli_1.0_train.jsonl
    python train.py dataset=pairs dataset.train=my.tsv dataset.premise=text dataset.hypothesis=claim dataset.label=truth
    python train.py dataset=pairs dataset.train=sts.csv dataset.label=null dataset.score=score task=relatedness

Val and test that are not named are held out from train.
"""

from functools import partial
from pathlib import Path

from attnlab.data.labelled.corpus import Drawn, check_fold, named_files
from attnlab.data.labelled.labels import readable
from attnlab.data.pairs.corpus import PairCorpus
from attnlab.data.pairs.reading import Format, Places, read
from attnlab.data.reading import Malformed, named_file
from attnlab.data.splitting import Fold, Size
from attnlab.ranges import OneOrMore, PathText, Seed, ZeroOrMore


class Pairs(PairCorpus):
    """Sentence pairs with a class, a score, or both.

    Args:
        root: folder that file names are looked up in where they are not found from the current folder;
            ``.gz`` at the end of a name may be left out.
        train: a file; null where only val or test is read.
        val: likewise; null: held out from train.
        test: likewise; null: held out from train.
        format: ``jsonl``, ``tsv`` or ``csv``; null: by the end of the name.
        premise: column or key of the first sentence: a name, which the first line of a table then has, or a number
            from 0.
        hypothesis: of the second.
        label: of the class; null where there is none. ``-`` there is no label: the pair is left out, and counted.
        score: of a number; null where there is none.
        header: skip the first line of a table whose columns are numbers.
        quoted: whether fields of a table may be quoted; null: in CSV, and not in TSV.
        labels: readable names of labels, such as ``{"0":entailment,"1":neutral}``; null: the labels themselves.
        val_size: pairs (int) or share (float below 1) to hold out, at most; read where ``val`` is null.
        test_size: likewise.
        split_seed: of that draw, and of the folds.
        fold: test this part of train, from 0, of a cross-validation.
        folds: in so many parts.
        malformed: leave malformed lines out with a count, or stop at the first.
    """

    def __init__(
        self,
        root: PathText,
        train: PathText | None = None,
        val: PathText | None = None,
        test: PathText | None = None,
        format: Format | None = None,
        premise: ZeroOrMore | str = "sentence1",
        hypothesis: ZeroOrMore | str = "sentence2",
        label: ZeroOrMore | str | None = "gold_label",
        score: ZeroOrMore | str | None = None,
        header: bool = False,
        quoted: bool | None = None,
        labels: dict[str | int | bool, str] | None = None,
        val_size: Size = 0.1,
        test_size: Size = 0.1,
        split_seed: Seed = 0,
        fold: ZeroOrMore | None = None,
        folds: OneOrMore | None = None,
        malformed: Malformed = "skip",
    ) -> None:
        self._root = Path(root).expanduser()
        files = named_files("pairs", "my.jsonl (or .tsv, .csv)", train=train, val=val, test=test)
        cut = Fold.of_settings(fold, folds)
        check_fold(cut, files)
        places = Places(premise, hypothesis, label, score)
        places.check()
        self.tells = tuple(name for name in ("label", "score") if name in places.named)
        names = None if labels is None else readable(labels)
        reader = partial(read, format, places, header, quoted, names)
        settings = {"format": format, "places": places, "header": header, "quoted": quoted, "labels": names}
        super().__init__("pairs", files, reader, Drawn(val_size, test_size, split_seed, cut), malformed, settings)

    def path(self, split: str) -> Path:
        return named_file(str(self.files[split]), self._root)
