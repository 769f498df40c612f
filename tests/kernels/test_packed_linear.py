"""A layer laid out once, against the layer."""

import pytest
import torch
from torch import nn

from attnlab.kernels import packed_linear
from attnlab.kernels.native import product as native
from attnlab.kernels.native.library import library
from attnlab.kernels.packed_linear import HalfLinear, PackedLinear


@pytest.fixture(autouse=True, params=["oneDNN", "compiled"])
def any_size_is_laid_out(request, monkeypatch):
    monkeypatch.setattr(packed_linear, "LARGE", 0)
    if request.param == "oneDNN":
        monkeypatch.setattr(native.Product, "of", lambda weight: None)
    elif library() is None:
        pytest.skip("no compiler here, or another processor")


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [1, 7, 64, 300])
def test_equals_the_layer_for_any_number_of_rows(rows, bias):
    torch.manual_seed(rows)
    layer, inputs = nn.Linear(24, 50, bias=bias), torch.randn(rows, 24)
    with torch.inference_mode():
        packed = PackedLinear(layer.weight, layer.bias)
        assert packed.packed is not None
        torch.testing.assert_close(packed(inputs), layer(inputs))
        total = torch.randn(rows, 50)
        torch.testing.assert_close(packed.added(inputs, total), total + inputs @ layer.weight.t())
        torch.testing.assert_close(packed.onto(total.clone(), inputs), total + layer(inputs))


@torch.inference_mode()
def test_a_small_weight_is_taken_as_it_is(monkeypatch):
    monkeypatch.setattr(packed_linear, "LARGE", 24 * 50 + 1)
    monkeypatch.setattr(native.Product, "of", lambda weight: None)
    layer, inputs, total = nn.Linear(24, 50), torch.randn(7, 24), torch.randn(7, 50)
    small = PackedLinear(layer.weight, layer.bias)
    assert small.packed is None
    torch.testing.assert_close(small(inputs), layer(inputs))
    torch.testing.assert_close(small.onto(total.clone(), inputs), total + layer(inputs))


def test_other_precisions_and_gradients_take_the_layer_itself():
    layer = nn.Linear(4, 3)
    inputs = torch.randn(2, 4, requires_grad=True)
    with torch.inference_mode():
        packed = PackedLinear(layer.weight, layer.bias)
        with torch.autocast("cpu", torch.bfloat16):
            assert packed(inputs.bfloat16()).dtype == torch.bfloat16
            assert PackedLinear(layer.weight, layer.bias).packed is None
    packed(inputs).sum().backward()
    torch.testing.assert_close(inputs.grad, layer.weight.detach().sum(0).expand(2, 4))
    double = nn.Linear(4, 3).double()
    with torch.inference_mode():
        torch.testing.assert_close(PackedLinear(double.weight, double.bias)(inputs.double()), double(inputs.double()))


def test_a_changed_weight_wants_a_new_layout():
    layer, inputs = nn.Linear(4, 3), torch.randn(2, 4)
    with torch.no_grad():
        before = PackedLinear(layer.weight, layer.bias)(inputs)
        layer.weight.mul_(2)
        layer.bias.mul_(2)
        torch.testing.assert_close(PackedLinear(layer.weight, layer.bias)(inputs), 2 * before)


@torch.inference_mode()
def test_half_rounds_the_operands_and_the_result_and_sums_in_float32():
    torch.manual_seed(0)
    layer, inputs = nn.Linear(300, 40), torch.randn(9, 300)
    operands = inputs.bfloat16().double() @ layer.weight.bfloat16().double().t()
    found = HalfLinear(layer.weight, layer.bias)(inputs)
    assert found.dtype == torch.float32
    # The sum is right but for its last bit in bfloat16; a sum of 300 in bfloat16 would be off by far more.
    torch.testing.assert_close((found - layer.bias).double(), operands, rtol=2**-7, atol=1e-3)
