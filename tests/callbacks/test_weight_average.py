"""callbacks=ema: what is validated, kept and tested is the exponential moving average of the weights."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

DECAY = 0.8
OVERRIDES = [
    "callbacks=ema",
    f"callbacks.weight_average.decay={DECAY}",
    "callbacks.progress=null",
    "callbacks.attention_maps=null",
    "callbacks.checkpoints.every_n_steps=3",
]


class Reference(pl.Callback):
    """The average by the textbook, e_1 = w_1 and e_t = d e_(t-1) + (1 - d) w_t, after every step."""

    def __init__(self) -> None:
        self.average: dict[int, dict[str, torch.Tensor]] = {}

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        weights = {name: tensor.detach().clone() for name, tensor in pl_module.named_parameters()}
        before = self.average.get(trainer.global_step - 1, weights)
        mixed = {name: DECAY * before[name] + (1 - DECAY) * weights[name] for name in weights}
        self.average[trainer.global_step] = mixed


class Stop(pl.Callback):
    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == 16:
            raise InterruptedError


def train(lab: Any, folder: Path, *more: pl.Callback, resume: Path | None = None) -> tuple[pl.Trainer, Any]:
    lab.run = folder
    config = lab.config(*OVERRIDES)
    trainer = lab.trainer(*lab.components(config.callbacks), *more)
    task = lab.task(*OVERRIDES)
    trainer.fit(task, task.data, ckpt_path=None if resume is None else str(resume / "checkpoints" / "last.ckpt"))
    return trainer, task


def test_the_average_is_kept_and_tested(lab: Any) -> None:
    reference = Reference()
    trainer, task = train(lab, lab.folder / "run", reference)
    best = torch.load(trainer.checkpoint_callback.best_model_path, weights_only=True)
    expected = reference.average[best["global_step"]]
    plain = best["current_model_state"]
    trainer.test(task, task.data, ckpt_path="best", verbose=False)
    for name, tensor in task.named_parameters():
        torch.testing.assert_close(tensor.detach(), expected[name])
        torch.testing.assert_close(best["state_dict"][name], expected[name])
    assert any(not torch.equal(plain[name], expected[name]) for name in expected)


def test_resume_is_bit_identical(lab: Any) -> None:
    train(lab, lab.folder / "whole")
    with pytest.raises(InterruptedError):
        train(lab, lab.folder / "first", Stop())
    train(lab, lab.folder / "rest", resume=lab.folder / "first")
    whole, rest = (
        torch.load(lab.folder / name / "checkpoints" / "last.ckpt", weights_only=True) for name in ("whole", "rest")
    )
    for part in ("state_dict", "current_model_state", "averaging_state"):
        assert whole[part].keys() == rest[part].keys()
        assert all(torch.equal(whole[part][name], rest[part][name]) for name in whole[part]), part
