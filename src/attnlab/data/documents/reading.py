"""Documents from JSON lines: ``{"label": …, "sentences": ["…", "…"]}``, or ``"text": "…"``, which is cut by a rule."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from attnlab.data.documents.sentences import document, split
from attnlab.data.files import LONGEST_LINE
from attnlab.data.labelled.corpus import Example, Examples
from attnlab.data.labelled.reading import Names, from_values
from attnlab.data.labelled.tables import json_objects, kind
from attnlab.data.reading import Faults

SETTING = "dataset.sentences, dataset.text and dataset.label"


class Keys(NamedTuple):
    """What an object's values are called; where it has both, its sentences count and not its text."""

    sentences: str = "sentences"
    text: str = "text"
    label: str = "label"


def documents(path: Path, keys: Keys, language: str, faults: Faults, names: Names = None) -> Examples:
    """A JSON object a line.

    Args:
        path: the file.
        keys: of its objects.
        language: of texts that are to be cut into sentences.
        faults: what to do with a line that cannot be used.
        names: what labels are called.

    Raises:
        DataError: no line has the keys.
    """
    return (found for _, found in with_rows(path, keys, language, faults, names))


def with_rows(
    path: Path, keys: Keys, language: str, faults: Faults, names: Names = None
) -> Iterator[tuple[dict[str, Any], Example]]:
    """Each with the object that it is made of."""
    for where, row in json_objects(path, [[keys.sentences, keys.text], [keys.label]], faults, SETTING):
        text, fault = text_of(row, keys, language)
        if fault:
            faults(fault, where)
            continue
        # One line at a time is judged: cleaning makes a blank of a line end.
        for found in from_values(text.replace("\n", " "), row[keys.label], faults, where, names):
            yield row, found._replace(text=text)


def text_of(row: dict[str, Any], keys: Keys, language: str) -> tuple[str, str]:
    """The sentences of an object, a line each; or what is wrong with them."""
    if keys.sentences not in row:
        value = row[keys.text]
        if not isinstance(value, str):
            return "", f"{keys.text} is {kind(value)}, expected a text"
        if len(value) > LONGEST_LINE:
            return "", f"over {LONGEST_LINE} characters"
        return ("", "a NUL character") if "\0" in value else joined(split(value, language))
    value = row[keys.sentences]
    if not isinstance(value, list):
        return "", f"{keys.sentences} is {kind(value)}, expected a list of texts"
    odd = next((place for place, sentence in enumerate(value) if not isinstance(sentence, str)), None)
    if odd is not None:
        return "", f"{keys.sentences} has {kind(value[odd])}, expected texts"
    if any("\0" in sentence for sentence in value):
        return "", "a NUL character"
    return joined(value)


def joined(sentences: list[str]) -> tuple[str, str]:
    text = document(sentences)
    return text, "" if text else "nothing shows in the document"
