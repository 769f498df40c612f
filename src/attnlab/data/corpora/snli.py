"""SNLI: captions of pictures, and what people made of them that follows, that may be, or that cannot be.

Bowman et al. 2015, "A large annotated corpus for learning natural language inference". As it is released: a JSON object
a line with ``sentence1``, ``sentence2`` and ``gold_label``; pairs on which the annotators did not agree (``-``) are
left out and counted. MultiNLI (Williams et al. 2018) has the same form: see ``dataset=pairs``.
"""

from functools import partial
from pathlib import Path

from attnlab.data.labelled.corpus import Drawn
from attnlab.data.pairs.corpus import PairCorpus
from attnlab.data.pairs.reading import Places, read
from attnlab.data.reading import Malformed, find
from attnlab.ranges import PathText

CLASSES = {name: name for name in ("contradiction", "entailment", "neutral")}
SOURCE = "nlp.stanford.edu/projects/snli (snli_1.0.zip)"


class Snli(PairCorpus):
    """Sentence pairs with a class.

    Args:
        root: data folder; the files are ``snli/snli_1.0_<part>.jsonl[.gz]`` in it, of train, dev (which is ``val``) and
            test.
        malformed: leave malformed lines out with a count, or stop at the first; pairs without a gold label are left
            out in any case.
    """

    def __init__(self, root: PathText, malformed: Malformed = "skip") -> None:
        folder, files = Path(root).expanduser() / "snli", {}
        for split, part in (("train", "train"), ("val", "dev"), ("test", "test")):
            name = f"snli_1.0_{part}.jsonl"
            files[split] = find(folder, name) or folder / name
        reader = partial(read, "jsonl", Places(), False, None, CLASSES)
        super().__init__("snli", files, reader, Drawn(0, 0), malformed, source=SOURCE)
