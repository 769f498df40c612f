"""The files of a run folder, read with suspicion: each is what it should be, or a ``DataError`` names file and fault.

A run may have been killed, copied in part, or edited; one such run is not to end the comparison of all others.
"""

import json
import math
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import yaml

from attnlab.bounded import read_text, read_yaml
from attnlab.console import visible
from attnlab.errors import DataError
from attnlab.moved import currently
from attnlab.runs.schema import KEYS, contents

T = TypeVar("T")
# Whatever the standard library, PyYAML and numpy raise at content that is not what it should be.
BROKEN = (
    OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError, MemoryError,
    EOFError, NotImplementedError, yaml.YAMLError, zipfile.BadZipFile,
)  # fmt: skip
LARGEST = 1 << 31  # bytes of a file of text; translations of a million sentences have half of it
UNPACKED = 1 << 30  # bytes that an archive may stand for, or a hundred times its own size


def checked(path: Path, read: Callable[[], T]) -> T:
    """What ``read`` makes of a file.

    Raises:
        DataError: it raised something, or the file is none.
    """
    try:
        return read()
    except DataError:
        raise
    except BROKEN as error:
        told = error.strerror if isinstance(error, OSError) and error.strerror else str(error).split("\n")[0]
        raise DataError(f"{path}: cannot be read ({type(error).__name__}: {told})") from error


def read_json(path: Path) -> Any:
    return json.loads(read_text(path, LARGEST))


def read_mapping(path: Path, load: Callable[[Path], Any]) -> dict[str, Any]:
    """A file that holds one table, whose keys are text and whose values can be written down again."""
    found = checked(path, lambda: load(path))
    if not isinstance(found, dict):
        raise DataError(f"{path}: expected a table, came {kind(found)}")
    if not all(isinstance(key, str) for key in found):
        raise DataError(f"{path}: expected names as keys, came {list(found)[:3]}")
    checked(path, lambda: json.dumps(found, sort_keys=True, default=str))
    return found


def read_metrics(path: Path) -> dict[str, Any]:
    """``metrics.json``: the numbers that are compared are finite, or null; the rest is text, but for what says so."""
    found = read_mapping(path, read_json)
    try:
        known = contents(found).quantities
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    for key, value in found.items():
        split, _, name = key.rpartition("/")
        quantity = known.get(key) or known.get(name)
        if quantity is not None and quantity.key(split) == key and value is not None and not is_number(value):
            raise DataError(f"{path}: {key} is {shown(value)}, expected a finite number")
        if key not in KEYS and isinstance(value, dict | list):
            raise DataError(f"{path}: {key} is {shown(value)}, expected a number or text")
    return found


def read_choices(path: Path) -> dict[str, str]:
    """The options chosen in each group, from ``.hydra/hydra.yaml``, without Hydra's own."""
    found: Any = read_mapping(path, read_yaml)
    for key in ("hydra", "runtime", "choices"):
        found = found.get(key)
        if not isinstance(found, dict):
            raise DataError(f"{path}: expected a table under hydra.runtime.choices, came {kind(found)} as {key}")
    chosen = ((str(k), str(v)) for k, v in found.items() if v is not None and not str(k).startswith("hydra/"))
    return {visible(key): visible(option) for key, option in chosen}  # names, which nothing else may turn round


def read_overrides(path: Path) -> tuple[str, ...]:
    found = checked(path, lambda: read_yaml(path))
    if found is not None and (not isinstance(found, list) or any(isinstance(item, dict | list) for item in found)):
        raise DataError(f"{path}: expected a list of overrides, came {kind(found)}")
    return tuple(currently(str(item)) for item in found or ())


def read_lines(path: Path, cut: bool = False) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file, one a line.

    Args:
        path: of the file.
        cut: pass over a last line that a killed process left unfinished.

    Raises:
        DataError: with file and line.
    """
    lines = read_text(path, LARGEST).split("\n")
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            if cut and number == len(lines):
                return
            raise DataError(f"{path}, line {number}: not JSON ({error})") from error
        if not isinstance(found, dict):
            raise DataError(f"{path}, line {number}: expected an object, came {kind(found)}")
        yield found


def is_number(value: Any) -> bool:
    """A finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond any float
        return False


def is_count(value: Any) -> bool:
    return is_number(value) and isinstance(value, int) and value >= 0


def is_list_of(test: Callable[[Any], bool], size: int | None = None) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(test, value)) and (size is None or len(value) == size)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_counts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(map(is_list_of(is_count), value.values()))


# Of a line of translations. What an older run did not record may be absent or null.
RECORDED: dict[str, Callable[[Any], bool]] = {
    "score": is_number,
    "source_tokens": is_list_of(_is_text),
    "hypothesis_tokens": is_list_of(_is_text),
    "alignment": is_list_of(lambda item: item is None or is_count(item)),
    "counts": _are_counts,
    "loss": is_number,
    "target_tokens": is_count,
    "links": is_list_of(is_count, 4),
}


def require_item(
    path: Path,
    number: int,
    line: Mapping[str, Any],
    texts: Iterable[str],
    recorded: Mapping[str, Callable[[Any], bool]],
) -> None:
    """A line has what it should have.

    Args:
        path: of the file.
        number: of the line, from 1.
        line: what was read.
        texts: the keys that have something to be shown.
        recorded: what another key has to be where the line has it.

    Raises:
        DataError: with file, line and key.
    """
    for name in texts:
        value = line.get(name)
        if not isinstance(value, str) and (recorded or not is_number(value)):
            raise DataError(f"{path}, line {number}: {name} is {shown(value)}, expected text")
    for name, test in recorded.items():
        if line.get(name) is not None and not test(line[name]):
            raise DataError(f"{path}, line {number}: {name} is {shown(line[name])}, which it cannot be")


def require_maps(path: Path, sentences: int) -> None:
    """An archive of attention maps is whole, and of sentences that there are.

    Raises:
        DataError: with the file.
    """
    if not path.is_file():
        raise DataError(f"{path}: no ordinary file")
    with zipfile.ZipFile(path) as archive:
        if sum(part.file_size for part in archive.infolist()) > max(UNPACKED, 100 * path.stat().st_size):
            raise DataError(f"{path}: unpacks to over {UNPACKED} bytes, and more than a hundred times its size")
        if (broken := archive.testzip()) is not None:
            raise DataError(f"{path}: {broken} is damaged")
    with np.load(path, allow_pickle=False) as arrays:
        numbers = arrays["sentences"]
        if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or ((numbers < 0) | (numbers >= sentences)).any():
            raise DataError(f"{path}: expected numbers of {sentences} sentences, came {shown(numbers.tolist())}")


def kind(value: Any) -> str:
    names = {dict: "a table", list: "a list", str: "text", type(None): "nothing", bool: "true or false"}
    return names.get(type(value), "a number")


def shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
