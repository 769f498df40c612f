"""The data card of labelled texts."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from attnlab.data.card import DataCard, SplitCard, shared, side_of
from attnlab.data.labelled.batches import Split
from attnlab.data.labelled.tokenized import Left
from attnlab.types import UNK


def card_of(
    corpus: str,
    splits: Mapping[str, Split],
    train_rows: NDArray[np.int64],
    vocabulary: int,
    left_out: Sequence[str],
    classes: Mapping[str, int] | None,
    sides: Sequence[str] = ("text",),
    items: str = "",
) -> DataCard:
    """What is known of the texts that are used.

    Args:
        corpus: its name.
        splits: in memory.
        train_rows: the training texts that are used.
        vocabulary: entries.
        left_out: a line for each reason.
        classes: training texts of each.
        sides: what an item consists of: texts that stand one after another in a split.
        items: the word for the items; empty says texts, or pairs where there are two sides.
    """
    found, count = {}, len(sides)
    others = {name: partial(texts, split, count) for name, split in splits.items() if name != "train"}
    overlap = shared(partial(texts, splits["train"], count), others, sides) if "train" in splits else {}
    for name, split in splits.items():
        rows = train_rows if name == "train" else np.arange(len(split.labels))
        before = np.concatenate([[0], np.cumsum(split.ids.values == UNK)])  # unknown ones so far
        unknown = np.diff(before[split.ids.offsets]).reshape(-1, count)[rows].sum(0)
        lengths = split.lengths.reshape(-1, count)[rows]
        told = {side: side_of(lengths[:, place], int(unknown[place])) for place, side in enumerate(sides)}
        if split.sentences is not None:
            values, counts = split.sentences.values, split.sentences.lengths
            used = np.repeat(np.isin(np.arange(len(counts)), rows), counts)
            words = side_of(values[used].astype(np.int64), int(unknown.sum()))
            told |= {"sentence": words, "sentences": side_of(counts[rows], 0)}
        found[name] = SplitCard(len(rows), told, overlap.get(name, {}))
    named = items or ("texts" if count == 1 else "pairs")
    return DataCard(corpus, named, dict.fromkeys(sides, vocabulary), found, tuple(left_out), classes)


def unread(left: Mapping[str, Left]) -> list[str]:
    """A line for each split of which limits have left something unread."""
    return [
        f"{split}: {found.texts:,} documents not read whole, for data.max_sentences and data.max_words: "
        f"{found.sentences:,} sentences left unread, {found.pieces:,} words in all"
        for split, found in left.items()
        if found.texts
    ]


def texts(split: Split, sides: int) -> Iterator[Sequence[bytes]]:
    """The raw bytes of each item, by side."""
    raw = (text.encode("utf-8", "surrogatepass") for text in split.texts)
    return zip(*[raw] * sides, strict=True)
