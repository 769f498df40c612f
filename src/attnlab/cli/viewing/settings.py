"""What can be said of a view; without torch, so that a mistake is told at once."""

from typing import Literal, NamedTuple

from attnlab.errors import ConfigError


class Settings(NamedTuple):
    """What a page shows of its runs."""

    split: str = "test"  #: whose items
    items: int = 2000  #: at most so many, the first ones
    own: int = 300  #: of the first so many, what layers look at in their own sentence, too
    target: Literal["reference", "own"] = "reference"  #: what translations are decoded by force; or what a run finds
    checkpoints: tuple[str, ...] = ("best",)  #: of each run: best, last or a file
    trust: tuple[str, ...] = ()  #: packages that runs may be built from
    megabytes: float = 25.0  #: that the page has at most
    item: int | None = None  #: of the split only this one, counted from 1
    over_training: bool = False  #: the validation items that were looked at over training, in place of the split

    def numbers(self, count: int) -> range:
        """Which items of so many are shown, from 0.

        Raises:
            ConfigError: there is no such one.
        """
        if self.item is None:
            return range(min(self.items, count))
        if self.item > count:
            raise ConfigError(f"item={self.item}: there are {count:,}, counted from 1")
        return range(self.item - 1, self.item)
