"""Checkpoint files whose damage is noticed: each carries a checksum of itself.

A checkpoint is the zip file that ``torch.save`` writes, with one comment at its end, which readers of zip files pass
over: ``sha256:`` and the digest of all that comes before the comment. In the same file, so that the two are replaced
together. Files of earlier versions have no comment and are taken as they are.
"""

import hashlib
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from attnlab.errors import DataError

BEST, LAST, BEFORE = "best.ckpt", "last.ckpt", "last-1.ckpt"
TAG = b"sha256:"
COMMENT = len(TAG) + hashlib.sha256().digest_size
END = 22  #: bytes of a zip file's end record, whose last two are the length of the comment
START, FINISH = b"PK\x03\x04", b"PK\x05\x06"  #: of the first part, of the end record


def write(content: dict[str, Any], path: Path) -> None:
    """Save a checkpoint with its checksum."""
    with path.open("wb+") as file:  # not by its path: then it tells of what the system said
        torch.save(content, file)
        file.seek(-2, 2)
        file.write(COMMENT.to_bytes(2, "little"))
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").digest()
        file.seek(0, 2)
        file.write(TAG + digest)


def damage(path: Path) -> str | None:
    """What is wrong with a checkpoint file; None where it is whole."""
    size = path.stat().st_size
    if size == 0:
        return "it is empty"
    with path.open("rb") as file:
        if file.read(len(START)) != START:
            return "it does not begin as a checkpoint does"
        file.seek(max(0, size - COMMENT))
        comment = file.read()
        if not comment.startswith(TAG) and (comment[-END : -END + 4], comment[-2:]) != (FINISH, bytes(2)):
            return "it does not end as a checkpoint does"
        if comment.startswith(TAG):
            return None if comment[len(TAG) :] == _digest(path, size - COMMENT) else "its checksum is another one"
    try:  # without a checksum of the whole, by an earlier version: zip files have one of each part
        with zipfile.ZipFile(path) as parts:
            part = parts.testzip()
            return None if part is None else f"the checksum of its part {part} is another one"
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        return f"it is cut short or overwritten ({error})"


def read(path: Path, map_location: Any = "cpu") -> dict[str, Any]:
    """Load a checkpoint that is whole: :func:`load` of :func:`whole`."""
    return load(whole(path), map_location)


def whole(path: Path) -> Path:
    """The file to load: ``path``; for a last checkpoint that is damaged the one before it, with a warning.

    Raises:
        DataError: it is damaged, and nothing can take its place.
    """
    fault = damage(path)
    if fault is None:
        return path
    others = [name for name in (BEFORE, LAST, BEST) if name != path.name]
    left = [name for name in others if (file := path.with_name(name)).is_file() and damage(file) is None]
    if path.name == LAST and BEFORE in left:
        warnings.warn(f"{path} is damaged ({fault}): going on from {BEFORE}, the one before it", stacklevel=2)
        return path.with_name(BEFORE)
    advice = f"whole in that folder: {', '.join(left)}" if left else "nothing in its place: train again"
    raise DataError(f"{path}: no checkpoint that is whole ({fault}); {advice}")


def load(path: Path, map_location: Any = "cpu") -> dict[str, Any]:
    """Load a checkpoint without looking for damage; nothing in it is executed, whatever torch is told to do.

    Raises:
        DataError: it is none, or is made of more than tensors and plain values.
    """
    try:
        require_unpacked(path)
        content = torch.load(path, map_location=map_location, weights_only=True)
    except DataError:
        raise
    except Exception as error:  # of many kinds: whatever an unpickler makes of other people's bytes
        code = "Weights only load failed" in str(error) and "GLOBAL" in str(error)
        why = "it names code, which is not run" if code else type(error).__name__
        raise DataError(f"{path}: no checkpoint of tensors and plain values ({why})") from error
    state = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise DataError(f"{path}: no checkpoint of a training, it has no tensors under state_dict")
    for name, value in state.items():
        if not isinstance(name, str):
            raise DataError(f"{path}: a tensor under state_dict is called {name!r}, expected text")
        there = value.layout is torch.strided and not value.is_quantized and not value.is_meta
        if not there or value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise DataError(f"{path}: {name!r} is no plain tensor whose numbers are all in the file")
    return dict(content)


def require_unpacked(path: Path) -> None:
    """See that a file is as large as what is in it: ``torch.save`` compresses nothing, and a bomb does.

    Raises:
        DataError: a part of it is compressed.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as parts:
            if any(part.compress_type != zipfile.ZIP_STORED for part in parts.infolist()):
                raise DataError(f"{path}: its parts are compressed, which those of a checkpoint are not")


def _digest(path: Path, size: int) -> bytes:
    """Of the first ``size`` bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while size > 0 and (block := file.read(min(size, 2**20))):
            digest.update(block)
            size -= len(block)
    return digest.digest()
