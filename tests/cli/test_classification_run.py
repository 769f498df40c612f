"""Classification from the command line: trained, gone on with, tested, evaluated on other data, compared."""

import json

import numpy as np
import pytest

import attnlab
from attnlab.errors import ConfigError

WORDS = ["film", "story", "actor", "scene", "music"]
SMALL = ("logger=none", "encoder.hidden_dim=8", "model.embedding_dim=8", "optimizer.lr=0.01", "trainer.max_epochs=2",
         "callbacks.run_files.figures=0", "callbacks.attention_maps.sentences=0", "data.batch_size=16")  # fmt: skip
DRAWN = ("callbacks.run_files.figures=1", "callbacks.attention_maps.sentences=1")


def rows(items, seed):
    draw = np.random.default_rng(seed)
    found = []
    for number in range(items):
        label = int(draw.integers(2))
        words = [*draw.choice(WORDS, 4), "fine" if label else "dull", str(number)]
        draw.shuffle(words)
        found.append((" ".join(words), ("bad", "good")[label]))
    return found


def table(path, found):
    path.write_text("text\tlabel\n" + "\n".join("\t".join(row) for row in found), "utf-8")
    return str(path)


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reviews")
    return {"train": table(folder / "train.tsv", rows(240, 1)), "other": table(folder / "other.tsv", rows(30, 2))}


def folder_of(output):
    from pathlib import Path

    return Path(output.split("files:")[1].strip())


def metrics(folder):
    return json.loads((folder / "metrics.json").read_text("utf-8"))


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def trained(commands, reviews):
    return folder_of(commands("train", "dataset=labelled", f"dataset.train={reviews['train']}", *SMALL, *DRAWN))


def test_a_run_leaves_what_others_read(trained):
    found = metrics(trained)
    assert found["task"] == "classification"
    assert found["monitor"] == "val/accuracy"
    assert found["attention"] == "tanh_dot"
    tested = lines(trained / "test.jsonl")
    assert len(tested) == 24
    assert found["test/accuracy"] == pytest.approx(np.mean([item["label"] == item["predicted"] for item in tested]))
    assert found["test/nll"] == pytest.approx(np.mean([item["loss"] for item in tested]))
    for item in tested:
        assert item["text"].split() == item["tokens"]
        assert sum(item["probabilities"].values()) == pytest.approx(1)
        np.testing.assert_allclose(np.sum(item["weights"]), 1, atol=1e-3)
    for name in ("confusion_test.csv", "confusion_test.png", "attention/test_0.png", "attention/val.npz"):
        assert (trained / name).is_file()
    counts = [line.split(",") for line in (trained / "confusion_test.csv").read_text("utf-8").splitlines()]
    assert counts[0] == ["label / predicted", "bad", "good"]
    assert sum(int(cell) for row in counts[1:] for cell in row[1:]) == 24


def test_it_learns_what_decides(commands, reviews):
    settings = (*SMALL, "trainer.max_epochs=8", "model.dropout=0", "model.word_dropout=0")
    output = commands(
        "train", "dataset=labelled", f"dataset.train={reviews['train']}", *settings, "pooling=context_vector"
    )
    folder = folder_of(output)
    assert metrics(folder)["test/accuracy"] == 1
    looked = [item["tokens"][int(np.argmax(item["weights"][0]))] for item in lines(folder / "test.jsonl")]
    # A sixth by chance; not all, since the word of one class can be told by its absence.
    assert np.mean([word in ("fine", "dull") for word in looked]) > 1 / 3


def test_it_goes_on_as_if_it_had_not_stopped(commands, reviews, trained):
    train = ("train", "dataset=labelled", f"dataset.train={reviews['train']}", *SMALL)
    short = folder_of(commands(*train, "trainer.max_epochs=1", "scheduler=constant"))
    commands("train", f"resume={short}", "trainer.max_epochs=2")
    whole = folder_of(commands(*train, "scheduler=constant"))
    assert lines(short / "test.jsonl") == lines(whole / "test.jsonl")


def test_it_is_tested_on_other_data(commands, reviews, trained):
    commands("evaluate", f"run={trained}", "dataset=labelled", f"dataset.test={reviews['other']}", "name=other")
    found = json.loads((trained / "evaluations" / "other.json").read_text("utf-8"))
    assert len(lines(trained / "evaluations" / "other.test.jsonl")) == 30
    assert 0 <= found["test/accuracy"] <= 1


def test_the_recorded_data_give_the_same_again(commands, trained):
    commands("evaluate", f"run={trained}", "name=again")
    again = json.loads((trained / "evaluations" / "again.json").read_text("utf-8"))
    assert again["test/accuracy"] == metrics(trained)["test/accuracy"]


