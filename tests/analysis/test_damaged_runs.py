"""One damaged run ends no comparison: it, or what is damaged of it, is left out, and the note names the file."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from texts import corrupted, references

from attnlab.analysis import reading
from attnlab.analysis.comparing import Settings, compare
from attnlab.analysis.comparison import Comparison
from attnlab.analysis.exports import write_files
from attnlab.analysis.finding import find_runs
from attnlab.analysis.reading import require_maps
from attnlab.analysis.report.figures import learning
from attnlab.analysis.report.page import render
from attnlab.analysis.runs import read_run
from attnlab.errors import ConfigError, DataError
from attnlab.viz.palette import looks

TARGETS = {"test": references(12), "test_long": references(8, 1)}
NEEDED = (
    "metrics.json", "test.jsonl", "test_long.jsonl", ".hydra/config.yaml", ".hydra/hydra.yaml",
    ".hydra/overrides.yaml",
)  # fmt: skip
OPTIONAL = ("history.jsonl", "word_counts.json", "attention/maps.npz")
QUICK = Settings(tests=("seeds",), resamples=100)


def as_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def writes(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 - 3])


def as_pipe(path: Path) -> None:
    """Whoever opens it waits for a writer, for ever."""
    path.unlink()
    os.mkfifo(path)


def without_end(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


DAMAGES: dict[str, Callable[[Path], None]] = {
    "directory": as_directory,
    "half": half,
    "invalid UTF-8": lambda path: path.write_bytes(b"\xff\xfe\x80" + path.read_bytes()) and None,
    "list": writes(b"[1, [2, {}]]\n"),
    "number": writes(b"3\n"),
    "text": writes(b'"text"\n'),
    "nested": writes(b"[" * 100_000),
    "not a number": writes(b"NaN\n"),
    "infinity": writes(b"-Infinity\n"),
    "nothing of it": writes(b'{"a": {"b": []}}\n'),
    "zeros": writes(bytes(100)),
    "pipe": as_pipe,
    "without end": without_end,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, run_writer: Callable[[Path], Callable[..., Path]]) -> Path:
    """A sweep of two configurations with two seeds, all with all the files that a run can leave."""
    root = tmp_path_factory.mktemp("sweep")
    write = run_writer(root)
    for place, (attention, seed) in enumerate((a, s) for a in ("none", "luong_dot") for s in (1, 2)):
        outputs = {split: corrupted(lines, 0.3, 7 * place) for split, lines in TARGETS.items()}
        losses = {"loss": [1.5] * 12, "target_tokens": [3] * 12}
        ppl = {"test/ppl": float(np.exp(0.5))}
        folder = write(f"{place}_x", attention, seed, outputs, TARGETS, extra=losses, metrics=ppl)
        point = {"step": 5, "epoch": 0, "seconds": 1.5, "val/bleu": 2.0}
        (folder / "history.jsonl").write_text("".join(json.dumps(point | {"step": n}) + "\n" for n in (5, 9)), "utf-8")
        counts = {"counts": {"der": 3}, "tokenizer": "13a", "lowercase": False, "sentences": 9}
        (folder / "word_counts.json").write_text(json.dumps(counts), "utf-8")
        (folder / "attention").mkdir()
        maps: dict[str, Any] = {"sentences": np.arange(3)}
        for number in range(3):
            tokens = {"source": ["a", "b"], "target": ["c"]}
            maps |= {f"weights_{number}": np.full((1, 2), 0.5, np.float32)}
            maps |= {f"{side}_tokens_{number}": np.array(words) for side, words in tokens.items()}
        np.savez(folder / "attention" / "maps.npz", **maps)
    return root


@pytest.fixture
def sweep(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "sweep"))


def compared(sweep: Path, out: Path) -> Comparison:
    """All that compare.py does with runs, figures but for the curves left out for speed."""
    found = compare(find_runs(sweep), QUICK, "python compare.py")
    write_files(found, out)
    chosen = looks([item.name for item in found.configurations], found.baseline)
    learning(found, chosen)
    render(found, [], chosen)
    return found


def test_nothing_is_said_of_whole_runs(sweep: Path, tmp_path: Path) -> None:
    found = compared(sweep, tmp_path / "out")
    assert not [note for note in found.notes if note.startswith("Left out")]
    assert found.by_frequency is not None
    assert len(found.configurations[0].runs[0].history) == 2


@pytest.mark.parametrize("name", [*NEEDED, *OPTIONAL])
def test_what_is_damaged_is_left_out(sweep: Path, tmp_path: Path, name: str) -> None:
    """A run more for every way to damage the file, each with a seed of its own."""
    damaged = {}
    for seed, (way, damage) in enumerate(DAMAGES.items(), 10):
        folder = Path(shutil.copytree(sweep / "2_x", sweep / f"{seed}_x"))
        config = folder / ".hydra" / "config.yaml"
        config.write_text(config.read_text("utf-8").replace("seed: 1\n", f"seed: {seed}\n"), "utf-8")
        damage(folder / name)
        damaged[way] = seed, folder / name
    found = compared(sweep, tmp_path / "out")
    seeds: dict[str, set[int | None]] = {}
    for item in found.configurations:
        seeds.setdefault(item.labels["attention"], set()).update(item.seeds)
    kept = seeds["luong_dot"]
    assert seeds["none"] == {1, 2} <= kept
    for way, (seed, path) in damaged.items():
        if harmless(name, way):
            continue
        if name in NEEDED:
            assert seed not in kept, way
            assert [note for note in found.notes if note.startswith(f"Left out: {path}")], (way, found.notes)
        else:
            assert seed in kept, way
            assert [note for note in found.notes if note.startswith(f"Left out of a run: {path}")], (way, found.notes)


def harmless(name: str, damage: str) -> bool:
    """What the file may well hold: a curve with one line cut off, a list of overrides, another configuration."""
    return (name, damage) in {
        ("history.jsonl", "half"), ("history.jsonl", "nested"), ("history.jsonl", "zeros"),
        (".hydra/overrides.yaml", "half"), (".hydra/config.yaml", "nothing of it"), (".hydra/config.yaml", "half"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value"),
    [("source", 3), ("hypothesis", None), ("counts", {"bleu": [1, 2]}), ("counts", [1]),
     ("counts", {"bleu": ["1"] * 10}),
     ("loss", float("nan")), ("loss", "1.5"), ("loss", float("inf")), ("target_tokens", 2.5), ("links", [1, 2]),
     ("alignment", ["a"]), ("source_tokens", "ab"), ("score", True)],
)  # fmt: skip
def test_a_line_is_what_it_should_be(sweep: Path, tmp_path: Path, key: str, value: Any) -> None:
    path = sweep / "2_x" / "test.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    lines[4][key] = value
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    found = compared(sweep, tmp_path / "out")
    (note,) = [note for note in found.notes if note.startswith("Left out")]
    assert re.search(rf"{re.escape(str(path))}, line 5: {key}(\.bleu)? is ", note)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "30", [30], 10**400, True])
@pytest.mark.parametrize("key", ["test/bleu", "test/ppl", "params", "train/seconds", "test/sentences_per_second"])
def test_numbers_are_numbers(sweep: Path, key: str, value: Any) -> None:
    path = sweep / "2_x" / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {key: value}), "utf-8")
    with pytest.raises(DataError, match=rf"metrics\.json: {key} is .*, expected a finite number"):
        read_run(sweep / "2_x")


@pytest.mark.parametrize("name", ["test.jsonl", "test_long.jsonl"])
@pytest.mark.parametrize("keep", [0, 5])
def test_fewer_lines_than_were_scored(sweep: Path, tmp_path: Path, name: str, keep: int) -> None:
    path = sweep / "2_x" / name
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[:keep]), "utf-8")
    found = compared(sweep, tmp_path / "out")
    assert [len(item.runs) for item in found.configurations] == [2, 1]
    assert any("2_x" in note for note in found.notes)
    path.unlink()
    assert any(f"{path}: there is no such file" in note for note in compared(sweep, tmp_path / "out").notes)


def test_scores_that_its_lines_do_not_have(sweep: Path, tmp_path: Path) -> None:
    path = sweep / "2_x" / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"test/bleu": 99.0}), "utf-8")
    notes = " ".join(compared(sweep, tmp_path / "out").notes)
    assert "metrics.json says test/bleu = 99.0000, but its test.jsonl gives" in notes


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize("name", [*NEEDED, *OPTIONAL])
def test_what_may_not_be_read(sweep: Path, tmp_path: Path, name: str) -> None:
    (sweep / "2_x" / name).chmod(0)
    assert any(name in note for note in compared(sweep, tmp_path / "out").notes)


def test_maps_of_other_shapes_are_not_shown(sweep: Path, tmp_path: Path) -> None:
    path = sweep / "2_x" / "attention" / "maps.npz"
    with np.load(path) as arrays:
        content = dict(arrays)
    np.savez(path, **content | {"weights_1": np.ones((3, 3))})
    compared(sweep, tmp_path / "out")
    np.savez(path, **content | {"sentences": np.array([0, 99])})
    assert any("expected numbers of 12 sentences" in note for note in compared(sweep, tmp_path / "out").notes)


def test_one_error_where_nothing_is_left(sweep: Path) -> None:
    for folder in sweep.iterdir():
        (folder / "metrics.json").write_text("[]", "utf-8")
    with pytest.raises(ConfigError, match=r"no finished run there\n.*metrics.json: expected a table, came a list"):
        find_runs(sweep)


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_subnormal=False) | st.text(max_size=5)
JSON = PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(st.text(max_size=3), PLAIN | st.lists(PLAIN), max_size=3)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from([*NEEDED, *OPTIONAL]), data=st.data())
def test_anything_in_a_file_is_read_or_told(whole: Path, tmp_path: Path, name: str, data: st.DataObject) -> None:
    """A part of the file cut, replaced, or a value of it exchanged: a run, or one DataError."""
    folder = tmp_path / "run"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole / "2_x", folder)
    path = folder / name
    content = path.read_bytes()
    if name.endswith((".json", ".jsonl")) and data.draw(st.booleans()):
        first = content.split(b"\n")[0]
        table = json.loads(first)
        table[data.draw(st.sampled_from(list(table)))] = data.draw(JSON)
        path.write_bytes(content.replace(first, json.dumps(table).encode("utf-8", "surrogatepass")))
    else:
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, len(content)))
        path.write_bytes(content[:start] + data.draw(st.binary(max_size=20)) + content[end:])
    try:
        run = read_run(folder)
        run.read_all()
    except DataError as error:
        told = str(error)
        run = None
    if run is None:
        assert str(folder) in told
        return
    assert run.items("test")
    run.maps("test")
    assert all(str(folder) in line for line in run.damaged.values())


def test_an_archive_that_would_fill_the_memory_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "UNPACKED", 1 << 16)
    np.savez_compressed(tmp_path / "maps.npz", sentences=np.zeros(1 << 20, dtype=np.int64))
    with pytest.raises(DataError, match="unpacks to over 65536 bytes"):
        require_maps(tmp_path / "maps.npz", 3)
    np.savez_compressed(tmp_path / "maps.npz", sentences=np.arange(3))
    require_maps(tmp_path / "maps.npz", 3)


def test_objects_in_an_archive_are_not_made(tmp_path: Path) -> None:
    np.savez(tmp_path / "maps.npz", sentences=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        require_maps(tmp_path / "maps.npz", 3)
