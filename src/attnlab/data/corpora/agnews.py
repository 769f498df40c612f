"""AG News (Zhang, Zhao and LeCun 2015): the topic of a piece of news, of four.

Its lines have escapes of the pages that they were taken from (``#39;``, ``&lt;``, stray backslashes); with ``unescape``
they are read as what they stand for. ``test`` is the file test where it is there, otherwise held out from train.
"""

import html
import re
from functools import partial
from pathlib import Path

from attnlab.data.labelled.corpus import Drawn, Examples, LabelledCorpus, public_files
from attnlab.data.labelled.reading import Columns, separated
from attnlab.data.reading import Faults, Malformed
from attnlab.data.splitting import Fold, Size
from attnlab.data.text import clean
from attnlab.ranges import OneOrMore, PathText, Seed, ZeroOrMore

SOURCE = "github.com/forest-snow/alps (AG News, text and label, tab-separated and quoted)"
_BARE = re.compile(r"(?<!&)#(\d{2,5});")  # &#39; that has lost its first character
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")


class Agnews(LabelledCorpus):
    """Descriptions of news.

    Args:
        root: data folder; the files are ``agnews/<part>.tsv[.gz]`` in it, quoted.
        unescape: read escapes as what they stand for, leave out tags.
        val_size: items (int) or share (float below 1) of train to choose checkpoints by.
        test_size: likewise, for test, where it has no file.
        split_seed: of that draw, and of the folds.
        fold: test this part of train, from 0, of a cross-validation.
        folds: in so many parts.
        malformed: leave malformed lines out with a count, or stop at the first.
    """

    def __init__(
        self,
        root: PathText,
        unescape: bool = True,
        val_size: Size = 0.1,
        test_size: Size = 0.1,
        split_seed: Seed = 0,
        fold: ZeroOrMore | None = None,
        folds: OneOrMore | None = None,
        malformed: Malformed = "skip",
    ) -> None:
        drawn = Drawn(val_size, test_size, split_seed, Fold.of_settings(fold, folds))
        files = public_files(Path(root).expanduser() / "agnews", {"train": "train.tsv"}, test="test.tsv")
        super().__init__(
            "agnews", files, partial(read, unescape), drawn, malformed, {"unescape": unescape}, source=SOURCE
        )


def read(unescape: bool, path: Path, faults: Faults) -> Examples:
    for found in separated(path, Columns(0, 1), faults, quoted=True):
        text = unescaped(found.text) if unescape else found.text
        if text:
            yield found._replace(text=text)
        else:
            faults("nothing but tags", str(path))


def unescaped(text: str) -> str:
    """``It #39;s`` as ``It 's``, ``&lt;B&gt;`` as nothing, a backslash as a blank."""
    return clean(_TAG.sub(" ", html.unescape(_BARE.sub(r"&#\1;", text))).replace("\\", " "))
