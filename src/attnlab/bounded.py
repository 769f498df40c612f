"""Small files of settings, read with a bound on everything: size, depth, and what aliases of YAML stand for.

``yaml.safe_load`` executes nothing, but a kilobyte of aliases of aliases is written out as gigabytes by whatever
copies the result, and a file may be a pipe that never ends.
"""

import json
from pathlib import Path
from typing import Any

import yaml

from attnlab.errors import DataError

LARGEST = 1 << 20  # bytes; the configuration of a run has about 10,000
DEEPEST = 60  # levels; a configuration has about 8
MOST = 100_000  # values, each alias counted as everything that it stands for
PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_text(path: Path, largest: int = LARGEST) -> str:
    """The text of an ordinary file.

    Raises:
        DataError: it is missing, no ordinary file, too large, or not UTF-8.
    """
    try:
        if not path.is_file():
            raise DataError(f"{path}: {'no ordinary file' if path.exists() else 'there is no such file'}")
        size = path.stat().st_size
        if size > largest:
            raise DataError(f"{path}: {size:,} bytes, expected {largest:,} at most")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: invalid UTF-8 ({error.reason})") from error


def check_yaml(text: str, name: str) -> None:
    """See that a YAML document can be read without harm; what is in it is not looked at.

    Raises:
        DataError: it cannot be parsed, is nested too deeply, or stands for too many values.
    """
    sizes: dict[str, int] = {}  # of what each anchor stands for
    open_nodes: list[tuple[str | None, int]] = []
    count = 0
    try:
        for event in yaml.parse(text, Loader=PARSER):
            if isinstance(event, yaml.AliasEvent):
                count += sizes.get(event.anchor, MOST + 1)  # an alias within its own anchor has no end
            elif isinstance(event, yaml.ScalarEvent):
                count += 1
                if event.anchor:
                    sizes[event.anchor] = 1
            elif isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append((event.anchor, count))
                count += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                anchor, before = open_nodes.pop()
                if anchor:
                    sizes[anchor] = count - before
            if count > MOST:
                raise DataError(f"{name}: its aliases stand for more than {MOST:,} values")
            if len(open_nodes) > DEEPEST:
                raise DataError(f"{name}: nested more than {DEEPEST} levels deep")
    except yaml.MarkedYAMLError as error:
        where = f", line {error.problem_mark.line + 1}" if error.problem_mark is not None else ""
        raise DataError(f"{name}{where}: no YAML ({error.problem})") from error
    except yaml.YAMLError as error:
        raise DataError(f"{name}: no YAML (a character that YAML does not allow)") from error


def read_yaml(path: Path, largest: int = LARGEST) -> Any:
    """Plain values from a YAML file.

    Raises:
        DataError: as ``read_text`` and ``check_yaml``, or a tag that stands for no plain value.
    """
    text = read_text(path, largest)
    check_yaml(text, str(path))
    try:
        return yaml.load(text, Loader=PARSER)  # a safe loader
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise DataError(f"{path}: no plain YAML ({getattr(error, 'problem', error)})") from error


def read_json(path: Path, largest: int = LARGEST) -> Any:
    """The value of a JSON file.

    Raises:
        DataError: as ``read_text``, or it is no JSON, or nested too deeply.
    """
    text = read_text(path, largest)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: no JSON ({error})") from error
