"""A contract is a list of checks, each a function of what builds the part."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import torch

Build = Callable[..., Any]
Check = Callable[[Build], None]


class Contract(list[Check]):
    """Checks, in the order in which they are written."""

    def add(self, check: Check) -> Check:
        """Take in a check, which then draws the same random numbers whenever it is called, and leaves no trace."""

        @wraps(check)
        def seeded(build: Build) -> None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                check(build)

        self.append(seeded)
        return seeded


@contextmanager
def refused(words: str, what: str) -> Iterator[None]:
    """Within, a ValueError is expected that has these words.

    Args:
        words: of its message.
        what: is wrong where none comes.

    Raises:
        AssertionError: it says something else, or does not come.
    """
    try:
        yield
    except ValueError as error:
        if words not in str(error):
            raise AssertionError(f"expected an error that says {words!r}, got: {error}") from error
    else:
        raise AssertionError(what)
