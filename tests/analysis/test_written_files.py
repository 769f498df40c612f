"""What a comparison leaves: whole files in their places, or a line that names what stands there."""

import os

import pytest
from omegaconf import OmegaConf

from attnlab.analysis.exports import FIGURES, FILES, REPORT
from attnlab.cli.commands import compare as command
from attnlab.errors import ConfigError, StorageError


@pytest.fixture
def run_compare(write_run, tmp_path, monkeypatch):
    """Compare two runs, as the command does."""
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    monkeypatch.setattr(command, "command", lambda: "python compare.py")
    runs = [str(write_run(name, attention=name)) for name in ("luong_dot", "bahdanau")]
    output = tmp_path / "out"
    plain = {"runs": runs, "metric": None, "split": "test", "baseline": None, "tests": ["seeds"], "pairs": "all"}
    plain |= {"level": 0.95, "resamples": 100, "seed": 1, "output": str(output), "report": True}
    plain |= {"columns": None, "explanation": None, "paper": None, "width": "8.4cm"}
    return output, lambda **settings: command.compare(OmegaConf.create(plain | settings))


def test_something_else_in_the_place_of_a_file_is_named_before_anything_is_computed(run_compare, monkeypatch):
    output, run = run_compare
    monkeypatch.setattr("attnlab.cli.comparing.compare", lambda *_: pytest.fail("computed"))
    for name in (*FILES, REPORT):
        (output / name).mkdir(parents=True)
        with pytest.raises(StorageError) as caught:
            run()
        assert (
            str(caught.value)
            == f"cannot write {output / name}: move away the folder {output / name}, where a file is expected"
        )
        (output / name).rmdir()
    (output / FIGURES).touch()
    with pytest.raises(StorageError, match=f"move away the file {output / FIGURES}, where a folder is expected"):
        run()
    assert [path.name for path in output.iterdir()] == [FIGURES]


def test_so_is_what_stands_in_the_place_of_a_paper(run_compare, monkeypatch):
    output, run = run_compare
    monkeypatch.setattr("attnlab.cli.comparing.compare", lambda *_: pytest.fail("computed"))
    (output / "paper.tex").mkdir(parents=True)
    with pytest.raises(StorageError, match=r"move away the folder .*paper\.tex, where a file is expected"):
        run(paper=str(output))
    with pytest.raises(ConfigError, match="width=2cm: expected the width of a column"):
        run(paper=str(output), width="2cm")


def test_an_earlier_comparison_under_another_name_is_not_written_over(run_compare, tmp_path):
    """A copy by hard links, and links by name: each file is a new one."""
    output, run = run_compare
    run()
    written = {str(path.relative_to(output)): path for path in output.rglob("*") if path.is_file()}
    assert {*FILES, REPORT} < set(written)
    assert any(name.startswith(f"{FIGURES}/") for name in written)
    outside = tmp_path / "outside"
    outside.mkdir()
    for number, path in enumerate(written.values()):
        (outside / str(number)).write_text("mine")
        path.unlink()
        (os.symlink if number % 2 else os.link)(outside / str(number), path)
    run()
    assert {path.read_text("utf-8") for path in outside.iterdir()} == {"mine"}
    assert not any(path.is_symlink() or path.read_bytes() == b"mine" for path in written.values())
    assert sorted(written) == sorted(str(path.relative_to(output)) for path in output.rglob("*") if path.is_file())
