"""The data card of labelled texts."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from attnlab.data.card import DataCard, SplitCard, shared, side_of
from attnlab.data.labelled.batches import Split
from attnlab.types import UNK


def card_of(
    corpus: str,
    splits: Mapping[str, Split],
    train_rows: NDArray[np.int64],
    vocabulary: int,
    left_out: Sequence[str],
    classes: Mapping[str, int] | None,
) -> DataCard:
    """What is known of the texts that are used.

    Args:
        corpus: its name.
        splits: in memory.
        train_rows: the training texts that are used.
        vocabulary: entries.
        left_out: a line for each reason.
        classes: training texts of each.
    """
    found = {}
    others = {name: partial(texts, split) for name, split in splits.items() if name != "train"}
    overlap = shared(partial(texts, splits["train"]), others, ["text"]) if "train" in splits else {}
    for name, split in splits.items():
        rows = train_rows if name == "train" else np.arange(len(split.labels))
        before = np.concatenate([[0], np.cumsum(split.ids.values == UNK)])  # unknown ones so far
        unknown = np.diff(before[split.ids.offsets])[rows]
        text = side_of(split.lengths[rows], int(unknown.sum()))
        found[name] = SplitCard(len(rows), {"text": text}, overlap.get(name, {}))
    return DataCard(corpus, "texts", {"text": vocabulary}, found, tuple(left_out), classes)


def texts(split: Split) -> Iterator[Sequence[bytes]]:
    """The raw bytes of each."""
    for text in split.texts:
        yield (text.encode("utf-8", "surrogatepass"),)
