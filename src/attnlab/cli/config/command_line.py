"""Text of a command line, as it can be typed."""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attnlab.cli import project

PLAIN = re.compile(r"[\w/.~@%+:-]+")


def literal(value: Any) -> str:
    """A value in Hydra's grammar: ``null``, ``0.5``, ``'some text'``, ``[1,2]``, ``{a:1}``."""
    if isinstance(value, str):
        # Backslashes are doubled before a quote and at the end, and nowhere else.
        return "'" + re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), value) + "'"
    if isinstance(value, list):
        return f"[{','.join(map(literal, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{literal(item)}" for key, item in value.items()) + "}"
    return repr(value) if isinstance(value, float) else json.dumps(value)


def trusting(packages: Iterable[str]) -> list[str]:
    """The override that trusts these packages; none where there are none."""
    named = list(packages)
    return [f"trust={literal(named)}"] if named else []


def as_value(text: str) -> str:
    """A text as the value of an override: as it is where Hydra reads it so."""
    return text if PLAIN.fullmatch(text) else literal(text)


def quoted(text: str) -> str:
    """A path as the value of an override, for a shell: in quotes where it has characters that mean something."""
    if PLAIN.fullmatch(text):
        return text
    value = literal(text)
    return '"' + re.sub(r'([\\"$`])', r"\\\1", value) + '"'


def as_called(text: str) -> str:
    """Commands in a text, called as this one was: ``attnlab train`` for ``python train.py`` where that was typed."""
    called = next((word for word in sys.orig_argv[1:] if not word.startswith("-")), "")
    by_name = project.CHECKOUT is None or Path(called).name == "attnlab"
    return re.sub(r"python (\w+)\.py\b", r"attnlab \1", text) if by_name else text
