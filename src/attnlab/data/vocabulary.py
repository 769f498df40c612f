"""Which strings have an id: the four special symbols, then the training split's, most frequent first."""

from collections import Counter
from collections.abc import Iterable, Sequence

from attnlab.errors import ConfigError
from attnlab.symbols import SPECIALS, UNK


class Vocabulary:
    """A two-way table of entries and ids; ids 0 to 3 are PAD, UNK, BOS and EOS.

    The special symbols cannot be looked up: a text that holds the letters ``<s>`` finds the ordinary entry
    ``<s>`` (or UNK), never BOS.

    Args:
        entries: the entries from id 4 on, without the special symbols.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self.entries: list[str] = [*SPECIALS, *entries]
        self._ids = {entry: number for number, entry in enumerate(self.entries) if number >= len(SPECIALS)}

    @classmethod
    def count(cls, counts: Counter[str], max_size: int | None, min_frequency: int) -> "Vocabulary":
        """Keep the most frequent entries; equal counts are ordered by the entry itself.

        Args:
            counts: how often each entry occurs in the training split.
            max_size: entries in all, special symbols included; ``None`` for no limit.
            min_frequency: entries seen less often are left to UNK.
        """
        check_limits(max_size, min_frequency)
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        kept = [entry for entry, count in ranked if count >= min_frequency]
        return cls(kept if max_size is None else kept[: max_size - len(SPECIALS)])

    def get(self, entry: str) -> int | None:
        """The id of an entry, or ``None``."""
        return self._ids.get(entry)

    def encode(self, entries: Iterable[str]) -> list[int]:
        return [self._ids.get(entry, UNK) for entry in entries]

    def decode(self, ids: Sequence[int]) -> list[str]:
        return [self.entries[number] for number in ids]

    def __len__(self) -> int:
        return len(self.entries)


def check_limits(max_size: int | None, min_frequency: int) -> None:
    """Refuse limits that leave nothing.

    Raises:
        ConfigError: ``max_size`` has no room for an entry, or ``min_frequency`` is below 1.
    """
    if max_size is not None and max_size <= len(SPECIALS):
        raise ConfigError(
            f"vocabulary size {max_size}: {len(SPECIALS)} special symbols are counted in it; "
            f"give at least {len(SPECIALS) + 1}, or null for no limit"
        )
    if min_frequency < 1:
        raise ConfigError(f"min_frequency={min_frequency}: an entry is seen at least once; give 1 or more")
