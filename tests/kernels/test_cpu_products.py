"""Which library multiplies float32 on a CPU: the choice, and that it changes nothing but the time."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from attnlab.kernels import cpu_products
from attnlab.kernels.cpu_products import MKL, ONEDNN, ROWS, fused_attention, matmul, products_by, products_of

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def as_before():
    before = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(before)
    cpu_products._onednn_pays.cache_clear()


@pytest.fixture
def pays(monkeypatch):
    monkeypatch.setattr(cpu_products, "onednn_pays", lambda: True)


def test_the_choice_leaves_the_setting_as_it_was_and_is_made_once(monkeypatch):
    torch.set_float32_matmul_precision("high")
    cpu_products._onednn_pays.cache_clear()
    first = cpu_products.onednn_pays()
    assert torch.get_float32_matmul_precision() == "high"
    monkeypatch.setattr(cpu_products, "SOONER", 0.0 if not first else 1e9)
    assert cpu_products.onednn_pays() == first


@pytest.mark.parametrize(("sooner", "exact"), [(1e9, 1.0), (0.0, 0.0)])
def test_it_has_to_be_faster_and_as_exact(sooner, exact, monkeypatch):
    monkeypatch.setattr(cpu_products, "SOONER", sooner)
    monkeypatch.setattr(cpu_products, "EXACT", exact)
    cpu_products._onednn_pays.cache_clear()
    assert not cpu_products.onednn_pays()


def test_a_gpu_keeps_its_setting(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(cpu_products, "SOONER", 0.0)
    cpu_products._onednn_pays.cache_clear()
    assert not cpu_products.onednn_pays()


@pytest.mark.usefixtures("pays")
def test_few_rows_are_left_to_mkl_and_the_setting_is_put_back():
    before = matmul.fp32_precision
    for rows, library in ((ROWS - 1, MKL), (ROWS, ONEDNN)):
        with products_of(rows, CPU):
            assert matmul.fp32_precision == library
        assert matmul.fp32_precision == before
    with products_of(ROWS, torch.device("meta")):
        assert matmul.fp32_precision == before


@pytest.mark.usefixtures("pays")
def test_other_threads_leave_the_setting_alone():
    """It is the process's."""

    def seen():
        with products_of(ROWS, CPU):
            return matmul.fp32_precision

    with ThreadPoolExecutor(1) as worker:
        assert worker.submit(seen).result() == matmul.fp32_precision


@pytest.mark.usefixtures("pays")
def test_a_kernel_that_somebody_asks_for_is_taken():
    query = torch.randn(1, 1, 4, 16)
    with products_by(ONEDNN), sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        assert fused_attention(query, query, query).shape == query.shape


def test_where_torch_is_told_otherwise_it_is_tried_all_the_same():
    """Half precision around it, other usual types."""
    expected = cpu_products.onednn_pays()
    for usual in (torch.autocast("cpu", torch.bfloat16), torch.device("meta")):
        cpu_products._onednn_pays.cache_clear()
        with usual:
            assert cpu_products.onednn_pays() == expected


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
