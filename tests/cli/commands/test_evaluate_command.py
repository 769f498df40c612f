"""``evaluate.py`` on a trained run."""

import json

import pytest
import sacrebleu

from attnlab.cli.score import Chosen
from attnlab.data.corpora.grammar.corpus import Grammar
from attnlab.metrics.published_bleu import published_bleu
from attnlab.types import ConfigError


def read(run, name):
    return json.loads((run / "evaluations" / f"{name}.json").read_text("utf-8"))


def test_the_same_scores_as_after_training(commands, run):
    commands("evaluate", f"run={run}")
    trained = json.loads((run / "metrics.json").read_text("utf-8"))
    scores = read(run, "recorded")
    names = [name for name in trained if name.startswith("test") and not name.endswith("per_second")]
    assert names
    assert {name: scores[name] for name in names} == {name: trained[name] for name in names}


def test_another_search_on_other_splits(commands, run):
    commands("evaluate", f"run={run}", "search=beam", "search.beam=2", "splits=[train,test]", "name=two")
    scores = read(run, "two")
    lines = (run / "evaluations" / "two.test_train.jsonl").read_text("utf-8").splitlines()
    pairs = [json.loads(line) for line in lines]
    expected = sacrebleu.corpus_bleu([p["hypothesis"] for p in pairs], [[p["reference"] for p in pairs]]).score
    assert abs(scores["test_train/bleu"] - expected) < 1e-4
    assert "test/bleu" in scores
    assert "test_long/bleu" not in scores


def test_the_score_of_many_papers_stands_beside_with_its_signature(commands, run):
    told = " ".join(commands("evaluate", f"run={run}", "splits=[test]", "name=both").split())
    scores = read(run, "both")
    lines = [json.loads(line) for line in (run / "evaluations" / "both.test.jsonl").read_text("utf-8").splitlines()]
    expected = published_bleu([p["hypothesis"] for p in lines], [p["reference"] for p in lines], "de")
    assert scores["test/bleu_lowercased"] == pytest.approx(expected.score)
    assert scores["bleu_lowercased_signature"] == expected.signature
    assert f"test: bleu {scores['test/bleu']:.2f} ({scores['bleu_signature']})" in told
    assert f"test: bleu lowercased {expected.score:.2f} ({expected.signature})" in told


def test_other_data(commands, run):
    (commands.root / "own.tsv").write_text("the dog sleeps .\tder Hund schläft .\n", "utf-8")
    files = [f"dataset.{split}=own.tsv" for split in ("train", "val", "test")]
    languages = ["dataset.source_language=en", "dataset.target_language=de"]
    commands("evaluate", f"run={run}", "dataset=parallel", *languages, *files, "name=own")
    (line,) = (run / "evaluations" / "own.test.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line)["reference"] == "der Hund schläft ."


def test_what_is_wrong_is_told(commands, run):
    assert "there is no such folder" in commands("evaluate", "run=nowhere", code=2)
    assert "not a run folder" in commands("evaluate", f"run={run.parent}", code=2)
    assert "did you mean beam?" in commands("evaluate", f"run={run}", "search=baem", code=2)


def test_splits_that_a_corpus_does_not_have():
    corpus = Grammar(train_size=30, val_size=5, test_size=5)
    chosen = Chosen(corpus, ["train", "test"])
    assert chosen.splits == ("test_train", "test")
    assert list(chosen.read("test_train")) == list(corpus.read("train"))
    with pytest.raises(ConfigError, match="no split dev; there is train, val, test"):
        Chosen(corpus, ["dev"])
