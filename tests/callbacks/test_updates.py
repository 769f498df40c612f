"""Updates of the real task under Lightning: each is one on all its batches together, clipping and coverage included."""

import pytest
import torch

from attnlab.tasks.translation.coverage import coverage_loss

COVERAGE, RATE = 0.7, 0.1
OPTIONS = (
    "model.dropout=0",
    "optimizer=sgd",
    f"optimizer.lr={RATE}",
    "scheduler=constant",
    f"task.coverage_loss={COVERAGE}",
)


def by_hand(task, windows, limit, by_value):
    """SGD in plain loops on the sum of a window's sums over all its tokens."""
    model, told = task.model, []
    parameters = list(model.parameters())
    for window in windows:
        total, cover, tokens = 0.0, 0.0, 0
        for batch in window:
            decoded = model(batch)
            total = total + model.loss(batch, decoded).total
            cover = cover + coverage_loss(decoded.weights, batch.target_mask)
            tokens += int(batch.target_mask.sum())
        gradients = torch.autograd.grad((total + COVERAGE * cover) / tokens, parameters)
        norm = sum(float((gradient**2).sum()) for gradient in gradients) ** 0.5
        share = 1.0 if by_value or not limit else min(1.0, limit / (norm + 1e-6))
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.sub_(RATE * (gradient.clamp(-limit, limit) if by_value else share * gradient))
        told.append(float(total.detach()) / tokens)
    return told


@pytest.mark.parametrize(
    ("options", "sizes"),
    [
        ({"accumulate_grad_batches": 4}, [4, 4, 2]),
        ({"accumulate_grad_batches": 4, "gradient_clip_val": None}, [4, 4, 2]),
        ({"accumulate_grad_batches": 3, "gradient_clip_val": 0.01, "gradient_clip_algorithm": "value"}, [3, 3, 3, 1]),
        ({"accumulate_grad_batches": 5, "limit_train_batches": 7}, [5, 2]),
        ({"accumulate_grad_batches": 4, "max_steps": 2}, [4, 4]),
        ({"accumulate_grad_batches": 20}, [10]),
        ({"accumulate_grad_batches": 1, "limit_train_batches": 3}, [1, 1, 1]),
    ],
)
def test_an_update_is_one_on_all_its_batches(lab, options, sizes):
    settings = {"max_epochs": 1, "precision": "64-true", "gradient_clip_val": 0.5, "limit_val_batches": 0, **options}
    task, twin = lab.task(*OPTIONS), lab.task(*OPTIONS).double()
    batches = list(twin.data.train_dataloader())
    trainer = lab.trainer(log_every_n_steps=1, **settings)
    trainer.fit(task, task.data)
    assert trainer.global_step == len(sizes)
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    windows = [batches[start : start + size] for start, size in zip(starts, sizes, strict=True)]
    losses = by_hand(twin, windows, settings["gradient_clip_val"], "gradient_clip_algorithm" in options)
    for (name, got), expected in zip(task.named_parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-12, msg=name)
    assert float(trainer.callback_metrics["train/loss"]) == pytest.approx(losses[-1], rel=1e-6)
