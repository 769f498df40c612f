"""Exact resume: a training continued from a checkpoint draws the same random numbers as one never stopped."""

import random
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.utilities import rank_zero_warn

State = dict[str, Any]


class RandomState(Callback):
    """Save the states of the random generators with every checkpoint, restore them before the first batch.

    "Before the first batch" and no earlier: building loaders and workers draws numbers, and does so once more
    in a resumed process. Each process of a distributed training has a state of its own. Together with a
    loader that knows its position, parameters after a resume are bit-identical (CPU and CUDA generators).
    """

    def __init__(self) -> None:
        self._pending: State | None = None
        self._loaders: list[State] = []

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint["random_states"] = gather(capture())

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if trainer.state.fn != "fit":  # the checkpoint is loaded to be tested
            return
        self._loaders = checkpoint["loops"]["fit_loop"]["state_dict"].get("combined_loader", [])
        states: list[State] = checkpoint.get("random_states", [])
        if len(states) == trainer.world_size:
            self._pending = states[trainer.global_rank]
        else:
            rank_zero_warn(
                f"the checkpoint has random states of {len(states)} processes, and there are "
                f"{trainer.world_size}: training goes on with fresh random numbers"
            )

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Tell the loader where it was: Lightning forgets to if it had to build it early, to count the updates."""
        if self._loaders:
            (state,) = self._loaders
            trainer.train_dataloader.load_state_dict(state)  # type: ignore[union-attr]
            self._loaders = []

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._restore()

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Without a batch where training was over already: what is drawn in the test follows on it as ever."""
        self._restore()

    def _restore(self) -> None:
        if self._pending is not None:
            restore(self._pending)
            self._pending = None


def capture() -> State:
    """The states of all generators as tensors and plain values, which ``weights_only`` loading reads."""
    _, keys, position, has_gauss, cached = np.random.get_state(legacy=True)  # noqa: NPY002 - the global generator
    version, words, gauss = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": {
            "keys": torch.tensor(np.asarray(keys, dtype=np.int64)),
            "rest": [int(position), int(has_gauss), float(cached)],
        },
        "python": {"version": version, "words": torch.tensor(words, dtype=torch.int64), "gauss": gauss},
    }


def restore(state: State) -> None:
    torch.set_rng_state(state["torch"].cpu())
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([device.cpu() for device in state["cuda"]])
    keys = state["numpy"]["keys"].cpu().numpy().astype(np.uint32)
    np.random.set_state(("MT19937", keys, *state["numpy"]["rest"]))  # noqa: NPY002
    python = state["python"]
    random.setstate((python["version"], tuple(python["words"].tolist()), python["gauss"]))


def gather(state: State) -> list[State]:
    """The states of all processes, by rank; every process saves a checkpoint at the same time."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return [state]
    states: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(states, state)
    return states
