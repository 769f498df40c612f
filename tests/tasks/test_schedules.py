import pytest
import torch

from attnlab.tasks import schedules
from attnlab.types import ConfigError


def rates(make, steps, lr=1.0):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    schedule, seen = make(optimizer), []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return seen


def test_luong_halves_after_five_full_epochs():
    assert rates(lambda o: schedules.luong_halving(o, 5), 8) == [1, 1, 1, 1, 1, 0.5, 0.25, 0.125]


def test_noam_is_equation_3():
    got = rates(lambda o: schedules.noam(o, model_dim=512, warmup=10), 30)
    assert got == pytest.approx([512**-0.5 * min(i**-0.5, i * 10**-1.5) for i in range(1, 31)])


def test_warmups():
    got = rates(lambda o: schedules.warmup_inverse_sqrt(o, 4), 16, lr=0.1)
    assert got[:4] == pytest.approx([0.025, 0.05, 0.075, 0.1])
    assert got[15] == pytest.approx(0.05)
    got = rates(lambda o: schedules.warmup_linear(o, total=10, warmup=2), 11, lr=0.1)
    assert got[:2] == pytest.approx([0.05, 0.1])
    assert got[6] == pytest.approx(0.05)
    assert got[10] == 0
    got = rates(lambda o: schedules.cosine(o, total=10, warmup=2), 11, lr=0.1)
    assert got[:2] == pytest.approx([0.05, 0.1])
    assert got[6] == pytest.approx(0.05)
    assert got[10] == 0
    model = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(model, T_max=8)
    for step in range(2, 10):
        assert got[step] == pytest.approx(theirs.get_last_lr()[0])
        model.step()
        theirs.step()


def test_configuration_for_lightning():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    assert schedules.Schedule().configure(optimizer, 100) == {"optimizer": optimizer}
    made = schedules.Schedule(schedules.luong_halving, "epoch", "val/loss").configure(optimizer, 100)
    assert made["lr_scheduler"]["interval"] == "epoch"
    assert made["lr_scheduler"]["monitor"] == "val/loss"


def test_a_schedule_that_spans_the_training_ends_with_it():
    spanning = schedules.Schedule(schedules.warmup_linear, spans_training=True)
    seen = rates(lambda o: spanning.configure(o, 200.0)["lr_scheduler"]["scheduler"], 201)
    assert seen[99] == pytest.approx(1.0)
    assert seen[150] == pytest.approx(0.5)
    assert seen[200] == 0
    with pytest.raises(ConfigError, match="max_epochs"):
        spanning.configure(torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0), float("inf"))
