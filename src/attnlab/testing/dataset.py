"""What every data set holds: splits that share nothing, the same at each reading, of clean text.

A check takes ``build``, which makes the corpus; it may make several.
"""

from itertools import combinations
from typing import Any

from attnlab.data.text import field
from attnlab.testing.contract import Build, Contract, refused

CHECKS = Contract()


def contents(corpus: Any) -> dict[str, list[Any]]:
    return {split: list(corpus.read(split)) for split in corpus.splits}


@CHECKS.add
def splits_are_train_val_and_tests(build: Build) -> None:
    corpus = build()
    assert tuple(corpus.splits[:3]) == ("train", "val", "test"), f"splits: {corpus.splits}"
    for split, items in contents(corpus).items():
        assert items, f"nothing is in {split}"
        assert corpus.report.pairs[split] == len(items), f"the report says {corpus.report.pairs[split]} of {split}"


@CHECKS.add
def another_split_is_refused(build: Build) -> None:
    with refused("has no split", "a split that is not there was read"):
        list(build().read("no_split"))


@CHECKS.add
def each_reading_gives_the_same(build: Build) -> None:
    corpus, other = build(), build()
    first = contents(corpus)
    for again in (contents(corpus), contents(other)):
        for split, items in first.items():
            assert again[split] == items, f"{split} is another one when it is read again"
    assert corpus.fingerprint() == other.fingerprint(), "the same settings have another fingerprint"


@CHECKS.add
def no_two_splits_share_an_item(build: Build) -> None:
    for (one, items), (other, theirs) in combinations(contents(build()).items(), 2):
        shared = {item.texts for item in items} & {item.texts for item in theirs}
        assert not shared, f"{one} and {other} share {sorted(shared)[0]}"


@CHECKS.add
def texts_are_clean(build: Build) -> None:
    """NFC, with plain blanks, none at the ends, and something to be seen (:mod:`attnlab.data.text`)."""
    for split, items in contents(build()).items():
        for text in (text for item in items for text in item.texts):
            cleaned = field(text)
            assert not cleaned.fault, f"{split}: {text!r:.60}: {cleaned.fault}"
            assert cleaned.text == text, f"{split}: came {text!r:.60}, expected {cleaned.text!r:.60}"
