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
    for line, blanks in joined(lines):
        if line.startswith(("=", "@")):
            wrong.append(f"{line!r} cannot be read (no key); {hint(line)}")
            continue
        if blanks:
            wrong.append(f"{line!r} cannot be read (blanks {blanks}); write {line.replace(' ', '')}")
            continue
        try:
            good += parser.parse_overrides([line])
        except (HydraException, ValueError, RecursionError) as error:
            wrong.append(f"{shortened(line)!r} cannot be read ({reason(line, error)}); {hint(line)}")
    return good, wrong


def joined(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The lines of a command line; what blanks have parted is one, with the place of the blanks."""
    waiting, blanks = "", ""
    for line in lines:
        found = parted(waiting, line) if waiting else ""
        if found:
            waiting, blanks = f"{waiting} {line}", blanks or found
            continue
        if waiting:
            yield waiting, blanks
        waiting, blanks = line, ""
    if waiting:
        yield waiting, blanks


def parted(before: str, line: str) -> str:
    """Where the blank is that has parted two words of a command line; nothing for two settings."""
    if line.startswith("=") or (before.endswith("=") and "=" not in line):
        return "beside the ="
    is_open = "=" in before and any(before.count(left) > before.count(right) for left, right in ("[]", "{}", "()"))
    return "within the brackets" if is_open and "=" not in line else ""


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
