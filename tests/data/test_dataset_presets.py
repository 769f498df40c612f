"""A data set's preset holds its target and the constructor's arguments, nothing else."""

import importlib
import inspect
from pathlib import Path

import pytest
import yaml

from attnlab.data.corpus import Report

FOLDER = Path(__file__).resolve().parents[2] / "conf" / "dataset"
NEEDED = {"file": "my.csv", "path": "json", "source_language": "en", "target_language": "de"}


@pytest.mark.parametrize("preset", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_preset(preset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / NEEDED["file"]).touch()  # a reader may look for its file at once
    values = yaml.safe_load(preset.read_text())
    values.pop("defaults", None)  # companions of a preset
    module, _, name = values.pop("_target_").rpartition(".")
    assert module in (f"attnlab.data.corpora.{preset.stem}", f"attnlab.data.corpora.{preset.stem}.corpus")
    assert name == "".join(map(str.capitalize, preset.stem.split("_")))
    corpus_class = getattr(importlib.import_module(module), name)
    assert values.keys() <= inspect.signature(corpus_class).parameters.keys()
    filled = {key: NEEDED.get(key, "x") if value == "???" else value for key, value in values.items()}
    if "root" in filled:
        assert filled["root"] == "${paths.data}"
        filled["root"] = str(tmp_path)
    if preset.stem in ("parallel", "labelled", "documents", "pairs"):
        filled["train"] = "my.tsv"
    if preset.stem == "csv_series":
        filled["targets"] = ["y"]
    corpus = corpus_class(**filled)
    assert corpus.name == preset.stem
    assert corpus.splits[:3] == ("train", "val", "test")
    assert isinstance(corpus.report, Report)
