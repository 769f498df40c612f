"""Reading ``key=value`` as a command line has it, and what to write instead of one that cannot be read."""

from collections.abc import Iterator, Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"  # that look like a hyphen
QUOTES = set("\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb")


def parse(lines: Sequence[str]) -> tuple[list[Override], list[str]]:
    """The overrides that can be read, and a message for each that cannot."""
    parser, good, wrong = OverridesParser.create(), [], []
    for line, whole in joined(lines):
        if line.startswith("="):
            wrong.append(f"{line!r} cannot be read (no key); {hint(line)}")
            continue
        if not whole:
            wrong.append(f"{line!r} cannot be read (blanks beside the =); write {line.replace(' ', '')}")
            continue
        try:
            good += parser.parse_overrides([line])
        except (HydraException, ValueError, RecursionError) as error:
            wrong.append(f"{shortened(line)!r} cannot be read ({reason(line, error)}); {hint(line)}")
    return good, wrong


def joined(lines: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """The lines of a command line; what a blank beside a ``=`` has parted is one, and not whole."""
    waiting: list[str] = []
    for line in lines:
        if waiting and (line.startswith("=") or (waiting[-1].endswith("=") and "=" not in line)):
            waiting.append(line)
            continue
        if waiting:
            yield " ".join(waiting), len(waiting) == 1
        waiting = [line]
    if waiting:
        yield " ".join(waiting), len(waiting) == 1


def reason(line: str, error: Exception) -> str:
    """Why an override cannot be read, in a few words."""
    if isinstance(error, RecursionError):
        return "too many brackets within brackets"
    if not isinstance(error, HydraException):
        return "a number of too many digits"
    said = [text for text in str(error).splitlines() if not text.startswith("See ")] or [""]
    return "unexpected character" if not said[-1].strip("^ ") else said[-1].partition(" expecting ")[0]


def hint(line: str) -> str:
    """What to write instead of a line that cannot be read."""
    if line[:1] in DASHES:
        return f"flags start with a plain hyphen: {line.translate(dict.fromkeys(map(ord, DASHES), '-'))}"
    if QUOTES & set(line):
        return "its quotes are typographic, write ' or \""
    return "write key=value, special text in quotes: key='\"…\"'"


def shortened(text: str, longest: int = 120) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
