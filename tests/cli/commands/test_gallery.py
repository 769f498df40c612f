"""The gallery: made from the modules, complete, and the committed page is the one that is made."""

import re
import sys

import pytest

from attnlab.analysis.mechanisms import heading
from attnlab.cli import folders
from attnlab.cli.commands import gallery
from attnlab.metrics.registry import of_key
from attnlab.types import ConfigError


@pytest.fixture(autouse=True)
def _resolvers(monkeypatch, tmp_path):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    folders.register()


@pytest.fixture
def found():
    return {one.name: one for one in gallery.presets()}


def test_every_preset_has_an_equation_a_paper_and_a_cost(found, project_root):
    assert set(found) == {path.stem for path in (project_root / "conf" / "attention").glob("*.yaml")}
    parts = {module for one in found.values() for module in one.parts.values()}
    for module in parts | set(gallery.modules("windows")) | set(gallery.modules("normalizers")):
        told = gallery.entry(module)
        assert told.title.endswith((".", "query"))
        assert all(equation.startswith("$$") and equation.endswith("$$") for equation in told.equations)
        assert "O(B T" in told.cost or "of the score" in told.cost


def test_the_committed_page_is_the_one_that_is_made(project_root):
    pictures = [path.stem for path in (project_root / "docs" / "gallery").glob("*.png")]
    committed = (project_root / "docs" / "gallery.md").read_text("utf-8")
    there = set(re.findall(r"^### (\w+)$", committed, re.MULTILINE))
    assert committed == gallery.page(pictures, there), f"run {gallery.COMMAND}"


def test_every_window_and_normalizer_has_a_picture_on_the_page(project_root):
    committed = (project_root / "docs" / "gallery.md").read_text("utf-8")
    for group in ("window", "normalizer"):
        names = [path.stem for path in (project_root / "conf" / "attention" / group).glob("*.yaml")]
        assert len(names) > 4
        for name in names:
            assert f"](gallery/{group}-{name}.png)" in committed, f"run {gallery.COMMAND}"
            assert (project_root / "docs" / "gallery" / f"{group}-{name}.png").stat().st_size > 10_000


@pytest.mark.long
def test_a_new_mechanism_passes_before_the_page_is_made_anew(project_root, monkeypatch):
    """Its docstring is looked at all the same, above."""
    known = list(gallery.presets())
    monkeypatch.setattr(gallery, "presets", lambda: [known[0]._replace(name="brand_new"), *known])
    test_the_committed_page_is_the_one_that_is_made(project_root)
    assert "### brand_new" in gallery.page([])
    monkeypatch.setattr(gallery, "presets", lambda: [known[0]._replace(decoder="other"), *known[1:]])
    with pytest.raises(AssertionError, match="run python -m"):
        test_the_committed_page_is_the_one_that_is_made(project_root)


def test_the_committed_table_has_the_columns_that_are_made(project_root):
    committed = (project_root / "docs" / "mechanisms.md").read_text("utf-8")
    titles = [heading(key, of_key(key)) for key in gallery.COLUMNS]
    assert f"| attention | decoder | {' | '.join(titles)} |" in committed.splitlines()
    assert committed.startswith(gallery.TABLE_HEAD)


def test_what_is_read_of_the_past_is_what_the_mechanism_says(found):
    assert found["bahdanau"].past == "none"
    assert found["coverage"].past == found["mocha"].past == "looks back"
    assert found["luong_local_m"].past == found["random_fixed"].past == "counts its steps"


def test_a_docstring_without_its_paper_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "unpublished.py").write_text('"""A score.\n\n$$e = 1$$\n\nCost: nothing.\n"""\n', "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match="has no Paper:"):
        gallery.entry("unpublished")
    sys.modules.pop("unpublished")


@pytest.mark.long
def test_the_command_draws_and_tabulates_a_run(commands, run, tmp_path, capsys):
    """From a run of ``trainer=smoke``: its numbers in the table, its heatmap on the page."""
    assert gallery.main([f"runs={run}", f"out={tmp_path}"]) == 0
    table = (tmp_path / "mechanisms.md").read_text("utf-8")
    assert "| [`luong_general`](gallery.md#luong_general) | luong |" in table
    assert "One seed each." in table
    assert (tmp_path / "gallery" / "luong_general.png").stat().st_size > 1000
    assert "![Weights of luong_general](gallery/luong_general.png)" in (tmp_path / "gallery.md").read_text("utf-8")
    assert gallery.main(["rus=x"]) == 2
    assert "usage" in capsys.readouterr().err
