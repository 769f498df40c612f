"""Finished runs are read from what they left, whatever wrote it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnlab.analysis.finding import find_runs
from attnlab.analysis.runs import read_run
from attnlab.errors import ConfigError, DataError


def test_what_a_run_left(write_run: Any) -> None:
    run = read_run(write_run("0_a", seed=3, choices={"decoder": "cho"}))
    assert run.seed == 3
    assert run.labels == {
        "attention": "luong_dot", "encoder": "lstm", "decoder": "cho", "dataset": "grammar", "tokenizer": "word",
        "search": "greedy",
    }  # fmt: skip
    assert run.overrides == ("attention=luong_dot", "seed=3")
    assert "hydra/launcher" not in run.choices
    assert run.splits == ("test",)
    assert run.metric("params") == 1000
    assert run.metric("attention") is None
    assert len(run.items("test")) == 40
    assert "loss" not in run.items("test")[0].record
    assert (run.history, run.word_counts, run.maps("test")) == ((), None, [])


def test_learning_curve_with_a_line_that_was_cut(write_run: Any) -> None:
    folder = write_run("0_a")
    lines = [
        {"step": 5, "epoch": 0, "seconds": 1.5, "train/loss": 2.0},
        {"step": 9, "epoch": 0, "seconds": None, "val/bleu": 3.0, "val/loss": None},
    ]
    text = "\n".join(map(json.dumps, lines)) + '\n{"step": 1'
    (folder / "history.jsonl").write_text(text, "utf-8")
    first, second = read_run(folder).history
    assert first == (5, 0, 1.5, {"train/loss": 2.0})
    assert second == (9, 0, None, {"val/bleu": 3.0})


def test_broken_lines_are_named(write_run: Any) -> None:
    folder = write_run("0_a")
    lines = (folder / "test.jsonl").read_text("utf-8").splitlines()
    (folder / "test.jsonl").write_text(lines[0] + "\nnonsense\n" + lines[1], "utf-8")
    with pytest.raises(DataError, match=r"test.jsonl, line 2: not JSON"):
        read_run(folder).items("test")
    with pytest.raises(DataError, match=r"no such file; the run was tested on test"):
        read_run(folder).items("test_long")


def test_maps_of_some_sentences(write_run: Any) -> None:
    folder = write_run("0_a")
    (folder / "attention").mkdir()
    arrays: dict[str, Any] = {"sentences": np.array([0, 7])}
    for number in (0, 7):
        arrays[f"weights_{number}"] = np.full((2, 3), number / 10, np.float32)
        arrays[f"source_tokens_{number}"] = np.array(["a", "b", "c"])
        arrays[f"target_tokens_{number}"] = np.array(["x", "</s>"])
    np.savez(folder / "attention" / "maps.npz", **arrays)
    (only,) = read_run(folder).maps("test", [7, 9])
    assert (only.number, only.source_tokens, only.target_tokens) == (7, ["a", "b", "c"], ["x", "</s>"])
    assert only.weights.shape == (2, 3)


def names(runs: Any) -> list[str]:
    return [run.name for run in find_runs(runs).runs]


def test_a_sweep_a_list_a_glob(write_run: Any) -> None:
    a, b = (write_run(f"{number}_x") for number in (10, 2))
    sweep = a.parent
    (sweep / "latest").symlink_to(sweep)  # what links back is not followed
    (sweep / "comparison").mkdir()
    assert names(sweep) == names(str(sweep.parents[1])) == ["2_x", "10_x"]  # numbers as numbers
    assert names([a, b]) == ["10_x", "2_x"]
    assert names(f"{sweep}/1*") == ["10_x"]
    assert names([a, str(sweep)]) == ["10_x", "2_x"]  # each once
    assert find_runs(sweep).folder == sweep
    assert find_runs([a, b]).folder == sweep
    assert find_runs(a).folder == sweep


def test_links_to_runs_count_once(write_run: Any, tmp_path: Path) -> None:
    a, b = write_run("0_a"), write_run("1_b", seed=2)
    elsewhere = tmp_path / "elsewhere" / "moved"
    elsewhere.parent.mkdir()
    b.rename(elsewhere)
    b.symlink_to(elsewhere)
    (a.parent / "2_again").symlink_to(b)  # a link to a link, and a second way to the same run
    (a.parent / "3_up").symlink_to(a.parent.parent)
    (a.parent / "4_gone").symlink_to(tmp_path / "nowhere")
    (a.parent / "5_self").symlink_to(a.parent / "5_self")
    assert [run.folder for run in find_runs(a.parent).runs] == [a, elsewhere]
    assert names([b]) == ["moved"]
    assert names([a.parent, elsewhere, b, f"{a.parent}/*_b"]) == ["0_a", "moved"]
    chosen = tmp_path / "chosen"
    chosen.mkdir()
    (chosen / "best").symlink_to(a)
    assert names(chosen) == ["0_a"]


def test_latest(write_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = write_run("0_x").parent
    new = old.with_name("2026-11-25_09-00-00")
    old.rename(tmp_path / "moved")
    write_run("0_y")
    old.rename(new)
    (tmp_path / "moved").rename(old)
    (old.with_name("2026-12-01_00-00-00")).mkdir()  # of a sweep that has not begun
    assert names(old.parent / "latest") == ["0_y"]
    monkeypatch.chdir(old)
    found = find_runs("latest", tmp_path)
    assert [run.name for run in found.runs] == ["0_y"]
    assert [run.name for run in find_runs("sweeps/types/latest", tmp_path).runs] == ["0_y"]
    (old.parent / "latest").symlink_to(old)  # the link that a sweep leaves has the last word
    assert names(old.parent / "latest") == ["0_x"]
    assert [run.name for run in find_runs("latest", tmp_path).runs] == ["0_y"]  # of all sweeps: a link is no date


def test_trials_are_never_the_latest(write_run: Any, tmp_path: Path) -> None:
    """Nor is what is unfinished; a folder that is named is taken as it is."""
    old = write_run("0_x")
    old.parent.rename(tmp_path / "moved")
    new = write_run("0_y")
    (tmp_path / "moved").rename(new.parent.with_name("2026-11-01_00-00-00"))
    (new / "finished.json").write_text('{"score": 1, "trial": "fast_dev_run=true"}', "utf-8")
    assert [run.name for run in find_runs("latest", tmp_path).runs] == ["0_x"]
    assert [run.name for run in find_runs(new.parent).runs] == ["0_y"]
    (new / "finished.json").unlink()
    (new / "failed.json").write_text('{"error": "Interrupted", "message": "interrupted by SIGINT"}', "utf-8")
    assert [run.name for run in find_runs("latest", tmp_path).runs] == ["0_x"]
    shutil.rmtree(new.parent.with_name("2026-11-01_00-00-00"))
    with pytest.raises(ConfigError, match=rf"but trials; name them: runs={new.parent}$"):
        find_runs("latest", tmp_path)


def test_unfinished_runs_are_told(write_run: Any) -> None:
    write_run("0_x")
    broken = write_run("1_x")
    (broken / "metrics.json").unlink()
    untested = write_run("2_x")
    (untested / "finished.json").unlink()
    (untested / "metrics.json").write_text('{"params": 3}', "utf-8")
    (untested / "failed.json").write_text('{"error": "DataError", "message": "no file\\nat all"}', "utf-8")
    found = find_runs(broken.parent)
    assert [run.name for run in found.runs] == ["0_x"]
    assert [line.partition(": ")[2] for line in found.unfinished] == [
        "not finished, it has no metrics.json",
        "not finished, no split was tested (DataError: no file)",
    ]
    with pytest.raises(ConfigError, match=r"no finished run there\n.*1_x: not finished, it has no metrics.json"):
        find_runs(broken)
    with pytest.raises(ConfigError, match=r"there is no such folder; in .* there is 0_x, 1_x, 2_x"):
        find_runs(broken.parent / "nope")
    with pytest.raises(ConfigError, match="an empty list"):
        find_runs([])


def test_without_torch() -> None:
    """Everything that reads and compares runs, the report included, leaves the heavy libraries alone."""
    code = (
        "import sys, attnlab.analysis.comparing, attnlab.analysis.exports, attnlab.analysis.report.page\n"
        "print([name for name in ('torch', 'pytorch_lightning', 'omegaconf', 'wandb') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.strip() == "[]"
