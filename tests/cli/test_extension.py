"""A mechanism from outside the repository, as the README tells it."""

import re


def readme_example(root):
    """The Python and the YAML of the section on adding a mechanism."""
    section = (root / "README.md").read_text("utf-8").split("## Add an attention mechanism")[1].split("\n## ")[0]
    return [re.search(rf"```{language}\n(.*?)```", section, re.DOTALL).group(1) for language in ("python", "yaml")]


def test_a_mistake_in_it_is_told_like_any_other(commands, project_root, tiny, tmp_path):
    _, preset = readme_example(project_root)
    (tmp_path / "attention").mkdir()
    target = "attnlab.attention.scores.luong_general.LuongGeneral"
    score = r"scaled_general\.\w+\n  _partial_: true"
    wrong = re.sub(score, f"{target}\n  _partial_: true\n  atention_dim: 3", preset)
    (tmp_path / "attention" / "mine.yaml").write_text(wrong, "utf-8")
    errors = commands("train", "--config-dir", tmp_path, "attention=mine", *tiny, code=2)
    assert "attention.score.atention_dim: LuongGeneral has no such setting" in errors
