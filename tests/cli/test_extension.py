"""A mechanism from outside the repository, as the README tells it: one module on the path, one YAML in a folder."""

import json
import re
from pathlib import Path

import yaml


def readme_example(root):
    """The Python and the YAML of the section on adding a mechanism."""
    section = (root / "README.md").read_text("utf-8").split("## Add an attention mechanism")[1].split("\n## ")[0]
    return [re.search(rf"```{language}\n(.*?)```", section, re.DOTALL).group(1) for language in ("python", "yaml")]


def test_the_mechanism_of_the_readme_trains_from_two_new_files(commands, project_root, tiny, tmp_path):
    module, preset = readme_example(project_root)
    target = yaml.safe_load(preset)["score"]["_target_"]
    name = target.split(".")[-2]
    code, settings = tmp_path / "code" / f"my_{name}.py", tmp_path / "conf" / "attention" / f"my_{name}.yaml"
    for path, text in ((code, module), (settings, preset.replace(target.rpartition(".")[0], f"my_{name}"))):
        path.parent.mkdir(parents=True)
        path.write_text(text, "utf-8")
    output = commands(
        "train", "--config-dir", tmp_path / "conf", f"attention=my_{name}", *tiny,
        environment={"PYTHONPATH": str(code.parent)},
    )  # fmt: skip
    folder = Path(output.split("files:")[1].strip())
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert folder.parent.name == metrics["attention"] == f"my_{name}"
    assert metrics["train/steps"] == 2
    assert metrics["test/ppl"] > 1


def test_a_mistake_in_it_is_told_like_any_other(commands, project_root, tiny, tmp_path):
    _, preset = readme_example(project_root)
    (tmp_path / "attention").mkdir()
    target = "attnlab.attention.scores.luong_general.LuongGeneral"
    score = r"attnlab\.attention\.scores\.\w+\.\w+\n  _partial_: true"
    wrong = re.sub(score, f"{target}\n  _partial_: true\n  atention_dim: 3", preset)
    (tmp_path / "attention" / "mine.yaml").write_text(wrong, "utf-8")
    errors = commands("train", "--config-dir", tmp_path, "attention=mine", *tiny, code=2)
    assert "attention.score.atention_dim: LuongGeneral has no such setting" in errors
