"""Entailment and relatedness from the first command to the last: trained, gone on with, tested, compared, asked."""

import json

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

import attnlab
from attnlab.api.commands import execute
from attnlab.cli.commands import predict
from attnlab.cli.errors import MistakesError
from attnlab.errors import ConfigError, DataError

NOUNS, VERBS = ["dog", "cat", "man", "girl", "bird"], ["runs", "sleeps", "eats", "sings"]
SMALL = ["logger=none", "trainer.max_epochs=2", "model.embedding_dim=8", "model.hidden_dim=8", "data.ngrams=null",
         "callbacks.run_files.figures=1", "callbacks.attention_maps.sentences=1", "data.batch_size=16"]  # fmt: skip


def rows(items, seed):
    """Neutral where the noun changes, a contradiction where it is denied."""
    draw = np.random.default_rng(seed)
    found = []
    for number in range(items):
        noun, other = draw.choice(NOUNS, 2, replace=False)
        verb, kind = draw.choice(VERBS), int(draw.integers(3))
        said = [f"the {noun} {verb}", f"no {noun} {verb}", f"the {other} {verb}"][kind]
        label = ["entailment", "contradiction", "neutral"][kind]
        found.append((f"the old {noun} {verb} {number}", said, label, [4.8, 3.1, 2.0][kind] + draw.random() / 5))
    return found


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("entailment")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATTNLAB_ROOT", str(folder))
        patch.setenv("ATTNLAB_CACHE", str(folder / "cache"))
        for name, items, seed in (("train", 150, 1), ("other", 20, 2)):
            table = [
                "sentence1\tsentence2\tgold_label\tscore",
                *("\t".join(map(str, row)) for row in rows(items, seed)),
            ]
            (folder / f"{name}.tsv").write_text("\n".join(table), "utf-8")
        yield folder


@pytest.fixture(scope="module")
def pairs(root):
    return ["dataset=pairs", f"dataset.train={root}/train.tsv", *SMALL]


@pytest.fixture(scope="module")
def run(pairs):
    return attnlab.train([*pairs, "model.overlap=true"])


def test_a_run_leaves_what_others_read(run):
    metrics, tested = run.metrics, lines(run.folder / "test.jsonl")
    assert (metrics["task"], metrics["monitor"], metrics["model"]) == ("entailment", "val/accuracy", "decomposable")
    assert metrics["test/accuracy"] == pytest.approx(np.mean([item["label"] == item["predicted"] for item in tested]))
    assert (len(tested), metrics["data/test/premise_in_train"]) == (15, 0)
    for item in tested:
        assert item["pair"] == f"{item['premise']} → {item['hypothesis']}"
        weights, back = np.array(item["weights"]), np.array(item["weights_back"])
        assert weights.shape == back.T.shape == (len(item["hypothesis_tokens"]), len(item["premise_tokens"]))
        np.testing.assert_allclose([*weights.sum(1), *back.sum(1)], 1, atol=1e-3)
    for name in ("confusion_test.csv", "confusion_test.png", "attention/test_0.png", "attention/val.npz"):
        assert (run.folder / name).is_file()
    with np.load(run.folder / "attention" / "maps.npz") as kept:
        assert kept["weights_back_0"].shape == kept["weights_0"].T.shape


def test_single_pairs_are_told_as_the_test_has_them(run):
    item = lines(run.folder / "test.jsonl")[0]
    pair = f"{item['premise']}\t{item['hypothesis']}"
    as_json = json.dumps({"sentence1": item["premise"], "sentence2": item["hypothesis"]})
    for found in run.predict([pair, as_json]):
        assert found.probabilities == pytest.approx(item["probabilities"], abs=1e-6)
    seen = run.attend(pair)
    np.testing.assert_allclose(seen.back, item["weights_back"], atol=1e-3)
    assert (seen.sides, list(seen.rows)) == (("premise", "hypothesis"), item["hypothesis_tokens"])
    with pytest.raises(DataError, match=r"texts\[0\]: no tab; expected PREMISE<tab>HYPOTHESIS"):
        run.predict(["only one sentence"])
    with pytest.raises(DataError, match="no premise and hypothesis among its keys"):
        run.predict(['{"text": "x"}'])


