"""Read a tokenizer back from its file."""

import hashlib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast, get_type_hints

from attnlab.bounded import read_json, read_text
from attnlab.data.tokenizers.base import Tokenizer
from attnlab.errors import DataError

LARGEST = 1 << 28  # bytes; 32,000 pieces have two million


def digest(path: Path) -> str:
    """The SHA-256 of a tokenizer's file.

    Raises:
        DataError: it is missing, no ordinary file, or too large for one.
    """
    return hashlib.sha256(read_text(path, LARGEST).encode()).hexdigest()


def load(path: Path) -> Tokenizer:
    """The tokenizer that was saved at ``path``; nothing is fitted, no training text is needed.

    The file names the module; the class is the module's name in camel case.

    Raises:
        DataError: the file is missing, or is not a saved tokenizer.
    """
    try:
        saved = read_json(path, LARGEST)
        name = saved["tokenizer"]
        if not name.isidentifier():
            raise ValueError(f"{name!r} names no tokenizer")
        module = import_module(f"attnlab.data.tokenizers.{name}")
        kind = getattr(module, "".join(part.capitalize() for part in name.split("_")))
        require_settings(kind, saved["settings"])
        tokenizer: Any = kind(**saved["settings"])
        tokenizer.restore(saved["state"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RecursionError) as error:
        raise DataError(f"{path}: no saved tokenizer ({error}); expected the JSON file of a run") from error
    return cast(Tokenizer, tokenizer)


def require_settings(kind: type, settings: Mapping[str, Any]) -> None:
    """See that saved settings are of the types that the constructor names: a text would do for ``lowercase``, too.

    Raises:
        ValueError: one is not.
    """
    from pydantic import ConfigDict, TypeAdapter, ValidationError  # it takes 0.1 seconds

    hints = get_type_hints(kind.__init__, include_extras=True)  # type: ignore[misc]
    for name, value in settings.items():
        try:
            if name in hints:
                TypeAdapter(hints[name], config=ConfigDict(strict=True)).validate_python(value)
        except ValidationError as error:
            raise ValueError(f"settings.{name}: {error.errors()[0]['msg']}, came {value!r:.60}") from error
