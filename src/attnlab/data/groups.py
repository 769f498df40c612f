"""Splitting pairs so that those which share a sentence stay together."""

from collections.abc import Sequence

from attnlab.data.corpus import Pair
from attnlab.data.splitting import Size, count, rank


class Groups:
    """Union-find over sentences."""

    def __init__(self) -> None:
        self._parent: dict[tuple[str, str], tuple[str, str]] = {}

    def find(self, key: tuple[str, str]) -> tuple[str, str]:
        """The one that stands for all that ``key`` is connected with."""
        root = self._parent.setdefault(key, key)
        while root != self._parent[root]:
            root = self._parent[root]
        while self._parent[key] != root:  # shorten the way for the next look-up
            self._parent[key], key = root, self._parent[key]
        return root

    def join(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        self._parent[self.find(one)] = self.find(other)


def split_by_groups(pairs: Sequence[Pair], val_size: Size, test_size: Size, seed: int) -> dict[str, list[Pair]]:
    """Split so that no sentence of either side is in two splits: pairs that share one stay together.

    Groups in random order (by ``seed``) fill test, then val; a group too large for the room left stays in
    train. Each split keeps the order of ``pairs``.
    """
    room = {"test": count(test_size, len(pairs), "test_size"), "val": count(val_size, len(pairs), "val_size")}
    groups = Groups()
    for pair in pairs:
        groups.join(("source", pair.source), ("target", pair.target))
    members: dict[tuple[str, str], list[int]] = {}
    for index, pair in enumerate(pairs):
        members.setdefault(groups.find(("source", pair.source)), []).append(index)
    taken: dict[str, list[int]] = {"train": [], "val": [], "test": []}
    for group in sorted(members.values(), key=lambda group: min(rank(seed, pairs[index]) for index in group)):
        split = next((split for split, left in room.items() if len(group) <= left), "train")
        taken[split] += group
        if split != "train":
            room[split] -= len(group)
    return {split: [pairs[index] for index in sorted(indices)] for split, indices in taken.items()}