def test_a_file_of_pairs_is_answered_line_by_line(run, tmp_path, capsys):
    (tmp_path / "in.txt").write_text("the dog runs\tno dog runs\nno tab here\n\na\tb\tc\n", "utf-8")
    words = [f"run={run.folder}", f"input={tmp_path}/in.txt", f"output={tmp_path}/out.txt", "format=json",
             f"plot={tmp_path}/drawn"]  # fmt: skip
    execute(predict.COMMAND, words)
    first, second, third, fourth = lines(tmp_path / "out.txt")
    assert first["hypothesis_tokens"] == ["no", "dog", "runs"]
    assert second["error"].startswith("no tab; expected PREMISE<tab>HYPOTHESIS")
    assert third == {"line": 3, "text": ""}
    assert fourth["error"].startswith("2 tabs")
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["1.png"]
    assert "2 of the lines" in capsys.readouterr().err


def test_it_is_tested_on_other_data(run, root):
    found = run.evaluate(["dataset=pairs", f"dataset.test={root}/other.tsv", "name=other"])
    assert 0 <= found["test/accuracy"] <= 1
    assert len(lines(run.folder / "evaluations" / "other.test.jsonl")) == 20
    assert run.evaluate(["name=again"])["test/accuracy"] == run.metrics["test/accuracy"]


@pytest.mark.long
def test_it_goes_on_as_if_it_had_not_stopped(pairs):
    settings = [*pairs, "model=word_by_word", "encoder.hidden_dim=4", "scheduler=constant"]
    short = attnlab.train([*settings, "trainer.max_epochs=1"])
    attnlab.train([f"resume={short.folder}", "trainer.max_epochs=2"])
    whole = attnlab.train(settings)
    assert lines(short.folder / "test.jsonl") == lines(whole.folder / "test.jsonl")


@pytest.mark.long
def test_runs_are_compared(run, pairs, tmp_path):
    linear = attnlab.train([*pairs[:3], "model=overlap_linear"])
    control = attnlab.train([*pairs, "model=siamese", "encoder=embedding"])
    assert linear.metrics["test/accuracy"] > 0.8  # the denial and the words in common decide all
    assert lines(linear.folder / "test.jsonl")[0]["weights"] is None
    told = attnlab.compare([run, linear, control], output=tmp_path, resamples=100)
    assert "mcnemar" in str(told).lower()
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "words of the hypothesis look" in page
    assert "words of the premise look" in page


def test_relatedness_is_a_regression(root, pairs, tmp_path):
    rated = [*pairs, "task=relatedness", "dataset.score=score"]
    network = attnlab.train([*rated, "task.objective=mse", "monitor=val/mse"])
    linear = attnlab.train([*rated[:3], "task=relatedness", "dataset.score=score", "model=overlap_linear"])
    for run in (network, linear):
        found = lines(run.folder / "test.jsonl")
        scores, predicted = (np.array([item[key] for item in found]) for key in ("score", "predicted"))
        assert run.metrics["test/pearson"] == pytest.approx(pearsonr(predicted, scores)[0], abs=1e-6)
        assert run.metrics["test/spearman"] == pytest.approx(spearmanr(predicted, scores)[0], abs=1e-6)
        assert run.metrics["test/mse"] == pytest.approx(np.mean((predicted - scores) ** 2), abs=1e-6)
        told = run.predict([f"{item['premise']}\t{item['hypothesis']}" for item in found])
        np.testing.assert_allclose([item.predicted for item in told], predicted, atol=1e-5)
    assert linear.metrics["test/pearson"] > 0.9
    assert "Pearson" in str(attnlab.compare([network, linear], output=tmp_path, resamples=100))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["model=classifier", "pooling=mean"], "a Classifier is no PairClassifier or OverlapLinear"),
        (["attention=coverage"], "Coverage asks where earlier words have looked. Take model=word_by_word"),
        (["model=word_by_word", "encoder=embedding"], "reads with one recurrent layer: take encoder=lstm"),
        (["task=relatedness"], "pairs of pairs have no score, which task=relatedness asks for; set dataset.score"),
        (["task=relatedness", "dataset.score=score", "model=overlap_linear", "task.objective=mse"], "is fitted by"),
        (["dataset.label=null"], "pairs of pairs have no label, which task=entailment asks for"),
        (["task.class_weights={ugly: 2}"], "there is no class 'ugly'; there is contradiction, entailment, neutral"),
        (["model.matching.distance=-1"], "model.matching.distance"),
        (["data.vectors=missing.txt"], "missing.txt"),
    ],
)  # fmt: skip
def test_mistakes(pairs, arguments, told):
    kept = pairs if "model=overlap_linear" not in arguments else pairs[:3]
    with pytest.raises((ConfigError, DataError, MistakesError)) as caught:
        attnlab.train([*kept, *arguments])
    assert told in str(caught.value)
