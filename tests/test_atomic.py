"""A file is whole or it is not there."""

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from attnlab.atomic import append, clear, replacing, require_place, write_text
from attnlab.callbacks.checkpoint_io import AtomicCheckpointIO
from attnlab.errors import StorageError


def test_content_takes_the_place_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    for text in ("first", "second"):
        with replacing(path) as temporary:
            temporary.write_text(text)
            assert temporary.suffix == ".txt"
            assert temporary.parent == path.parent
        assert path.read_text() == text
    assert os.listdir(path.parent) == ["file.txt"]  # noqa: PTH208


def test_old_file_stays_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX limits")
def test_a_full_disk_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the system refuses in the middle of writing."""
    import resource

    path, content = tmp_path / "last.ckpt", {"state_dict": {}, "x": torch.zeros(100)}
    for _ in range(2):
        AtomicCheckpointIO().save_checkpoint(content, path)
    before = path.read_bytes()
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(StorageError, match=r"cannot write .*last\.ckpt: File too large; .* make room there"):
            AtomicCheckpointIO().save_checkpoint({**content, "x": torch.zeros(100_000)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert sorted(os.listdir(tmp_path)) == ["last-1.ckpt", "last.ckpt"]  # noqa: PTH208
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StorageError, match=r"cannot write .*a\.jsonl: Read-only file system; .* written to and go on"):
        append(tmp_path / "a.jsonl", "line")
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageError, match="Read-only"), replacing(tmp_path / "b" / "c.json") as temporary:
        temporary.write_text("x")


def test_a_hard_link_outside_keeps_what_it_had(tmp_path: Path) -> None:
    """A copy of a run by hard links (cp -l, rsync --link-dest) is not written to when the run goes on."""
    (tmp_path / "backup").mkdir()
    for name, write in (("a.md", write_text), ("b.jsonl", append)):
        (tmp_path / name).write_text("old\n")
        os.link(tmp_path / name, tmp_path / "backup" / name)
        write(tmp_path / name, "new\n")
        assert (tmp_path / "backup" / name).read_text() == "old\n"
    assert (tmp_path / "a.md").read_text() == "new\n"
    assert (tmp_path / "b.jsonl").read_text() == "old\nnew\n"
    inode = (tmp_path / "b.jsonl").stat().st_ino
    append(tmp_path / "b.jsonl", "newer\n")
    assert (tmp_path / "b.jsonl").stat().st_ino == inode  # it has one name: nothing is copied
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.md", "b.jsonl", "backup"]


def test_what_stands_in_a_files_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder.html" / "x").mkdir(parents=True)
    (tmp_path / "file").touch()
    told = {
        tmp_path / "folder.html": f"move away the folder {tmp_path}/folder.html, where a file is expected",
        tmp_path / "file" / "a.png": f"move away the file {tmp_path}/file, where a folder is expected",
        tmp_path / "file" / "b" / "a.png": f"move away the file {tmp_path}/file, where a folder is expected",
    }
    for path, words in told.items():
        with pytest.raises(StorageError) as caught:
            require_place(path)
        assert str(caught.value) == f"cannot write {path}: {words}"
        with pytest.raises(StorageError) as caught:
            write_text(path, "x")
        assert str(caught.value).startswith(f"cannot write {path}: ")
        assert f"{words} and go on" in str(caught.value)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/null")
    for path in (tmp_path / "pipe", tmp_path / "device", Path("/dev/null")):
        for write in (require_place, lambda path: write_text(path, "x")):
            with pytest.raises(StorageError, match=f"cannot write {path}: this is a pipe or a device"):
                write(path)
    assert (tmp_path / "pipe").is_fifo()
    require_place(tmp_path / "file")
    require_place(tmp_path / "new" / "deep" / "a.png")
    assert not (tmp_path / "new").exists()
    assert list(tmp_path.glob(".*")) == []


def test_what_was_left_half_written_goes_and_nothing_else(tmp_path: Path) -> None:
    with replacing(tmp_path / "checkpoints" / "last.ckpt") as temporary:
        name = temporary.name
        temporary.touch()
    (tmp_path / "checkpoints" / "last.ckpt").unlink()
    left = [f"checkpoints/{name}", ".history-17-0123abcd.jsonl", "attention/.maps-4-89abcdef.npz", ".x-1-00000000"]
    others = [".lock", ".hydra", "history.jsonl", ".my-own-notes.txt", ".notes-2-short.md", "a-17-0123abcd.jsonl"]
    for item in (*left, *others):
        (tmp_path / item).parent.mkdir(exist_ok=True)
        (tmp_path / item).touch()
    clear(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == sorted(others)


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    path, plain = tmp_path / "a.txt", tmp_path / "b.txt"
    with replacing(path) as temporary:
        temporary.write_text("x")
    plain.write_text("x")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_kill_while_writing_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    """A process that is killed again and again while it saves; what lies there can always be read."""
    path = tmp_path / "last.ckpt"
    code = (
        "import sys, torch\n"
        "from attnlab.callbacks.checkpoint_io import AtomicCheckpointIO\n"
        "number = 0\n"
        "while True:\n"
        "    number += 1\n"
        "    content = {'number': number, 'x': torch.full((400_000,), number)}\n"
        "    AtomicCheckpointIO().save_checkpoint(content, sys.argv[1])\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)])
    deadline = time.monotonic() + 60
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    for _ in range(40):  # while it is being overwritten
        content = torch.load(path, weights_only=True)
        assert (content["x"] == content["number"]).all()
    process.send_signal(signal.SIGKILL)
    process.wait()
    content = torch.load(path, weights_only=True)
    assert (content["x"] == content["number"]).all()


def test_checkpoint_io_saves_loads_and_removes(tmp_path: Path) -> None:
    plugin, path = AtomicCheckpointIO(), tmp_path / "new" / "best.ckpt"
    plugin.save_checkpoint({"state_dict": {}, "a": torch.arange(3), "b": "text"}, path)
    loaded = plugin.load_checkpoint(path, weights_only=True)
    assert loaded["a"].tolist() == [0, 1, 2]
    assert loaded["b"] == "text"
    with pytest.raises(TypeError, match="no storage_options"):
        plugin.save_checkpoint({}, path, storage_options={"x": 1})
    plugin.remove_checkpoint(path)
    assert not path.exists()
