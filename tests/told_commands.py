"""The commands and the Python that the pages for readers show, as they stand there.

On a page an indented block is shell; whatever else there is (Python, YAML, a tree) is fenced and says its language.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = ("python", "yaml", "text")  # of fences; names in braces are Sphinx's directives
# What stands for something that a reader has; the first word of it is enough to check the rest of the line.
STAND_INS = {
    "<run folder>": "latest", "<seed 1>": "latest", "<seed 2>": "latest", "$run": "latest", "[<the sweeps>]": "[a,b]",
    "<the sweep>": "latest", "<sweep>": "latest", "<sweep_name>/<date>_<time>": "name/2026-11-30_10-00-00",
    "[…]": "[a,b]", "sweeps/…/*/": "sweeps/name/latest/*/", "=….png": "=seen.png", "=…": "=latest",
    "<group>=<option>": "attention=bahdanau", "KIND NAME": "mechanism name",
    **dict.fromkeys(["run=FORWARD", "run=DE_EN", "run=SEED1"], "run=latest"),
}  # fmt: skip
FURTHER = "…"  # a word by itself: whatever else one wants
SEPARATORS = {"&&", "|", ";"}
LOOP = {"do", "done"}


class Told(NamedTuple):
    """A simple command, with the place where a page tells it."""

    page: str
    line: int
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}:{self.line} {shlex.join(self.words)}"


class Block(NamedTuple):
    """Text of a language, with the place of its first line."""

    page: str
    line: int
    language: str
    text: str


def blocks(path: Path) -> Iterator[Block]:
    """Indented blocks and fences of a page; code within lines as the language ``inline``."""
    for token in MarkdownIt().enable("table").parse(path.read_text("utf-8")):
        line = token.map[0] + 1 if token.map else 0
        if token.type == "code_block":
            yield Block(path.name, line, "shell", token.content)
        elif token.type == "fence":
            yield Block(path.name, line + 1, token.info.strip(), token.content)
        for child in token.children or ():
            if child.type == "code_inline":
                yield Block(path.name, line, "inline", child.content)


def lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a shell text, those continued by a backslash as one, with the number of the first."""
    waiting, begun = "", 0
    for number, line in enumerate(text.splitlines()):
        begun = begun if waiting else number
        if line.endswith("\\"):
            waiting += line[:-1]
            continue
        if (waiting + line).strip():
            yield begun, waiting + line
        waiting = ""


def simple(text: str) -> Iterator[list[str]]:
    """The simple commands of a line, without what is redirected, without a loop's words and variables."""
    for shown, stands_for in STAND_INS.items():
        text = text.replace(shown, stands_for)
    reader = shlex.shlex(text, posix=True, punctuation_chars="&|;<>")
    reader.whitespace_split = True
    words: list[str] = []
    found = iter(reader)
    for word in found:
        if word in SEPARATORS:
            yield words
            words = []
        elif word in ("<", ">"):
            next(found)
        elif word not in LOOP and word != FURTHER and not (not words and re.fullmatch(r"[A-Za-z_]+=\S*", word)):
            words.append(word)
    yield words


def commands(path: Path, programs: tuple[str, ...]) -> Iterator[Told]:
    """All simple commands of a page, in its order; of code within lines what begins with one of these programs."""
    for block in blocks(path):
        if block.language == "shell":
            for number, line in lines(block.text):
                yield from (Told(block.page, block.line + number, tuple(words)) for words in simple(line) if words)
        elif block.language == "inline" and re.match(rf"({'|'.join(programs)}) ", block.text):
            for words in simple(block.text):
                named_only = len(words) == 2 and words[0] == "attnlab"
                yield Told(block.page, block.line, (*words, "--help") if named_only else tuple(words))
