"""Checkpoints that survive a kill: a file is written beside its target, forced to disk, then renamed.

Lightning's own writer passes through ``$TMPDIR`` and a move, which is a copy, and no longer atomic, where
that is another file system.
"""

from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO

from attnlab.callbacks.atomic import replacing


class AtomicCheckpointIO(TorchCheckpointIO):
    """Save atomically to a local path; load and remove as Lightning does."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        if storage_options is not None:
            raise TypeError(f"AtomicCheckpointIO takes no storage_options, got {storage_options!r}")
        with replacing(Path(path)) as temporary:
            torch.save(checkpoint, temporary)
