"""What a task calls things, where something is told of it: a run folder says it, and whoever reads it says it so."""

from typing import NamedTuple


class Words(NamedTuple):
    """Nouns, in the singular and the plural; of a task that says nothing the most general ones."""

    item: str = "item"  #: what a split consists of
    items: str = "items"
    output: str = "output"  #: what is made of one
    outputs: str = "outputs"
    column: str = "column"  #: what is looked at, in the attention of an item
    columns: str = "columns"
    row: str = "row"  #: what looks
    rows: str = "rows"

    @property
    def an_item(self) -> str:
        return f"{'an' if self.item[:1].lower() in 'aeiou' else 'a'} {self.item}"

    @property
    def both(self) -> str:
        """What a test of configurations accounts for."""
        return f"seeds and {self.items}"


TEXTS = Words("text", "texts", "output", "outputs", "word", "words", "word", "words")  #: of models without a task
