"""Checkpoints that survive a kill: a file is written beside its target, forced to disk, then renamed.

Lightning's own writer passes through ``$TMPDIR`` and a move, which is a copy, and no longer atomic, where
that is another file system.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO

from attnlab.atomic import replacing
from attnlab.callbacks.checkpoint_files import BEFORE, LAST, damage, read, write


class AtomicCheckpointIO(TorchCheckpointIO):
    """Save atomically to a local path, keep the ``last.ckpt`` before as ``last-1.ckpt``, load what is whole."""

    def __init__(self) -> None:
        self._written: set[Path] = set()  # by this object, and so known to be whole

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        if storage_options is not None:
            raise TypeError(f"AtomicCheckpointIO takes no storage_options, got {storage_options!r}")
        path = Path(path)
        with replacing(path) as temporary:
            write(checkpoint, temporary)
            if path.name == LAST and path.is_file() and (path in self._written or damage(path) is None):
                keep(path, path.with_name(BEFORE))
        self._written.add(path)

    def load_checkpoint(
        self, path: str | Path, map_location: Any = "cpu", weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Only tensors and plain values, whatever ``weights_only`` says.

        Raises:
            DataError: no checkpoint, or damaged, and none before it to take in its place.
        """
        return read(Path(path), map_location)


def keep(path: Path, name: Path) -> None:
    """Give a file a second name, which stays with this content when the first one is replaced. Costs no copy.

    One that has it already is left alone: renaming to another name of the same file does nothing, by POSIX.
    """
    if name.is_file() and name.samefile(path):
        return
    with replacing(name) as temporary:
        try:
            os.link(path, temporary)
        except OSError:  # a file system without hard links
            shutil.copyfile(path, temporary)
