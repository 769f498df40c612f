"""Products with a weight laid out once against plain ones."""

import pytest
import torch

from attnlab.kernels.products import Product, gathered


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("rows", [1, 7, 80])
def test_product(dtype, transposed, rows):
    weight, x = torch.randn(24, 40).to(dtype), torch.randn(rows, 60).to(dtype)[:, 20:]
    addend = torch.randn(rows, 24, dtype=torch.promote_types(dtype, torch.float32))
    laid_out = weight.t().contiguous().t() if transposed else weight
    product = Product(laid_out, 80, addend.dtype)
    expected = x.double() @ weight.double().t()
    tolerance = {torch.float64: 1e-12, torch.float32: 1e-4, torch.bfloat16: 0.2}[dtype]
    torch.testing.assert_close(product(x).double(), expected, atol=tolerance, rtol=0)
    kept = addend.clone()
    torch.testing.assert_close(product(x, addend).double(), expected + addend.double(), atol=tolerance, rtol=0)
    assert product(x, addend).dtype == addend.dtype
    assert addend.equal(kept)


def test_gathered_is_the_sum_over_steps():
    grads, inputs = torch.randn(5, 3, 4, dtype=torch.float64), torch.randn(5, 3, 2, dtype=torch.float64)
    expected = sum(torch.outer(grads[t, n], inputs[t, n]) for t in range(5) for n in range(3))
    torch.testing.assert_close(gathered(grads, inputs), expected)
    wide = torch.zeros(4, 5, dtype=torch.float64)
    gathered(grads, inputs, out=wide[:, 1:3])
    torch.testing.assert_close(wide[:, 1:3], expected)
    assert not wide[:, [0, 3, 4]].any()
