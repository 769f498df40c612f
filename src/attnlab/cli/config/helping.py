"""What ``--help`` tells besides a command's usage: its settings, with their comments, and the groups to choose from."""

import re
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attnlab.cli.config.overrides import Groups

WHOLE: Any = {"break_long_words": False, "break_on_hyphens": False}
SETTING = re.compile(r"(\w+): ([^#]*[^#\s])(?:\s+# (.*))?$")


def usage(text: str, width: int) -> str:
    """A command's usage, its paragraphs as wide as the screen, and examples too long for it with their note below."""
    parts = re.split(r"((?:^ .*\n?)+)", text, flags=re.MULTILINE)
    return "".join(example(part, width) if part.startswith(" ") else paragraphs(part, width) for part in parts)


def paragraphs(text: str, width: int) -> str:
    blocks = re.split(r"(\A\n+|\n\n+)", text)
    return "".join(block if not block.strip() else textwrap.fill(block, width, **WHOLE) + "\n" * block.endswith("\n")
                   for block in blocks)  # fmt: skip


def example(lines: str, width: int) -> str:
    """``  command    what it does``; a note that has no room stands below, set in."""
    told = (re.sub(r"(?<=\S) {2,}(?=\S)", "\n      ", line, count=1) if len(line) > width else line
            for line in lines.split("\n"))  # fmt: skip
    return "\n".join(told)


def settings(file: Path, width: int) -> str:
    """The plain settings at the root of a command's YAML file, as they stand there, a paragraph each."""
    lines = [wrapped(line, width) for line in read(file)]
    return "\n".join(["Settings and their defaults:", "", *lines, ""]) if lines else ""


def read(file: Path) -> Iterator[str]:
    """``seed=1: what it is``; nested ones, which groups fill, are left out."""
    if not file.is_file():  # of somebody's own folder
        return
    for line in file.read_text("utf-8").splitlines():
        found = SETTING.match(line)
        if found is not None:
            name, value, told = found.groups()
            yield f"{name}={value}" + (f": {told}" if told else "")


def groups(known: Groups, width: int) -> str:
    """The groups that the primary config chooses from, with their options."""
    names = sorted(name for name in known.all if name.partition("/")[0] in known.heads)
    lines = [wrapped(f"{name}: {', '.join(known.options(name))}", width) for name in names]
    return "\n".join(["Groups and their options:", "", *lines, ""]) if lines else ""


def wrapped(text: str, width: int) -> str:
    """A paragraph whose further lines are set in; no name is broken."""
    return textwrap.fill(text, width, initial_indent="  ", subsequent_indent="      ", **WHOLE)


def columns() -> int:
    """Of the terminal, 80 at least."""
    return max(80, min(120, shutil.get_terminal_size().columns))
