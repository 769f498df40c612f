"""The dashboard: what it says offline, and what it would have W&B's server make."""

import json

import pytest
import wandb
from omegaconf import OmegaConf

from attnlab.cli.commands.dashboard import dashboard, workspace
from attnlab.cli.wandb_shown import (
    Shown,
    heatmap_keys,
    number_keys,
    outputs,
    picture_keys,
    shown,
    table_keys,
    varied,
)
from attnlab.types import ConfigError


@pytest.fixture(autouse=True)
def _anew():
    """W&B reads the environment once a process."""
    wandb.teardown()


KEY = "0123456789abcdef" * 2 + "01234567"


def test_offline_it_says_so_in_one_line(commands):
    told = commands("dashboard", code=2, environment={"WANDB_MODE": "offline"})
    assert told.count("\n") == 1
    assert told.startswith("Error: a dashboard is made by W&B's server, and W&B is offline (as asked)")
    assert "compare.py" in told


def test_heatmaps_that_most_runs_have():
    runs = [["val/bleu", "val/attention/a"], ["val/attention/b", "val/attention/a"], ["val/attention/c"]]
    assert heatmap_keys(runs) == ["val/attention/a", "val/attention/b", "val/attention/c"]
    assert heatmap_keys(runs, most=1) == ["val/attention/a"]
    assert heatmap_keys([]) == []


NUMBERS = [
    "val/bleu", "val/loss", "train/loss", "test/bleu", "test_long/bleu", "test/loss", "test/nobodys", "params",
    "train/seconds", "train/target_tokens_per_second", "test/sentences_per_second", "train/mfu",
]  # fmt: skip


def panels_of(sent):
    return [panel for section in sent["spec"]["section"]["panelBankConfig"]["sections"] for panel in section["panels"]]


def test_numbers_whose_quantity_is_known():
    runs = [["test/bleu", "_step", "test/nobodys"], ["params", "test/bleu", "val/samples"]]
    assert set(number_keys(runs)) == {"test/bleu", "params"}
    keys = ["test_long/bleu", "test/ter", "train/loss", "test/bleu", "val/ppl", "test/aer", "val/bleu", "params"]
    for given in (keys, keys[::-1]):  # the order of W&B's is none
        assert number_keys([given], "val/bleu") == [
            "val/bleu", "val/ppl", "train/loss", "params", "test/bleu", "test/aer", "test/ter", "test_long/bleu",
        ]  # fmt: skip


class Run:
    """One of W&B's, as far as it is read."""

    def __init__(self, config, *keys, **summary):
        self.config, self.summary = config, dict.fromkeys(keys, 1) | summary


def test_what_is_no_training_is_not_taken_for_one():
    """A group has its comparison, too, with numbers, tables and a configuration of its own."""
    keys, told = ("val/accuracy", "test/accuracy", "test/samples"), {"words.outputs": "predictions"}
    trained = [
        Run({"attention": "none", "pooling": pooling, "seed": 1}, *keys, monitor="val/accuracy", **told)
        for pooling in ("mean", "maximum")
    ]
    compared = Run({"metric": "accuracy", "factor": ["pooling"]}, "comparison/scores", "comparison/report")
    has = shown([compared, *trained])
    assert (has.outputs, has.group) == ("predictions", "pooling")
    assert has.compared == ["comparison/scores", "comparison/report"]
    assert has.tables == ["test/samples"], "no panel of samples of the validation, which there are none of"


def test_the_setting_that_runs_are_told_apart_by():
    """Of a group with one attention it is another; what differs with the seed is none."""

    def job(seed, **more):
        return {"seed": seed, "data.seed": seed, "attention": "none", "paths.run": f"a/{seed}{more}",
                "callbacks.history.path": f"{seed}{more}", **more}  # fmt: skip

    assert varied([job(1, **{"optimizer.lr": 0.1}), job(1, **{"optimizer.lr": 0.2})]) == "optimizer.lr"
    assert varied([job(1, encoder="lstm"), job(2, encoder="lstm"), job(1, encoder="gru")]) == "encoder"
    assert varied([job(1), job(2)]) == "attention"
    both = [job(1, **{"decoder.dropout": rate, "model.dropout": rate}) for rate in (0.1, 0.2)]
    assert varied(both, ["model.dropout"]) == "model.dropout", "that of the comparison, not what follows it"


def test_pictures_of_the_test_in_their_order():
    keys = ["test/attention/test_10", "test/attention/test_2", "test/forecast/test_6", "test/confusion",
            "val/attention/val_1", "comparison/bleu-test"]  # fmt: skip
    assert picture_keys([keys]) == [
        "test/confusion", "test/forecast/test_6", "test/attention/test_2", "test/attention/test_10",
    ]  # fmt: skip


@pytest.fixture
def view():
    return workspace(
        "us",
        "attnlab",
        "Attention",
        "types/2026-01-01_00-00-00",
        Shown(["val/attention/val_3"], number_keys([NUMBERS]), "translations", tables=["val/samples"]),
    )


