"""README's table of choices names every group and every option that there is."""

import re


def test_every_option_of_every_group_is_told(project_root):
    section = (project_root / "README.md").read_text("utf-8").split("## Choices")[1].split("\n## ")[0]
    told: dict[str, set[str]] = {}
    for row in re.findall(r"^\| (`.*?) \| (.*?) \|", section, re.MULTILINE):
        groups, options = (set(re.findall(r"`([\w/]+)`", cell)) for cell in row)
        told |= {group: told.get(group, set()) | options for group in groups}
    told["sentence_encoder"], told["sentence_pooling"] = told["encoder"], told["pooling"]  # "as encoder and pooling"
    conf = project_root / "conf"
    options = {(path.parent.relative_to(conf).as_posix(), path.stem) for path in conf.glob("*/**/*.yaml")}
    chosen = {(group, name) for group, name in options if "local" not in group and not group.endswith("_logging")}
    assert {f"{group}={name}" for group, name in chosen if name not in told.get(group, ())} == set()
    assert set(told) == {group for group, _ in chosen}
