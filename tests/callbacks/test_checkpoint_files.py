"""Damage to a checkpoint is noticed, whatever it is, and what is whole is used in its place."""

import random
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from attnlab.callbacks.checkpoint_files import damage, load, read, write
from attnlab.callbacks.checkpoint_io import AtomicCheckpointIO, keep
from attnlab.errors import DataError

CONTENT = {"state_dict": {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.tensor([1.5])}, "epoch": 3}


def equal(found: dict[str, Any]) -> bool:
    same = all(torch.equal(found["state_dict"][name], tensor) for name, tensor in CONTENT["state_dict"].items())
    return same and found["epoch"] == CONTENT["epoch"] and found.keys() == CONTENT.keys()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "best.ckpt"
    write(CONTENT, path)
    return path


def test_what_is_written_is_whole(file: Path) -> None:
    assert damage(file) is None
    assert equal(read(file))
    assert equal(torch.load(file, weights_only=True))  # by whoever knows nothing of the checksum
    assert equal(torch.load(file, weights_only=True, mmap=True))
    with zipfile.ZipFile(file) as parts:
        assert parts.testzip() is None


def test_every_flipped_byte_is_noticed(file: Path) -> None:
    whole = file.read_bytes()
    for place in range(len(whole)):
        data = bytearray(whole)
        data[place] ^= 1 << random.Random(place).randrange(8)
        file.write_bytes(data)
        assert damage(file), place


@pytest.mark.parametrize("kept", [0, 1, 30, 0.3, 0.9, -1], ids=str)
def test_cut_files_are_noticed(file: Path, kept: float) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: int(kept * len(whole)) if 0 < kept < 1 else int(kept)])
    assert damage(file)


@pytest.mark.parametrize("start", [0.0, 0.5])
def test_blocks_of_zeros_are_noticed(file: Path, start: float) -> None:
    """A file whose size is on the disk and whose content is not, after the power went."""
    whole = file.read_bytes()
    begin = int(start * len(whole))
    file.write_bytes(whole[:begin] + bytes(len(whole) - begin))
    assert damage(file)


def test_files_of_earlier_versions_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "best.ckpt"
    torch.save(CONTENT, path)
    assert equal(read(path))
    data = bytearray(path.read_bytes())
    data[data.index(CONTENT["state_dict"]["weight"].numpy().tobytes()) + 5] ^= 4
    path.write_bytes(data)
    with pytest.raises(DataError, match="the checksum of its part"):
        read(path)


def test_the_last_checkpoint_before_takes_the_place_of_a_damaged_one(tmp_path: Path) -> None:
    plugin, path = AtomicCheckpointIO(), tmp_path / "last.ckpt"
    for epoch in (1, 2, 3):
        plugin.save_checkpoint({"state_dict": {}, "epoch": epoch}, path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["last-1.ckpt", "last.ckpt"]
    assert plugin.load_checkpoint(path)["epoch"] == 3
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.warns(UserWarning, match=r"last\.ckpt is damaged .* going on from last-1\.ckpt"):
        assert plugin.load_checkpoint(path)["epoch"] == 2
    AtomicCheckpointIO().save_checkpoint({"state_dict": {}, "epoch": 4}, path)  # of the process that goes on
    path.unlink()
    assert read(tmp_path / "last-1.ckpt")["epoch"] == 2, "the damaged one has taken the place of the one before"


def test_the_one_before_is_kept_by_the_process_that_goes_on(tmp_path: Path) -> None:
    for epoch in (1, 2):
        AtomicCheckpointIO().save_checkpoint({"state_dict": {}, "epoch": epoch}, tmp_path / "last.ckpt")
    assert read(tmp_path / "last-1.ckpt")["epoch"] == 1


def test_a_kill_between_the_two_names_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"state_dict": {}, "epoch": 1}, path)
    keep(path, tmp_path / "last-1.ckpt")  # and killed here, before the new one takes its place
    AtomicCheckpointIO().save_checkpoint({"state_dict": {}, "epoch": 2}, path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["last-1.ckpt", "last.ckpt"]
    assert read(tmp_path / "last-1.ckpt")["epoch"] == 1


def test_where_there_are_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError("Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    for epoch in (1, 2):
        AtomicCheckpointIO().save_checkpoint({"state_dict": {}, "epoch": epoch}, tmp_path / "last.ckpt")
    assert read(tmp_path / "last-1.ckpt")["epoch"] == 1
    assert read(tmp_path / "last.ckpt")["epoch"] == 2


def test_an_error_says_what_is_left(tmp_path: Path) -> None:
    plugin = AtomicCheckpointIO()
    for name in ("best", "last", "last"):
        plugin.save_checkpoint(CONTENT, tmp_path / f"{name}.ckpt")
    (tmp_path / "best.ckpt").write_bytes(b"")
    with pytest.raises(DataError, match=r"it is empty\); whole in that folder: last-1\.ckpt, last\.ckpt"):
        read(tmp_path / "best.ckpt")
    for name in ("last", "last-1"):
        (tmp_path / f"{name}.ckpt").write_bytes(bytes(100))
    with pytest.raises(DataError, match=r"does not begin as a checkpoint does.* train again"):
        read(tmp_path / "last.ckpt")


def test_other_files_are_told(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "list.ckpt")
    with pytest.raises(DataError, match="no tensors under state_dict"):
        read(tmp_path / "list.ckpt")
    torch.save({"state_dict": {}, "x": Path("a")}, tmp_path / "object.ckpt")
    with pytest.raises(DataError, match="it names code, which is not run"):
        read(tmp_path / "object.ckpt")


def test_a_checkpoint_is_as_large_as_what_is_in_it(tmp_path: Path) -> None:
    """A kilobyte that is unpacked to gigabytes, a number that stands for a billion, tensors without numbers."""
    file, packed = tmp_path / "x.ckpt", tmp_path / "packed.ckpt"
    torch.save({"state_dict": {"a": torch.zeros(1 << 16)}}, file)
    with zipfile.ZipFile(file) as plain, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in plain.namelist():
            target.writestr(name, plain.read(name))
    with pytest.raises(DataError, match="its parts are compressed"):
        load(packed)
    for value in (torch.zeros(1).expand(1 << 30), torch.empty(3, device="meta"), torch.eye(3).to_sparse()):
        torch.save({"state_dict": {"a": value}}, file)
        with pytest.raises(DataError, match=r"whose numbers are all in the file|no checkpoint of tensors"):
            load(file)
    torch.save({"state_dict": {3: torch.zeros(1)}}, file)
    with pytest.raises(DataError, match="is called 3, expected text"):
        load(file)
    kept = torch.arange(6.0)
    torch.save({"state_dict": {"a": kept.view(2, 3).T, "b": kept[2:]}}, file)
    assert load(file)["state_dict"]["a"].equal(kept.view(2, 3).T)
