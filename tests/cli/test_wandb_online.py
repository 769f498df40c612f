"""Commands that W&B is told of while they are at work: over HTTP, to a server that stands in for its own."""

import json

import pytest
from wandb_stand_in import standing_in

from attnlab.callbacks.wandb_start import run_of

KEPT = ("callbacks.attention_maps.sentences=1", "callbacks.progress=null")


@pytest.fixture(scope="module")
def server():
    with standing_in() as server:
        yield server


@pytest.fixture(scope="module")
def settings(tiny):
    return [*(word for word in tiny if word != "logger=none"), *KEPT]


@pytest.fixture(scope="module")
def trained(commands, settings, server):
    """A run folder, and what the server has of it."""
    commands("train", "attention=luong_dot", *settings, environment=server.environment())
    (line,) = (line for line in commands.told.splitlines() if line.startswith("W&B: http"))
    name = line.rpartition("/")[2]
    folders = [path.parent for path in commands.root.glob("outputs/**/metrics.json")]
    (folder,) = [folder for folder in folders if (of := run_of(folder)) is not None and of.id == name]
    return folder, server.runs[name]


def test_a_training_is_there_with_all_that_it_has(server, trained):
    folder, run = trained
    assert run.ended == 0
    assert run.told["jobType"] == "train"
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert run.summary["test/bleu"] == pytest.approx(metrics["test/bleu"])
    for key in ("val/bleu", "train/gradient_norm", "attention/over_training", "data/card", "test/samples"):
        assert run.history(key), key
    assert any(name.endswith(".png") for name in run.files)
    assert f"files: {folder}" in "".join(run.lines("output.log"))
    kinds = {one.kind for one in server.artifacts if one.maker == run.told["name"] and one.committed}
    assert {"tokenizer", "model", "evaluation"} <= kinds
    (data,) = server.of("dataset")
    assert data.users == [run.told["name"]]
    (model,) = (one for one in server.of("model") if one.maker == run.told["name"])
    assert "checkpoints/best.ckpt" in model.manifest


def test_later_commands_say_which_model_they_were_given(commands, server, trained, tmp_path):
    folder, run = trained
    last = ["checkpoint=last", "name=again"]  # of which the training has told nothing
    commands("evaluate", f"run={folder}", *last, "wandb=true", environment=server.environment())
    output = f"output={tmp_path / 'out.txt'}"
    said = server.environment()
    commands("translate", f"run={folder}", output, "wandb=true", text="a man sleeps\n", environment=said)
    made, other = sorted(server.of("model"), key=lambda one: one.maker != run.told["name"])
    assert [server.runs[user].told["jobType"] for user in made.users] == ["answer"]
    assert [server.runs[user].told["jobType"] for user in other.users] == ["evaluate"]
    assert made.name == other.name
    assert not any(name.endswith(".ckpt") for one in (made, other) for name in one.files), "no weights are uploaded"
    (lines,) = server.of("translations")
    assert lines.files["out.txt"] == (tmp_path / "out.txt").read_bytes()


def test_nothing_was_sent_that_is_not_what_it_says(server, trained):
    assert server.faults == []
    assert server.undescribed == set()
