"""Which library multiplies float32 on a CPU: the choice, and that it changes nothing but the time."""

import pytest
import torch
from torch.nn import functional as F

from attnlab.kernels import cpu_products
from attnlab.kernels.cpu_products import MKL, ONEDNN, ROWS, fused_attention, products_by, products_of

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def as_before():
    before = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(before)
    cpu_products.onednn_pays.cache_clear()


@pytest.fixture
def pays(monkeypatch):
    monkeypatch.setattr(cpu_products, "onednn_pays", lambda: True)


def test_the_choice_leaves_the_setting_as_it_was_and_is_made_once(monkeypatch):
    torch.set_float32_matmul_precision(MKL)
    cpu_products.onednn_pays.cache_clear()
    first = cpu_products.onednn_pays()
    assert torch.get_float32_matmul_precision() == MKL
    monkeypatch.setattr(cpu_products, "SOONER", 0.0 if not first else 1e9)
    assert cpu_products.onednn_pays() == first


@pytest.mark.parametrize(("sooner", "exact"), [(1e9, 1.0), (0.0, 0.0)])
def test_it_has_to_be_faster_and_as_exact(sooner, exact, monkeypatch):
    monkeypatch.setattr(cpu_products, "SOONER", sooner)
    monkeypatch.setattr(cpu_products, "EXACT", exact)
    cpu_products.onednn_pays.cache_clear()
    assert not cpu_products.onednn_pays()


def test_a_gpu_keeps_its_setting(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(cpu_products, "SOONER", 0.0)
    cpu_products.onednn_pays.cache_clear()
    assert not cpu_products.onednn_pays()


@pytest.mark.usefixtures("pays")
def test_few_rows_are_left_to_mkl():
    torch.set_float32_matmul_precision("highest")
    for rows, library in ((ROWS - 1, MKL), (ROWS, ONEDNN)):
        with products_of(rows, CPU):
            assert torch.get_float32_matmul_precision() == library
        assert torch.get_float32_matmul_precision() == "highest"
    with products_of(ROWS, torch.device("meta")):
        assert torch.get_float32_matmul_precision() == "highest"


def test_where_somebody_has_set_a_part_of_it_nothing_is_changed():
    matmul = torch.backends.mkldnn.matmul
    before = matmul.fp32_precision
    torch.set_float32_matmul_precision(MKL)
    try:
        matmul.fp32_precision = "ieee"
        if cpu_products.setting() is not None:
            pytest.skip("this torch says what is set all the same")
        with products_by(ONEDNN):
            assert matmul.fp32_precision == "ieee"
        assert matmul.fp32_precision == "ieee"
        cpu_products.onednn_pays.cache_clear()
        assert not cpu_products.onednn_pays()
    finally:
        matmul.fp32_precision = before
        torch.set_float32_matmul_precision(MKL)


@pytest.mark.usefixtures("pays")
@pytest.mark.parametrize("library", [MKL, ONEDNN])
@pytest.mark.parametrize("length", [15, 200])
def test_attention_is_the_same_by_either(library, length):
    own = torch.Generator().manual_seed(0)
    query, keys, values = (torch.randn(3, 4, length, 16, generator=own, dtype=torch.float64) for _ in range(3))
    mask = torch.arange(length) < torch.tensor([length, 5, 1])[:, None, None, None]
    given = [part.clone().requires_grad_() for part in (query, keys, values)]
    expected = F.scaled_dot_product_attention(*given, mask)
    expected.sum().backward()
    with products_by(library):
        own_given = [part.float().requires_grad_() for part in (query, keys, values)]
        found = fused_attention(*own_given, mask)
        found.sum().backward()
    assert torch.backends.cuda.flash_sdp_enabled()
    torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=1e-4)
    for one, other in zip(own_given, given, strict=True):
        torch.testing.assert_close(one.grad.double(), other.grad, atol=1e-4, rtol=1e-4)


def test_products_are_as_exact_by_the_library_that_was_chosen():
    """float32 has 24 bits, bfloat16 8."""
    own = torch.Generator().manual_seed(0)
    left, right = torch.randn(200, 300, generator=own), torch.randn(300, 100, generator=own)
    cpu_products.choose_library()
    wrong = (left @ right).double() - left.double() @ right.double()
    assert wrong.abs().max() < 1e-4
