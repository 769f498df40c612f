"""Names of classes: those of a finished run, and what labels are spelled like."""

from collections.abc import Mapping
from pathlib import Path

from attnlab.bounded import read_json
from attnlab.data.text import clean
from attnlab.data.tokenizers.load import LARGEST
from attnlab.types import ConfigError, DataError


def saved_labels(path: Path) -> list[str]:
    """The classes of a finished run, in the order of its output layer.

    Raises:
        DataError: the file is missing, or is no list of names.
    """
    try:
        found = read_json(path, LARGEST)
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: no labels of a run ({error})") from error
    if not isinstance(found, list) or len(found) < 2 or not all(isinstance(name, str) for name in found):
        raise DataError(f"{path}: no labels of a run; expected a list of two names or more")
    if odd := [name for name in found if not is_name(name)]:
        raise DataError(f"{path}: no labels of a run; {odd[0]!r:.60} is no name of a class")
    if len(set(found)) < len(found):
        raise DataError(f"{path}: no labels of a run; a name comes twice")
    return found


def spelled(label: str | int | float | bool) -> str:
    """A label as a file of text has it: a truth value as JSON writes it."""
    return str(label).lower() if isinstance(label, bool) else str(label)


def is_name(name: str) -> bool:
    """Whether a class may be called so: something shows, in one line, no blanks at either end."""
    return bool(name) and name == clean(name)


def readable(labels: Mapping[str | int | bool, str]) -> dict[str, str]:
    """What ``dataset.labels`` calls the labels of a file, as these are spelled there.

    Raises:
        ConfigError: a class cannot be called so.
    """
    if odd := [name for name in labels.values() if not is_name(name)]:
        raise ConfigError(f"dataset.labels: {odd[0]!r:.60} is no name of a class; expected a word or some")
    return {spelled(label): name for label, name in labels.items()}
