"""What was noted of an item, read with suspicion: a line of a file may hold anything."""

from typing import Any

from attnlab.errors import DataError


def numbers(name: str, value: Any, size: int) -> list[float] | None:
    """A vector of counts as a record has it; None where it has none.

    Raises:
        DataError: it is something else than so many numbers.
    """
    if value is None:
        return None
    found = value if isinstance(value, list | tuple) else [value]
    if len(found) != size or any(isinstance(v, bool) or not isinstance(v, int | float) for v in found):
        raise DataError(f"{name} is {value!r}, expected {size} numbers")
    return list(found)
