"""The data card of prepared sentence pairs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial

import numpy as np
from numpy.typing import NDArray

from attnlab.atomic import replacing
from attnlab.data.card import DataCard, SplitCard, shared, side_of
from attnlab.data.prepared.folder import SIDES, Prepared

SHARED = "shared.json"  #: in a prepared folder: what its splits share


def card_of(
    data: Prepared, corpus: str, counts: Mapping[str, Mapping[str, int]], train_rows: NDArray[np.int64]
) -> DataCard:
    """What is known of the pairs that are used.

    Args:
        data: opened.
        corpus: its name.
        counts: by split: pairs, tokens, unknown ones, pairs left out.
        train_rows: the training pairs that are used.
    """
    overlap = shared_of(data)
    splits = {}
    for split in data.splits:
        sides = {}
        for side, ids in zip(SIDES, data.ids(split), strict=True):
            lengths = ids.lengths[train_rows] if split == "train" else ids.lengths
            sides[side] = side_of(lengths, counts[split][f"{side}_unknown"])
        items = len(train_rows) if split == "train" else counts[split]["pairs"]
        splits[split] = SplitCard(items, sides, overlap.get(split, {}))
    vocabulary = dict(zip(SIDES, map(len, data.tokenizers), strict=True))
    return DataCard(corpus, "pairs", vocabulary, splits, tuple(left_out(data, counts)))


def left_out(data: Prepared, counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """A line for each reason."""
    yield from data.meta["skipped"]
    for key, reason in (("without_tokens", "no token"), ("too_long", "longer than data.max_length")):
        if count := counts.get("train", {}).get(key, 0):
            yield f"train: {count} left out: {reason}"


def shared_of(data: Prepared) -> dict[str, dict[str, int]]:
    """What val and the test splits have in common with train; counted once, and kept in the prepared folder."""
    file = data.folder / SHARED
    with suppress(OSError, ValueError):
        kept: dict[str, dict[str, int]] = json.loads(file.read_text("utf-8"))
        return kept
    if "train" not in data.splits:
        return {}
    others = {split: partial(rows, data, split) for split in data.splits if split != "train"}
    found = shared(partial(rows, data, "train"), others, SIDES)
    with suppress(OSError), replacing(file) as temporary:  # a cache that cannot be written is read all the same
        temporary.write_text(json.dumps(found), "utf-8")
    return found


def rows(data: Prepared, split: str) -> Iterator[Sequence[bytes]]:
    """The raw bytes of both sides, pair by pair."""
    source, target = data.columns(split)
    for row in range(len(source)):
        yield source[row].tobytes(), target[row].tobytes()
