r"""One's own documents with a class each: JSON lines, plain or gzip, UTF-8.

    {"label": "pos", "sentences": ["First sentence .", "Second ."]}
    {"label": "neg", "text": "A text as it is. It is cut into sentences by spaCy's rule."}

    python train.py dataset=documents dataset.train=reviews.jsonl
    python train.py dataset=documents dataset.train=my.jsonl dataset.text=review dataset.label=stars data.language=de

Val and test that are not named are held out from train.
"""

from functools import partial
from pathlib import Path

from attnlab.data.documents.reading import Keys, documents
from attnlab.data.labelled.corpus import Drawn, Examples, LabelledCorpus, check_fold, named_files
from attnlab.data.labelled.labels import readable
from attnlab.data.labelled.reading import Names
from attnlab.data.reading import Faults, Malformed, named_file
from attnlab.data.splitting import Fold, Size
from attnlab.ranges import OneOrMore, PathText, Seed, ZeroOrMore
from attnlab.types import ConfigError


class Documents(LabelledCorpus):
    """Documents with a class each.

    Args:
        root: folder that file names are looked up in where they are not found from the current folder;
            ``.gz`` at the end of a name may be left out.
        train: a file; null where only val or test is read.
        val: likewise; null: held out from train.
        test: likewise; null: held out from train.
        sentences: key of the list of sentences.
        text: key of a text that is cut into sentences, of objects that have no list.
        label: key of the class.
        language: ISO 639-1 code, for the rule that cuts texts.
        labels: readable names of labels, such as ``{"0":negative,"1":positive}``; null: the labels themselves.
        val_size: documents (int) or share (float below 1) to hold out, at most; read where ``val`` is null.
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
        sentences: str = "sentences",
        text: str = "text",
        label: str = "label",
        language: str = "en",
        labels: dict[str | int | bool, str] | None = None,
        val_size: Size = 0.1,
        test_size: Size = 0.1,
        split_seed: Seed = 0,
        fold: ZeroOrMore | None = None,
        folds: OneOrMore | None = None,
        malformed: Malformed = "skip",
    ) -> None:
        self._root = Path(root).expanduser()
        files = named_files("documents", "my.jsonl", train=train, val=val, test=test)
        keys, cut = Keys(sentences, text, label), Fold.of_settings(fold, folds)
        if len(set(keys)) < len(keys):
            raise ConfigError(f"dataset: sentences, text and label are {', '.join(keys)}; expected different keys")
        check_fold(cut, files)
        drawn = Drawn(val_size, test_size, split_seed, cut)
        names = None if labels is None else readable(labels)
        settings = {"keys": keys, "language": language, **({"labels": names} if names else {})}
        super().__init__("documents", files, partial(read, keys, language, names), drawn, malformed, settings)

    def path(self, split: str) -> Path:
        return named_file(str(self.files[split]), self._root)


def read(keys: Keys, language: str, names: Names, path: Path, faults: Faults) -> Examples:
    return documents(path, keys, language, faults, names)
