"""Half precision with what the configuration has by default: a fused optimizer and clipped gradients."""

import pytest
import torch
from pytorch_lightning.callbacks import Callback

from attnlab.private.torch import reorders_bfloat16

NORM = 1e-3  # far below what the gradients have by themselves


class Norms(Callback):
    """The norm of the gradients that the optimizer sees."""

    def __init__(self):
        self.seen = []

    def on_before_zero_grad(self, trainer, pl_module, optimizer):
        grads = [p.grad for p in pl_module.parameters() if p.grad is not None]
        if grads:
            self.seen.append(float(torch.linalg.vector_norm(torch.stack([g.norm() for g in grads]))))


@pytest.mark.parametrize("attention", ["luong_general", "bahdanau"])
@pytest.mark.skipif(not reorders_bfloat16(), reason="this processor has no LSTM in bfloat16")
def test_gradients_are_clipped_and_the_loss_stays_that_of_full_precision(lab, attention):
    losses = {}
    for kind in ("32-true", "bf16-mixed"):
        norms = Norms()
        task = lab.task(f"attention={attention}", "model.dropout=0")
        assert task.make_optimizer.keywords["fused"]
        trainer = lab.trainer(norms, precision=kind, gradient_clip_val=NORM, max_epochs=1)
        trainer.fit(task, task.data)
        assert len(norms.seen) > 5
        assert all(norm == pytest.approx(NORM, rel=2e-2) for norm in norms.seen)
        losses[kind] = float(trainer.callback_metrics["val/loss"])
    assert losses["bf16-mixed"] == pytest.approx(losses["32-true"], rel=2e-2)
