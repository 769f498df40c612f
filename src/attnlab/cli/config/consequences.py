"""Of the mistakes of a configuration those that are no consequence of another one: one mistake is told once."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from attnlab.cli.config.expansion import References

NO_SUCH = "has no such setting"  # as the check of a node says it
CIRCLE = "Recursive interpolation"  # as OmegaConf says it
KIND = re.compile(r"[\w.\[\]]+\._(target|partial)_: (?!there is no)")


def told_once(lines: Mapping[str, str], written: dict[str, Any]) -> Iterator[str]:
    """Without what follows from another mistake: ``lines`` are all of them, by key."""
    misplaced = tuple(f"{key.rpartition('.')[0]}." for key, line in lines.items() if KIND.match(line))
    references, told = References(written), set()
    for key, line in lines.items():
        if key.startswith(misplaced) and not KIND.match(line):
            continue  # settings are judged by the constructor that was meant
        if not any(name in told or (name in lines and name != key) for name in causes(references, key, lines)):
            yield line
            told.add(key)


def causes(references: References, key: str, lines: Mapping[str, str]) -> Iterator[str]:
    """What the value of a key refers to, and what that is a part of: a mistake in those is told there.

    Of a circle its first member is told.
    """
    order = list(lines)
    later = order[order.index(key) :] if CIRCLE in lines[key] else []
    for place in references.behind(tuple(key.split("."))):
        names = (".".join(place[:count]) for count in range(1, len(place) + 1))
        yield from (name for name in names if name not in later)


def with_a_way_out(text: str, typed: Collection[str]) -> str:
    """The message; where another class was typed, settings of the option before are left that it does not take.

    Args:
        text: a mistake.
        typed: keys of the command line.
    """
    key, _, told = text.partition(": ")
    left_over = key not in typed and f"{key.rpartition('.')[0]}._target_" in typed
    return f"{key}: {told.partition(';')[0]}; ~{key} leaves it out" if left_over and NO_SUCH in told else text
