"""Where text is printed that is not ours: paths, names of configurations, sentences. It is shown, and does nothing."""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

# Controls, which terminals obey, and marks that turn the direction of what stands behind them; not tab and newline.
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


PLACE: list[str] = []  #: of what is shown in a larger whole, one text or none: ``[7 of 36]``, of a job of a multirun


def visible(text: str) -> str:
    r"""The text with what a terminal would obey written out: ``\x1b[2J`` instead of an empty screen."""
    return OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def console(stderr: bool = False) -> "Console":
    """A console of rich that reads no markup: ``[bold]`` in a path is a part of the path, and ``:x:`` no picture."""
    from rich.console import Console
    from rich.text import Text

    class Showing(Console):
        """Every text that is printed, the cells of tables included, is made of this."""

        def render_str(self, text: str, **settings: Any) -> Text:
            return super().render_str(visible(text), **settings)

    return Showing(stderr=stderr, markup=False, emoji=False, highlight=False)
