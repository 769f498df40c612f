"""What a dashboard is shown of a run, by a logger that is no part of the laboratory."""

import json
from pathlib import Path

import pytest

SPY = '''
"""Writes down what it is shown."""

import json
import re
from pytorch_lightning.loggers.logger import Logger

class Spy(Logger):
    name, version = "spy", 0

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def log_hyperparams(self, params) -> None: ...
    def log_metrics(self, metrics, step=None) -> None: ...

    def note(self, *what) -> None:
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(what) + "\\n")

    def show_picture(self, name, path, step) -> None:
        self.note("picture", name, path.read_bytes()[1:4].decode())

    def show_table(self, name, table, step) -> None:
        self.note("table", name, table.columns, len(table.rows))

    def summarize(self, metrics) -> None:
        self.note("summary", metrics)
'''
ROWS = "".join(f"fine film {number}\t+\ndull film {number}\t-\n" for number in range(60))


@pytest.fixture
def shown(commands, tmp_path):
    """What is shown of a classification, by kind."""
    (tmp_path / "spy_logger.py").write_text(SPY, "utf-8")
    (tmp_path / "rows.tsv").write_text("text\tlabel\n" + ROWS, "utf-8")
    seen = tmp_path / "seen"
    output = commands(
        "train", "dataset=labelled", f"dataset.train={tmp_path / 'rows.tsv'}", "logger=none", "encoder.hidden_dim=8",
        "model.embedding_dim=8", "trainer.max_epochs=1", "callbacks.run_files.figures=2",
        "callbacks.attention_maps.sentences=1", "+logger.spy._target_=spy_logger.Spy", f"+logger.spy.path={seen}",
        environment={"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    found: dict[str, list] = {}
    for line in seen.read_text("utf-8").splitlines():
        kind, *what = json.loads(line)
        found.setdefault(kind, []).append(what)
    return found, Path(output.split("files:")[1].strip())


def test_pictures_tables_and_scores_of_a_classification(shown):
    found, folder = shown
    pictures = dict(found["picture"])
    assert set(pictures.values()) == {"PNG"}
    assert {"test/attention/test_0", "test/attention/test_1", "test/confusion"} <= set(pictures)
    assert len([name for name in pictures if name.startswith("val/attention/val_")]) == 1
    tables = {name: (columns, rows) for name, columns, rows in found["table"]}
    told = ["text", "label", "predicted", "probability", "looks at"]
    assert tables["val/samples"][0] == ["epoch", "step", "number", *told]
    tested = len((folder / "test.jsonl").read_text("utf-8").splitlines())
    assert tables["test/samples"] == (["number", *told], tested)
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    ((summary,),) = found["summary"][-1:]
    assert summary["test/accuracy"] == metrics["test/accuracy"]
    assert summary["words.outputs"] == "predictions"
