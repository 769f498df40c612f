"""Who is to be cited for what: ``references.bib`` names for each entry the settings that call for it."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from attnlab.analysis.pages import template_file

PACKAGE = "attnlab.analysis.paper"
ENTRY = re.compile(r"^@(\w+)\{([\w-]+),\n(.*?)^\}$", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^\s+(\w+) = \{(.*)\},$", re.MULTILINE)


class Entry(NamedTuple):
    """One of a bibliography."""

    kind: str
    key: str
    fields: Mapping[str, str]  #: as LaTeX
    text: str  #: all of it

    @property
    def called_by(self) -> list[str]:
        """What calls for it: ``attention=bahdanau``."""
        return [word.strip() for word in self.fields["keywords"].split(",")]


@cache
def entries() -> Mapping[str, Entry]:
    """All that there are, by key."""
    found = ENTRY.finditer(template_file(PACKAGE, "references.bib"))
    return {entry[2]: Entry(entry[1], entry[2], dict(FIELD.findall(entry[3])), entry[0]) for entry in found}


@cache
def by_setting() -> Mapping[str, str]:
    """The key of the entry that a setting calls for."""
    return {setting: entry.key for entry in entries().values() for setting in entry.called_by}


class Citations:
    """Those that a text has asked for, in their order."""

    def __init__(self) -> None:
        self.keys: dict[str, None] = {}

    def of(self, *settings: str) -> str:
        r"""``~\cite{…}`` of what these call for; nothing where nobody is to be cited."""
        return self.named(*(by_setting()[setting] for setting in settings if setting in by_setting()))

    def named(self, *keys: str) -> str:
        """Likewise, by the keys of entries; those that are not there are left out."""
        found = list(dict.fromkeys(key for key in keys if key in entries()))
        self.keys |= dict.fromkeys(found)
        return f"~\\cite{{{','.join(found)}}}" if found else ""

    def bib(self) -> str:
        """A file for BibTeX."""
        return "\n\n".join(entries()[key].text for key in sorted(self.keys)) + "\n"

    def bbl(self) -> str:
        """What BibTeX makes of it, so that pdflatex alone is enough."""
        items = [f"\\bibitem{{{key}}}\n{shown(entries()[key])}" for key in sorted(self.keys)]
        if not items:
            return "\n"
        return "\n\n".join(["\\begin{thebibliography}{99}\\raggedright", *items, "\\end{thebibliography}\n"])


def shown(entry: Entry) -> str:
    """As a list of references has it."""
    return " ".join(f"{part.rstrip('.')}." for part in _parts(entry))


def _parts(entry: Entry) -> Iterator[str]:
    told = entry.fields
    yield people(told["author"])
    yield told["title"]
    place = told.get("booktitle") and f"In {{\\em {told['booktitle']}}}"
    place = place or (told.get("journal") and f"{{\\em {told['journal']}}}")
    number = f"({told['number']})" if "number" in told else ""
    issue = f"{told['volume']}{number}" if "volume" in told else ""
    pages = ("pages " if not issue else "") + told["pages"] if "pages" in told else ""
    located = f"{issue}:{pages}" if issue and pages else issue or pages
    yield ", ".join(filter(None, (place or told.get("publisher", told.get("note")), located, told["year"])))


def people(authors: str) -> str:
    """``Ashish Vaswani, Noam Shazeer, et al`` from ``Vaswani, Ashish and Shazeer, Noam and others``."""
    names = [_person(name) for name in authors.split(" and ")]
    if names[-1] == "others":
        return f"{', '.join(names[:-1])}, et~al"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])}{',' * (len(names) > 2)} and {names[-1]}"


def _person(name: str) -> str:
    """First name first."""
    last, _, first = name.partition(", ")
    return f"{first}~{last}" if first else last
