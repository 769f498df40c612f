"""The rate of matrix products, and the file that keeps the best one."""

import errno
import json
import time
from pathlib import Path

import pytest
import torch

from attnlab.callbacks import gemm_peak
from attnlab.callbacks.gemm_peak import measure, peak

CPU = torch.device("cpu")


def test_the_fastest_product_tells_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = [0.0, 0.0, 1.0, 1.004, 2.0, 2.002, 3.0, 3.008, 9.0, 9.5]  # until; then start and end of each product
    monkeypatch.setattr(gemm_peak, "SIZES", {"cpu": (50,)})
    monkeypatch.setattr(gemm_peak.time, "perf_counter", iter(ticks).__next__)
    assert measure(CPU, torch.float32, seconds=3.005) == pytest.approx(2 * 50**3 / 0.002)


def test_a_short_training_is_measured_shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    monkeypatch.setattr(gemm_peak, "_rate", lambda size, *_: tried.append(size) or 1.0)
    measure(CPU, torch.float32, seconds=0.0)
    assert tried == [512]
    measure(CPU, torch.float32, seconds=60.0)
    assert tried == [512, 512, 1024, 2048]
    asked: list[float] = []
    monkeypatch.setattr(gemm_peak, "measure", lambda device, dtype, seconds: asked.append(seconds) or 1.0)
    peak(CPU, torch.float32, None, trained=1.0)
    peak(CPU, torch.float32, None)
    assert asked == [gemm_peak.SHARE, gemm_peak.SECONDS]


def test_takes_little_time() -> None:
    start = time.process_time()
    measure(CPU, torch.float32, seconds=0.05)
    assert time.process_time() - start < 1.0  # one product of the largest size at least, on a slow machine


def test_the_best_of_all_runs_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = iter([3e9, 5e9, 4e9])
    monkeypatch.setattr(gemm_peak, "measure", lambda device, dtype, seconds: next(rates))
    assert [peak(CPU, torch.float32, tmp_path / "new") for _ in range(3)] == [3e9, 5e9, 5e9]
    assert list(json.loads((tmp_path / "new" / "gemm_peak.json").read_text()).values()) == [5e9]


def test_other_settings_have_peaks_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gemm_peak, "measure", lambda device, dtype, seconds: 9e9 if dtype == torch.float32 else 2e9)
    assert peak(CPU, torch.float32, tmp_path) == 9e9
    assert peak(CPU, torch.bfloat16, tmp_path) == 2e9


@pytest.mark.parametrize("content", ["{", "[]", '{"x": "y"}', "[" * 100_000])
def test_a_damaged_file_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    monkeypatch.setattr(gemm_peak, "measure", lambda device, dtype, seconds: 7e9)
    (tmp_path / "gemm_peak.json").write_text(content)
    assert peak(CPU, torch.float32, tmp_path) == 7e9
    assert 7e9 in json.loads((tmp_path / "gemm_peak.json").read_text()).values()


@pytest.mark.parametrize("rate", ["NaN", "Infinity", "-1.0", "true"])
def test_a_rate_that_cannot_be_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rate: str) -> None:
    monkeypatch.setattr(gemm_peak, "measure", lambda device, dtype, seconds: 7e9)
    name = gemm_peak._name(CPU, torch.float32)
    (tmp_path / "gemm_peak.json").write_text(f'{{"{name}": {rate}}}')
    assert peak(CPU, torch.float32, tmp_path) == 7e9
    assert json.loads((tmp_path / "gemm_peak.json").read_text()) == {name: 7e9}


def test_a_folder_that_keeps_nothing_ends_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where the folder should be, a folder where the file should be, a disk that is full or read-only."""
    monkeypatch.setattr(gemm_peak, "measure", lambda device, dtype, seconds: 7e9)
    (tmp_path / "file").write_text("")
    assert peak(CPU, torch.float32, tmp_path / "file") == 7e9
    assert peak(CPU, torch.float32, tmp_path / "file" / "below") == 7e9
    (tmp_path / "folder" / "gemm_peak.json" / "x").mkdir(parents=True)
    assert peak(CPU, torch.float32, tmp_path / "folder") == 7e9

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "write_text", refuse)
    assert peak(CPU, torch.float32, tmp_path) == 7e9
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder"}
