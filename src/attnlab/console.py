"""Where text is printed that is not ours: paths, names of configurations, sentences. It is printed as it is."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def console(stderr: bool = False) -> "Console":
    """A console of rich that reads no markup: ``[bold]`` in a path is a part of the path, and ``:x:`` no picture."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)
