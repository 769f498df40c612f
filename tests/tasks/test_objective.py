"""An update is made with the gradient of the mean over its units, however they are split; against plain loops."""

import pytest
import torch

from attnlab.tasks.objective import Summed, UnitMean

SIZES = [4, 26, 1, 13, 7]


@pytest.fixture
def batches():
    torch.manual_seed(3)
    return [torch.randn(size, 3, dtype=torch.float64) for size in SIZES]


def summed(weight, rows, extra=0.5):
    """A sum that is not linear in the weight, so that no factor can hide in it."""
    losses = (rows @ weight).exp()
    return Summed(losses.sum() + extra * (rows @ weight).sin().sum(), len(rows), {"loss": losses.sum()})


@pytest.mark.parametrize("accumulated", [1, 2, 3, 5, 8])
def test_gradient_and_loss_are_those_of_the_union(batches, accumulated):
    mean = UnitMean()
    weight = torch.randn(3, dtype=torch.float64, requires_grad=True)
    for first in range(0, len(batches), accumulated):
        window = batches[first : first + accumulated]  # the last one may be short
        weight.grad = None
        for rows in window:
            (mean.add(summed(weight, rows), accumulated) / accumulated).backward()  # as Lightning does
        told = mean.close([weight.grad], accumulated)
        union = summed(weight, torch.cat(window))
        (expected,) = torch.autograd.grad(union.objective / union.units, [weight])
        torch.testing.assert_close(weight.grad, expected, rtol=1e-13, atol=0)
        assert told.keys() == {"loss"}
        assert float(told["loss"]) == pytest.approx(float(union.told["loss"].detach()) / union.units, rel=1e-13)


def test_one_batch_is_its_mean_and_its_gradient_is_left_alone(batches):
    """A training in one process without accumulation stays what it was, to the last bit."""
    mean, weight = UnitMean(), torch.randn(3, dtype=torch.float64, requires_grad=True)
    batch = summed(weight, batches[0])
    part = mean.add(batch, 1)
    assert torch.equal(part, batch.objective / 4)
    part.backward()
    before, version = weight.grad.clone(), weight.grad._version
    mean.close([weight.grad], 1)
    assert torch.equal(weight.grad, before)
    assert weight.grad._version == version, "a pass over the gradients that nothing asked for"


def process(rank, folder, shares, accumulated):
    """One of several: gradients are averaged at the last batch, as DDP does."""
    torch.set_num_threads(1)
    meeting = f"file://{folder}/meeting-{accumulated}"
    torch.distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=len(shares))
    weight = torch.tensor([0.3, -0.2, 0.5], dtype=torch.float64, requires_grad=True)
    mean = UnitMean()
    for rows in shares[rank]:
        (mean.add(summed(weight, rows), accumulated) / accumulated).backward()
    torch.distributed.all_reduce(weight.grad)
    weight.grad /= len(shares)
    told = mean.close([weight.grad], accumulated)
    torch.save((weight.grad, told), f"{folder}/{accumulated}-{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("accumulated", [1, 2])
def test_processes_of_unequal_counts_and_one_without_any(batches, accumulated, tmp_path):
    """The third process has a batch without weight; its units are 0, and so is all that it tells."""
    none = torch.zeros(0, 3, dtype=torch.float64)
    shares = [[batches[0], batches[1]], [batches[2], batches[3]], [none, batches[4]]]
    shares = [share[:accumulated] for share in shares]
    torch.multiprocessing.start_processes(process, (str(tmp_path), shares, accumulated), nprocs=3, start_method="fork")
    weight = torch.tensor([0.3, -0.2, 0.5], dtype=torch.float64, requires_grad=True)
    union = summed(weight, torch.cat([rows for share in shares for rows in share]))
    (expected,) = torch.autograd.grad(union.objective / union.units, [weight])
    for rank in range(3):
        gradient, told = torch.load(tmp_path / f"{accumulated}-{rank}.pt")
        torch.testing.assert_close(gradient, expected, rtol=1e-13, atol=0)
        assert float(told["loss"]) == pytest.approx(float(union.told["loss"].detach()) / union.units, rel=1e-6)
