"""A quantity from outside is one file: everything that says something of numbers says it of this one, too."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent / "quantity"
TINY = [
    "measure=[exact]", "monitor=val/exact", "seed=1,2", "logger=none", "dataset.train_size=600", "dataset.val_size=20",
    "dataset.test_size=24", "trainer.max_epochs=1", "model.embedding_dim=8", "encoder.hidden_dim=8",
    "decoder.hidden_dim=16", "search.max_length=12", "callbacks.run_files.figures=0",
]  # fmt: skip


def run(root: Path, project: Path, *words: str, package: bool = True, code: int = 0) -> str:
    environment = {**os.environ, "ATTNLAB_ROOT": str(root), "OMP_NUM_THREADS": "1", "COLUMNS": "160"}
    environment |= {"PYTHONPATH": str(PACKAGE)} if package else {}
    done = subprocess.run(
        [sys.executable, *words], check=False, cwd=project, env=environment, capture_output=True, text=True
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> tuple[Path, str]:
    root = tmp_path_factory.mktemp("outside")
    said = run(root, project_root, "train.py", "-m", *TINY, f"hydra.sweep.dir={root}/sweep")
    return root, said


def test_training_measures_and_monitors_it(sweep: tuple[Path, str]) -> None:
    root, said = sweep
    assert "exact match" in said  # the closing table
    assert "val/exact" in said  # the line of an epoch
    folders = sorted(path.parent for path in root.glob("sweep/*/metrics.json"))
    assert len(folders) == 2
    for folder in folders:
        metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
        lines = [json.loads(line) for line in (folder / "test.jsonl").read_text("utf-8").splitlines()]
        right = sum(line["hypothesis"] == line["reference"] for line in lines)
        assert metrics["test/exact"] == pytest.approx(100 * right / len(lines))
        assert "val/exact" in metrics
        assert metrics["monitor"] == "val/exact"
        told = metrics["quantities"]["exact"]
        assert (told["better"], told["package"], told["kind"]) == ("higher", "exact-match", "counted")
        history = [json.loads(line) for line in (folder / "history.jsonl").read_text("utf-8").splitlines()]
        assert any("val/exact" in point for point in history)
    # The best checkpoint is that of the most, not of the least.
    import torch

    states = torch.load(folders[0] / "checkpoints" / "last.ckpt", weights_only=True)["callbacks"]
    (kept,) = (state for name, state in states.items() if name.startswith("Checkpoints"))
    assert "'mode': 'max'" in next(name for name in states if name.startswith("Checkpoints"))
    assert kept["monitor"] == "val/exact"


def test_it_is_compared_and_reported(sweep: tuple[Path, str], project_root: Path) -> None:
    root, _ = sweep
    said = run(root, project_root, "compare.py", f"runs={root}/sweep", "metric=exact", "tests=[ar,seeds]",
               "resamples=100", f"output={root}/compared")  # fmt: skip
    assert "exact" in said
    assert "match (%)" in said  # the title of a column is broken between words
    rows = list(csv.DictReader((root / "compared" / "scores.csv").read_text("utf-8").splitlines()))
    assert rows[0]["exact_interval_over"] == "seeds and sentences"
    assert "higher is better" in (root / "compared" / "report.html").read_text("utf-8")
    assert (root / "compared" / "figures" / "exact-test.svg").is_file()


def test_without_its_package_it_is_told_whose_it_is(sweep: tuple[Path, str], project_root: Path) -> None:
    root, _ = sweep
    said = run(root, project_root, "compare.py", f"runs={root}/sweep", "metric=exact", "report=false",
               f"output={root}/without", "resamples=100", package=False)  # fmt: skip
    assert "Nobody here can count exact: it is a quantity of exact-match" in " ".join(said.split())
    rows = list(csv.DictReader((root / "without" / "scores.csv").read_text("utf-8").splitlines()))
    assert rows[0]["exact_interval_over"] == "seeds"


def test_what_cannot_be_measured_is_told_before_data_are_read(project_root: Path, tmp_path: Path) -> None:
    said = run(tmp_path, project_root, "train.py", "measure=[exat,params]", "monitor=val/exact", code=2)
    assert "measure: exat is no known quantity; did you mean exact?" in said
    said = run(tmp_path, project_root, "train.py", "monitor=val/exact", code=2)
    assert "val/exact: a validation does not measure it; there is val/bleu, val/loss, val/ppl" in said


def test_a_name_that_is_taken_is_told_before_data_are_read(project_root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "packages" / "theirs-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n", "utf-8")
    (folder / "entry_points.txt").write_text("[attnlab.quantities]\nbleu = theirs:BLEU\n", "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(folder.parent), "ATTNLAB_ROOT": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "train.py", "logger=none", "trainer=smoke"],
        check=False, cwd=project_root, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "two quantities are called bleu: that of attnlab and that of theirs" in done.stderr
    assert not list(tmp_path.glob("**/metrics.json"))
