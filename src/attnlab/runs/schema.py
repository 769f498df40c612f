"""What ``metrics.json`` says of itself: the keys that tell how to read all others. They are written and read here.

``schema`` is the version of this, ``task`` and ``unit`` say what was trained on what, ``splits`` which splits were
tested, ``monitor`` by which key checkpoints were chosen, ``record`` which keys of a line of ``<split>.jsonl`` have
what an item was given, what was wanted and what came out, ``words`` what all this is called, ``quantities`` what is to
be known of each number.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, get_args

from attnlab.errors import ConfigError, DataError
from attnlab.metrics.quantity import Better, Cost, Counted, Plain, Quantity, Scale
from attnlab.metrics.registry import find, package_of
from attnlab.runs import legacy
from attnlab.runs.words import Words

VERSION = 2
KEYS = ("schema", "task", "unit", "splits", "monitor", "record", "words", "quantities")
ROLES = ("input", "reference", "output")
OF_THE_CODE = ("name", "better", "scale", "split")  # what a run may not have otherwise than the code has it
CHOICES = {"better": get_args(Better), "scale": get_args(Scale)}
CHOSEN = ("title", "digits", "unit", "column")  # what it may


@dataclass(frozen=True)
class Contents:
    """What a run folder holds.

    Attributes:
        task: what was trained.
        unit: what its loss is a mean over.
        monitor: the key that checkpoints were chosen by; empty where nothing was monitored.
        splits: the tested ones.
        record: which keys of a line have an item's input, reference and output, as far as it has these.
        words: what an item is called, what is made of it, and what looks at what in it.
        quantities: what is known of its numbers, by ``id``, in the order of tables.
        signatures: how each was counted, of those where that can be chosen.
        missing: the package of each quantity that is not there to count items: its description is all that is known.
    """

    task: str
    unit: str
    monitor: str
    splits: tuple[str, ...]
    record: Mapping[str, str]
    words: Words
    quantities: Mapping[str, Quantity]
    signatures: Mapping[str, str]
    missing: Mapping[str, str]


def described(
    task: str,
    unit: str,
    monitor: str,
    splits: Sequence[str],
    record: Mapping[str, str],
    words: Words,
    quantities: Iterable[Quantity],
) -> dict[str, Any]:
    """The entries of ``metrics.json`` that say how to read the others; see :class:`Contents`."""
    told = {quantity.id: _told(quantity) for quantity in quantities}
    values = (VERSION, task, unit, list(splits), monitor, dict(record), words._asdict(), told)
    return dict(zip(KEYS, values, strict=True))


def contents(metrics: Mapping[str, Any]) -> Contents:
    """Read them, of a folder of any version.

    Raises:
        DataError: one of them is not what it should be, or the folder is of a later version.
    """
    version = metrics.get("schema")
    if version is None:
        said = legacy.described(metrics)
    elif version == VERSION:
        said = {key: metrics.get(key) for key in KEYS} | {"words": metrics.get("words", legacy.WORDS)}
    else:
        raise DataError(f"schema is {version!r}, and this version reads {VERSION}: install a later attnlab")
    for key, kinds in _KINDS.items():
        if not kinds(said[key]):
            raise DataError(f"{key} is {str(said[key])[:60]!r}, which it cannot be")
    quantities, missing = {}, {}
    for name, told in said["quantities"].items():
        known = _known(name)
        if known is None and told.get("kind") == "counted":
            missing[name] = str(told.get("package", "nobody knows which"))
        quantities[name] = _described(name, told) if known is None else _as_told(known, told)
    signatures = {name: str(told["signature"]) for name, told in said["quantities"].items() if told.get("signature")}
    named = said["task"], said["unit"], said["monitor"], tuple(said["splits"]), said["record"]
    return Contents(*named, Words(**said["words"]), quantities, signatures, missing)


def _texts(value: Any) -> bool:
    return all(isinstance(item, str) for item in value)


_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "task": lambda value: isinstance(value, str),
    "unit": lambda value: isinstance(value, str),
    "monitor": lambda value: isinstance(value, str),
    "splits": lambda value: isinstance(value, list) and _texts(value),
    "record": lambda value: isinstance(value, dict) and _texts(value.values()) and set(value) <= set(ROLES),
    "words": lambda value: isinstance(value, dict) and _texts(value.values()) and set(value) <= set(Words._fields),
    "quantities": lambda value: isinstance(value, dict) and all(isinstance(item, dict) for item in value.values()),
}


def _known(name: str) -> Quantity | None:
    try:
        return find(name)
    except ConfigError:  # its package is there and cannot be used
        return None


def _told(quantity: Quantity) -> dict[str, Any]:
    told: dict[str, Any] = {key: getattr(quantity, key) for key in (*OF_THE_CODE, *CHOSEN)}
    told |= {"kind": _kind(quantity), "package": package_of(quantity)}
    more = {"signature": quantity.signature, "settings": _settings(quantity)}
    return told | {key: value for key, value in more.items() if value}


def _kind(quantity: Quantity) -> str:
    return "counted" if isinstance(quantity, Counted) else "cost" if isinstance(quantity, Cost) else "plain"


def _settings(quantity: Quantity) -> dict[str, Any]:
    """How items are counted: what a class of quantities has besides."""
    common = {field.name for field in fields(Counted)}
    own = (field.name for field in fields(quantity) if field.name not in common)
    return {name: value for name in own if isinstance(value := getattr(quantity, name), str | int | float)}


def _as_told(quantity: Quantity, told: Mapping[str, Any]) -> Quantity:
    """A quantity with the settings that a run has it with."""
    for key in OF_THE_CODE:
        if key in told and told[key] != (here := getattr(quantity, key)):
            raise DataError(f"quantities: {key} of {quantity.name} is {told[key]!r}, and {here!r} in the code here")
    settings = told.get("settings", {})
    if not isinstance(settings, dict):
        raise DataError(f"quantities: {quantity.name} has settings {settings!r}, expected a table")
    own = _settings(quantity)
    changes = {key: told[key] for key in CHOSEN if key in told} | {k: v for k, v in settings.items() if k in own}
    for key, value in changes.items():
        if type(value) is not type(getattr(quantity, key)):
            raise DataError(f"quantities: {quantity.name} has {key} {value!r}, which it cannot be")
    try:
        return replace(quantity, **changes) if changes else quantity
    except ConfigError as error:
        raise DataError(f"quantities: {error}") from error


def _described(name: str, told: Mapping[str, Any]) -> Quantity:
    """A quantity that nobody here can count: what its run says of it."""
    kinds = {"digits": int, "column": bool}
    values = {key: told[key] for key in (*OF_THE_CODE, *CHOSEN) if key in told}
    wrong = [key for key, value in values.items() if type(value) is not kinds.get(key, str)]
    wrong += [key for key, choices in CHOICES.items() if key in values and values[key] not in choices]
    if wrong or "better" not in values:
        raise DataError(f"quantities: {name} has {dict(values)}; expected a title, and higher or lower as better")
    try:
        made = (Cost if told.get("kind") == "cost" else Plain)(**{"title": name, "name": name, **values})
    except ConfigError as error:
        raise DataError(f"quantities: {error}") from error
    if made.id != name:
        raise DataError(f"quantities: {name} describes {made.id}")
    return made