def test_a_section_a_question(view):
    assert [section.name for section in view.sections] == [
        "Learning curves by attention",
        "Scores of the test, mean and spread over seeds",
        "Cost and quality",
        "Sample translations",
        "Alignments, side by side",
    ]


def test_what_is_sent(view):
    sent = json.loads(view._to_model().model_dump_json(by_alias=True))
    text = json.dumps(sent)
    titles = [panel["config"].get("chartTitle") for panel in panels_of(sent)]
    assert {"training speed and BLEU", "training and BLEU", "parameters and BLEU"} <= set(titles)
    assert not [title for title in titles if title and "nobody" in title]
    for name in ("val/bleu", "test/bleu", "test_long/bleu", "val/samples", "val/attention/val_3", "types/2026-01-01"):
        assert name in text, name
    panels = panels_of(sent)
    assert {panel["viewType"] for panel in panels} >= {"Run History Line Plot", "Bar Chart", "Media Browser"}
    bars = [panel["config"] for panel in panels if panel["viewType"] == "Bar Chart"]
    assert {bar["groupBy"] for bar in bars} == {"attention.value"}
    assert {bar["groupArea"] for bar in bars} == {"stddev"}


def test_samples_are_called_what_the_tasks_of_the_runs_call_them(view):
    assert "Sample translations" in [section.name for section in view.sections]
    assert outputs([{}, {"words.outputs": "verdicts"}, {"words.outputs": "verdicts"}]) == "translations and verdicts"
    assert outputs([{"words.outputs": "verdicts"}]) == "verdicts"
    assert outputs([]) == "translations"


class Api:
    """W&B's server, as far as the command asks it."""

    default_entity = "us"

    def __init__(self, **_):
        self.asked = []

    def runs(self, path, filters, lazy):
        assert (path, filters, lazy) == ("us/attnlab", {"group": "g"}, False)
        return [Run({"attention": "none"}, "val/attention/val_1", "val/bleu", "test/bleu", "params")]


CONFIG = OmegaConf.create({"entity": None, "project": "attnlab", "group": "g", "title": "Attention"})


def test_online(monkeypatch, capsys):
    from wandb_workspaces import workspaces

    saved = []
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setattr(wandb, "Api", Api)
    monkeypatch.setattr(workspaces.Workspace, "save", lambda view: saved.append(view))  # noqa: PLW0108 - a builtin would not bind
    monkeypatch.setattr(workspaces.Workspace, "url", "https://wandb.ai/us/attnlab?nw=x")
    dashboard(CONFIG)
    (view,) = saved
    assert [panel.media_keys for panel in view.sections[-1].panels] == [["val/attention/val_1"]]
    assert capsys.readouterr().out == "dashboard: https://wandb.ai/us/attnlab?nw=x\n"


def test_no_network(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_API_KEY", KEY)

    def refuse(**_):
        raise ConnectionError("nobody there")

    monkeypatch.setattr(wandb, "Api", refuse)
    with pytest.raises(ConfigError, match="cannot make the dashboard of attnlab: nobody there"):
        dashboard(CONFIG)


def test_the_view_of_classifiers():
    keys = ["val/accuracy", "test/accuracy", "params", "val/samples", "test/samples", "test/attention/test_0",
            "val/attention/val_1", "test/confusion", "words.outputs"]  # fmt: skip
    configs = [{"attention": "none", "pooling": "mean"}, {"attention": "luong_dot", "pooling": "last_state"}]
    has = Shown(
        heatmap_keys([keys]),
        number_keys([keys]),
        "predictions",
        picture_keys([keys]),
        table_keys([keys]),
        ["train/learning_rate", "train/gradient_norm", "attention/over_training", "data/card"],
        varied(configs),
    )
    assert has.pictures == ["test/confusion", "test/attention/test_0"]
    assert has.tables == ["val/samples", "test/samples"]
    view = workspace("us", "attnlab", "Attention", None, has)
    assert [section.name for section in view.sections] == [
        "Learning curves by pooling",
        "Scores of the test, mean and spread over seeds",
        "Cost and quality",
        "Sample predictions",
        "What an update is",
        "Attention over training",
        "Data",
        "Pictures of the test",
        "Attention, side by side",
    ]
    sent = json.loads(view._to_model().model_dump_json(by_alias=True))
    bars = [panel["config"] for panel in panels_of(sent) if panel["viewType"] == "Bar Chart"]
    assert {bar["groupBy"] for bar in bars} == {"pooling.value"}
    (runset,) = sent["spec"]["section"]["runSets"]
    assert [(f["key"]["name"], f["op"], f["value"]) for f in runset["filters"]["filters"]] == [
        ("jobType", "NIN", ["evaluate", "answer"])
    ]
    assert varied([*configs, {"attention": "none"}]) == "attention"
    assert varied([]) == "attention"
