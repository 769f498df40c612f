"""Read a tokenizer back from its file."""

import hashlib
from importlib import import_module
from pathlib import Path
from typing import Any, cast

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
        tokenizer: Any = kind(**saved["settings"])
        tokenizer.restore(saved["state"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RecursionError) as error:
        raise DataError(f"{path}: no saved tokenizer ({error}); expected the JSON file of a run") from error
    return cast(Tokenizer, tokenizer)
