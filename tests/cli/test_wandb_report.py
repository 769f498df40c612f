"""A comparison as a report of W&B's: what its own client sends to a server that stands in for W&B's, over HTTP."""

import json
from dataclasses import replace

import pytest
import wandb
from wandb_stand_in import Run, standing_in

from attnlab.analysis.comparing import Settings, compare
from attnlab.analysis.finding import find_runs
from attnlab.callbacks.loggers import flatten
from attnlab.callbacks.wandb_start import Recorded
from attnlab.cli.wandb_comparing import common, note_comparison
from attnlab.cli.wandb_report import heatmaps, recorded, report, save_report
from attnlab.errors import ConfigError

GROUP = "told/2026-01-01_00-00-00"
OF = Recorded("", "attnlab", "us", GROUP, None)


@pytest.fixture
def server(monkeypatch):
    with standing_in() as server:
        wandb.teardown()
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server
        wandb.teardown()
        assert server.faults == []


@pytest.fixture(scope="module")
def comparison(commands, tiny):
    """Of two jobs."""
    printed = commands("train", "-m", "attention=none,luong_dot", "sweep_name=reported", *tiny)
    folder = printed.rpartition("multirun: ")[2].splitlines()[0]
    return compare(find_runs([folder], commands.root), Settings(), "python compare.py runs=mine")


def blocks(spec):
    """The texts of a report, and its panels by what they show."""
    texts = [block["content"] if isinstance(block.get("content"), str) else
             " ".join(child.get("text", "") for child in block["children"])
             for block in spec["blocks"] if block["type"] in ("markdown-block", "heading", "paragraph")]  # fmt: skip
    grids = [block["metadata"] for block in spec["blocks"] if block["type"] == "panel-grid"]
    return texts, grids


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_is_sent(server, comparison):
    for name in ("a", "b", "another"):
        server.runs[name] = Run({"groupName": GROUP}, {"wandb-summary.json": {0: "{}"}})
    url = save_report(comparison, OF, ["a", "b"])
    assert url.endswith("--Vmlldzox")
    (sent,) = server.views
    assert (sent["entityName"], sent["projectName"], sent["type"]) == ("us", "attnlab", "runs")
    assert sent["displayName"] == f"BLEU of {GROUP}"
    spec = json.loads(sent["spec"])
    from wandb_workspaces.reports.v2 import internal

    internal.Spec.model_validate(spec)  # the schema that the client ships
    texts, grids = blocks(spec)
    told = "\n".join(texts)
    for title in ("What can be concluded", "Scores", "Learning curves", "Method"):
        assert title in texts
    (pair,) = comparison.against_baseline
    assert pair.verdict in told
    assert f"{comparison.rows['test'][0].scores['bleu'].mean:.2f}" in told
    assert "python compare.py runs=mine" in told
    assert "version" in told or "torch" in told
    (curves,) = grids
    assert '["a", "b"]' in json.dumps(curves["runSets"]), "those that were compared, and no other of their group"
    panels = curves["panelBankSectionConfig"]["panels"]
    assert [panel["config"]["metrics"] for panel in panels] == [["val/bleu"], ["val/loss"]], "each once"
    assert {panel["config"]["groupArea"] for panel in panels} == {"stddev"}
    assert "A line is a mean over seeds, its band one standard deviation." in texts


def test_nothing_is_written_of_runs_that_are_not_there_yet(server, comparison):
    server.runs["a"] = Run({"groupName": GROUP}, {"wandb-summary.json": {0: "{}"}})
    with pytest.raises(ConfigError, match=r"of 2 runs 1 are in us/attnlab: upload the others \(wandb sync x/wandb\)"):
        save_report(comparison, OF, ["a", "b"], "wandb sync x/wandb")
    assert server.views == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_curves_are_put_together_by_what_is_compared(server, comparison):
    """W&B is told settings flat, by their whole keys, and puts lines together by one of them."""
    of = replace(comparison, factor=("encoder", "optimizer.lr", "attention@sentence_pooling.attention"))
    made = json.loads(report(of, "us", OF, ["a"], [])._to_model().spec.model_dump_json(by_alias=True))
    texts, (curves,) = blocks(made)
    panels = [panel["config"] for panel in curves["panelBankSectionConfig"]["panels"]]
    assert [(panel["chartTitle"], panel["groupBy"]) for panel in panels] == [
        ("BLEU by encoder", "encoder.value"), ("BLEU by optimizer.lr", "optimizer.lr.value"),
        ("loss by encoder", "encoder.value"), ("loss by optimizer.lr", "optimizer.lr.value"),
    ]  # fmt: skip
    (said,) = [text for text in texts if text.startswith("Configurations differ in encoder, optimizer.lr, ")]
    assert "whatever the others are" in said
    told = {"optimizer": {"lr": 0.003}, "encoder": {"cell": "gru"}}
    assert {"encoder", "optimizer.lr"} <= {*flatten(told), *comparison.configurations[0].runs[0].choices}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_curve_is_drawn_of_what_no_validation_has_measured(server, comparison):
    runs = [run for item in comparison.configurations for run in item.runs]
    assert [item.key("val") for item in recorded(comparison)] == ["val/bleu", "val/loss"]
    for run in runs:
        for point in run.history:
            point.values.pop("val/bleu", None)
    assert [item.key("val") for item in recorded(comparison)] == ["val/loss"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_heat_maps_that_most_runs_have(server, comparison):
    runs = [
        ["test/attention/test_0", "val/attention/val_1", "test/bleu"],
        ["test/attention/test_0", "test/attention/b"],
    ]
    keys = heatmaps(runs)
    assert keys == ["test/attention/test_0", "test/attention/b"]
    made = json.loads(report(comparison, "us", OF, ["a"], keys)._to_model().spec.model_dump_json(by_alias=True))
    _, grids = blocks(made)
    shown = [panel["config"] for panel in grids[1]["panelBankSectionConfig"]["panels"]]
    assert [panel["mediaKeys"] for panel in shown] == [[key] for key in keys]


def test_no_server_is_no_failure(comparison, tmp_path, monkeypatch, capsys):
    """Whatever comes of W&B is told in a line."""
    found = Recorded("abc", "attnlab", None, GROUP, None)
    monkeypatch.setattr("attnlab.cli.wandb_comparing.run_of", lambda _: found)

    def refuse(*_):
        raise ConnectionError("nobody there")

    monkeypatch.setattr("attnlab.cli.wandb_comparing.note_summary", refuse)
    note_comparison(comparison, tmp_path, [])
    assert "not, or not all, told there (nobody there); its files are whole" in capsys.readouterr().out


def test_runs_of_several_projects():
    with pytest.raises(ConfigError, match="several projects, a, b"):
        common([OF._replace(project="a"), OF._replace(project="b")])
    assert common([OF, OF._replace(entity=None, id="x")])[2:4] == ("us", GROUP)
    assert common([OF, OF._replace(group="other")]).group is None
