"""Code in C: where it is to be had, and what happens where it is not."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from attnlab.kernels.native import library as native
from attnlab.kernels.native.choosing import best_of, log_softmax_
from attnlab.kernels.native.product import Product

pytestmark = pytest.mark.skipif(native.library() is None, reason="no compiler here, or another processor")


@pytest.fixture
def anew(monkeypatch, tmp_path):
    """Looked for as by a new process, with an empty cache."""
    monkeypatch.setenv("ATTNLAB_CACHE", str(tmp_path))
    native.library.cache_clear()
    yield native.library
    native.library.cache_clear()


def test_it_is_compiled_once(anew, tmp_path, monkeypatch):
    assert anew() is not None
    (kept,) = (tmp_path / "native").iterdir()
    assert kept.suffix == ".so"
    before = kept.stat().st_mtime_ns
    anew.cache_clear()
    assert anew() is not None
    assert kept.stat().st_mtime_ns == before
    monkeypatch.setattr(native, "FLAGS", (*native.FLAGS, "-O2"))  # made of something else
    anew.cache_clear()
    assert anew() is not None
    assert len(list((tmp_path / "native").iterdir())) == 2


@pytest.mark.parametrize(
    "kind",
    [
        "none",
        "not found",
        "no words",
        "half of a word",
        "no home",
        "of others",
        "fails",
        "no place",
        "off",
        "another machine",
    ],
)
def test_torch_does_the_same_where_there_is_none(anew, kind, monkeypatch, tmp_path):
    if kind == "none":
        monkeypatch.setenv("PATH", str(tmp_path))
    elif kind == "not found":
        monkeypatch.setenv("CC", "no-such-compiler")
    elif kind == "no words":
        monkeypatch.setenv("CC", "gcc '")
    elif kind == "half of a word":
        monkeypatch.setenv("CC", "-")
    elif kind == "no home":
        monkeypatch.delenv("ATTNLAB_CACHE")
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.setattr(Path, "home", lambda: 1 / 0)
    elif kind == "of others":
        (tmp_path / "native").mkdir()
        (tmp_path / "native").chmod(0o777)
    elif kind == "fails":
        monkeypatch.setattr(native, "FLAGS", ("--no-such-flag",))
    elif kind == "no place":
        (tmp_path / "native").write_text("in the way", "utf-8")
    elif kind == "off":
        monkeypatch.setenv("ATTNLAB_NATIVE", "0")
    else:
        monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert anew() is None
    with torch.inference_mode():
        assert best_of(torch.zeros(1, 3), 1, None) is None
        assert Product.of(torch.zeros(3, 3)) is None


def test_a_compiler_with_words_of_its_own(anew, monkeypatch):
    monkeypatch.setenv("CC", "env cc")
    assert anew() is not None


def test_one_that_computes_something_else_is_not_used(anew, monkeypatch, tmp_path):
    wrong = tmp_path / "wrong.c"
    wrong.write_text(native.SOURCE.read_text("utf-8").replace("y += bias;", "y += bias + 1;"), "utf-8")
    monkeypatch.setattr(native, "SOURCE", wrong)
    assert anew() is None


def test_it_is_used_in_inference_alone():
    """FLOPs are counted without gradients, by what torch is asked for."""
    with torch.no_grad():
        assert native.code() is None
    with torch.inference_mode():
        assert native.code() is not None


@pytest.mark.parametrize("width", ["-march=haswell", "-march=x86-64"])
def test_narrower_registers_do_as_well(anew, width, monkeypatch):
    """Another number of columns and rows at a time."""
    wide = anew().attnlab_columns()
    monkeypatch.setattr(native, "FLAGS", tuple(width if flag == "-march=native" else flag for flag in native.FLAGS))
    anew.cache_clear()
    narrow = anew()
    assert narrow.attnlab_columns() <= wide
    with torch.inference_mode():
        weight, bias, x = torch.randn(37, 50), torch.randn(37), torch.randn(23, 50)
        torch.testing.assert_close(
            Product.of(weight).biased(x, bias), torch.addmm(bias, x, weight.t()), atol=1e-4, rtol=0
        )


@pytest.mark.parametrize("rows", [1, 3, 7, 8, 64, 300])
@pytest.mark.parametrize(("out", "inside"), [(1, 1), (16, 16), (31, 5), (32, 40), (33, 128), (100, 24)])
def test_a_product(rows, out, inside):
    torch.manual_seed(rows)
    weight, bias = torch.randn(out, inside), torch.randn(out)
    x, addend = torch.randn(rows, inside + 3)[:, 2:-1], torch.randn(rows, out)
    expected = x.double() @ weight.double().t()
    with torch.inference_mode():
        product, kept = Product.of(weight), addend.clone()
        torch.testing.assert_close(product.biased(x, None).double(), expected, atol=1e-4, rtol=0)
        torch.testing.assert_close(product.biased(x, bias).double(), expected + bias, atol=1e-4, rtol=0)
        torch.testing.assert_close(product(x, addend).double(), expected + addend, atol=1e-4, rtol=0)
        assert addend.equal(kept)
        torch.testing.assert_close(product.onto(kept, x, bias).double(), expected + addend + bias, atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", [1, 5, 16, 100, 6000])
def test_log_softmax(size):
    torch.manual_seed(size)
    logits = torch.randn(9, size) * 10
    logits[1] += 1000
    logits[2] *= 30  # what is far below the highest is as good as nothing
    logits[3, 1:] = -torch.inf
    expected = logits.double().log_softmax(-1)
    with torch.inference_mode():
        found = log_softmax_(logits)
        assert found is logits
    torch.testing.assert_close(found[:3].double(), expected[:3], atol=1e-4, rtol=1e-6)
    torch.testing.assert_close(found[3].double(), expected[3], atol=1e-5, rtol=1e-6)
    torch.testing.assert_close(found[4:].double(), expected[4:], atol=1e-5, rtol=1e-6)


def test_what_is_no_number_stays_none():
    logits = torch.zeros(2, 50)
    logits[1, 3] = torch.nan
    with torch.inference_mode():
        found = log_softmax_(logits)
    assert found[0].isfinite().all()
    assert found[1].isnan().all()


def test_operands_that_do_not_fit_are_refused():
    with torch.inference_mode():
        product = Product.of(torch.randn(96, 64))
        for x, to in (
            (torch.randn(3, 32), None),
            (torch.randn(3, 64), torch.randn(3, 95)),
            (torch.randn(3, 64).double(), None),
        ):
            with pytest.raises(ValueError, match="do not fit"):
                product.biased(x, None) if to is None else product.onto(to, x, None)
        with pytest.raises(ValueError, match="do not fit"):
            product.biased(torch.randn(3, 64), torch.randn(96).double())
        strided = torch.randn(192)[::2]
        assert product.biased(torch.zeros(3, 64), strided).equal(strided.expand(3, -1))


def test_other_processes_start_with_what_is_there(anew, tmp_path):
    assert anew() is not None
    asked = "from attnlab.kernels.native.library import library; assert library() is not None"
    subprocess.run([sys.executable, "-c", asked], check=True, timeout=120)
    assert len(list((tmp_path / "native").iterdir())) == 1
