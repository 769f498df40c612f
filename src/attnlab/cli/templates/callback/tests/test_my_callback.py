"""My callback: what it notes, by hand, its picture, and what a checkpoint keeps of it."""

from types import SimpleNamespace

import pytest
import torch
from my_callback import MyCallback

TRAINER = SimpleNamespace(loggers=[])


def noted(path, *gradients):
    made, model = MyCallback(str(path)), torch.nn.Linear(2, 1, bias=False)
    for gradient in gradients:
        model.weight.grad = torch.tensor([gradient])
        made.on_before_optimizer_step(TRAINER, model, None)
    made.on_train_epoch_end(TRAINER, model)
    return made


def test_its_numbers_and_its_picture(tmp_path):
    made = noted(tmp_path / "norms.png", [3.0, 4.0], [0.0, -2.0])
    assert made.norms == pytest.approx([5.0, 2.0])
    assert (tmp_path / "norms.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_that_goes_on_has_them_all(tmp_path):
    again = MyCallback("")
    again.load_state_dict(noted(tmp_path / "norms.png", [3.0, 4.0]).state_dict())
    assert again.norms == pytest.approx([5.0])
