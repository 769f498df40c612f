"""Half precision with what the configuration has by default: a fused optimizer and clipped gradients."""

from types import SimpleNamespace

import pytest
import torch
from pytorch_lightning.callbacks import Callback

from attnlab.callbacks import gemm_peak
from attnlab.cli.fit import warn_of_slow_precision
from attnlab.private.torch import fused_lstm

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


@pytest.mark.parametrize(
    ("precision", "half", "told"),
    [
        ("bf16-mixed", 4e9, ["bf16-mixed: this processor multiplies bfloat16 at 0.04 times the rate of float32"]),
        ("16-true", 4e9, ["16-true: this processor multiplies float16 at 0.04 times"]),
        ("bf16-mixed", 150e9, []),
        ("32-true", 4e9, []),
        ("64-true", 4e9, []),
    ],
)
def test_half_precision_that_is_slower_than_full_is_told(monkeypatch, caplog, precision, half, told):
    rates = {torch.float32: 100e9}
    monkeypatch.setattr(gemm_peak, "_rate", lambda size, device, dtype, seconds: rates.get(dtype, half))
    strategy = SimpleNamespace(root_device=torch.device("cpu"))
    warn_of_slow_precision(SimpleNamespace(strategy=strategy, precision=precision))
    assert len(caplog.messages) == len(told)
    assert all(part in line for part, line in zip(told, caplog.messages, strict=True))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_an_lstm_runs_in_half_precision_on_every_processor(dtype):
    """And is to its rounding what torch.lstm is in full precision; oneDNN refuses some types on some processors."""
    lstm = torch.nn.LSTM(8, 6, batch_first=True)
    inputs, zeros = torch.randn(3, 5, 8), torch.zeros(1, 3, 6)
    settings = (zeros, zeros), lstm.all_weights[0], True, 1, 0.0, True, False, True
    with torch.autocast("cpu", dtype):
        found = fused_lstm(inputs, *settings)
    sum(part.float().sum() for part in found).backward()
    for one, plain in zip(found, torch.lstm(inputs, *settings), strict=True):
        torch.testing.assert_close(one.float(), plain, rtol=0, atol=2e-2)
    assert all(torch.isfinite(weight.grad).all() for weight in lstm.parameters())