def test_controls_and_linear_layers_alone(commands, reviews):
    output = commands("train", "dataset=labelled", f"dataset.train={reviews['train']}", *SMALL[:1], "pooling=mean",
                      "encoder=embedding", "trainer.max_epochs=1")  # fmt: skip
    folder = folder_of(output)
    assert folder.parts[-3:-1] == ("labelled", "mean")
    assert (metrics(folder)["pooling"], metrics(folder)["model"]) == ("mean", "classifier")
    assert all(item["weights"] is None for item in lines(folder / "test.jsonl"))
    assert not (folder / "attention").exists()


def test_runs_are_compared(commands, reviews, tmp_path):
    output = commands("train", "-m", "dataset=labelled", f"dataset.train={reviews['train']}", *SMALL,
                      "pooling=last_state,mean", "seed=1,2", "sweep_name=poolings")  # fmt: skip
    assert "pooling" in output or output
    told = commands("compare", "runs=sweeps/poolings/latest", f"output={tmp_path}")
    assert "accuracy" in told
    assert "sentence" not in (tmp_path / "comparison.md").read_text("utf-8").lower()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("pooling=context_vector", "attention=coverage"), "Coverage asks where earlier steps have looked"),
        (("task.class_weights={ugly: 2}",), "there is no class 'ugly'; there is bad, good"),
        (("task.class_weights=often",), "class_weights"),
        (("task.label_smoothing=1.5",), "task.label_smoothing"),
        (("model.word_dropout=2",), "model.word_dropout"),
        (("dataset.fold=1",), "expected two folds or more"),
        (("data.vectors=missing.txt",), "missing.txt"),
    ],
)
def test_mistakes(commands, reviews, arguments, told):
    output = commands("train", "dataset=labelled", f"dataset.train={reviews['train']}", *SMALL, *arguments, code=2)
    assert told in output


def test_another_data_set_that_brings_a_tokenizer(commands, trained):
    told = commands("evaluate", f"run={trained}", "dataset=trec", code=2)
    assert "missing file" in told
    told = commands("evaluate", f"run={trained}", "dataset=grammar", code=2)
    assert "grammar has no labelled texts, which task=classification asks for" in told


def test_it_is_explained(commands, trained):
    quick = ("items=4", "permutations=3", "starts=1", "adam_steps=3", "captum=false", "name=quick")
    printed = commands("explain", f"run={trained}", *quick, environment={"COLUMNS": "80"})
    assert max(map(len, printed.splitlines()[:-1])) <= 80
    assert "tau with gradient" in printed
    place = trained / "explanations" / "quick"
    told, found = json.loads((place / "explanation.json").read_text("utf-8")), lines(place / "explanation.jsonl")
    assert told["instances"] == len(found) == 4
    assert told["explanation/uniform_change"] == pytest.approx(
        np.mean([line["measures"]["uniform_change"] for line in found])
    )
    tested = lines(trained / "test.jsonl")
    for line in found:
        item = tested[line["number"]]
        assert line["positions"] == item["tokens"]
        assert line["output"] == item["predicted"]
        np.testing.assert_allclose(line["rankings"]["attention"], np.mean(item["weights"], 0), atol=1e-3)
    assert {path.name for path in place.glob("*.png")} == {"correlations.png", "weights.png"}
    held = attnlab.compare([str(trained)], explanation="quick", metric="uniform_change")
    ((row,),) = held.rows.values()
    assert row.scores["uniform_change"].mean == pytest.approx(told["explanation/uniform_change"])
    with pytest.raises(ConfigError, match="no explanation 'slow'; there is quick"):
        attnlab.compare([str(trained)], explanation="slow")


@pytest.mark.long
def test_it_is_held_against_models_trained_on_its_texts(commands, trained):
    asked = ("items=2", "permutations=1", "starts=0", "captum=false", "epochs=1", "lambdas=[0.0,0.1]", "name=trained")
    printed = commands("explain", f"run={trained}", *asked, "baselines=[perceptron,adversary]")
    place = trained / "explanations" / "trained"
    models = json.loads((place / "baselines.json").read_text("utf-8"))["models"]
    names = [
        "the run", "adversary, lambda 0", "adversary, lambda 0.1", "perceptron, uniform weights",
        "perceptron, its own weights", "perceptron, the run's weights", "perceptron, lambda 0's weights",
        "perceptron, lambda 0.1's weights",
    ]  # fmt: skip
    assert [model["model"] for model in models] == names
    own = json.loads((trained / "metrics.json").read_text("utf-8"))["test/accuracy"]
    assert models[0]["accuracy"] == pytest.approx(own if own <= 1 else own / 100)
    assert [len(model["accuracies"]) for model in models] == [1, 1, 1, 3, 3, 3, 3, 3]
    assert all(0 <= model["divergence"] <= np.log(2) and 0 <= model["change"] <= 1 for model in models[1:3])
    assert (place / "adversaries.png").is_file()
    assert "adversary, lambda 0.1" in printed
