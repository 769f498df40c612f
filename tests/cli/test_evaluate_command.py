"""``evaluate.py`` on a trained run."""

import json

import sacrebleu


def read(run, name):
    return json.loads((run / "evaluations" / f"{name}.json").read_text("utf-8"))


def test_the_same_scores_as_after_training(commands, run):
    commands("evaluate", f"run={run}")
    trained = json.loads((run / "metrics.json").read_text("utf-8"))
    scores = read(run, "recorded")
    names = [name for name in trained if name.startswith("test")]
    assert names
    assert {name: scores[name] for name in names} == {name: trained[name] for name in names}


def test_another_search_on_other_splits(commands, run):
    commands("evaluate", "run=latest", "search=beam", "search.beam=2", "splits=[train,test]", "name=two")
    scores = read(run, "two")
    lines = (run / "evaluations" / "two.test_train.jsonl").read_text("utf-8").splitlines()
    pairs = [json.loads(line) for line in lines]
    expected = sacrebleu.corpus_bleu([p["hypothesis"] for p in pairs], [[p["reference"] for p in pairs]]).score
    assert abs(scores["test_train/bleu"] - expected) < 1e-4
    assert "test/bleu" in scores
    assert "test_long/bleu" not in scores


def test_other_data(commands, run):
    commands("evaluate", f"run={run}", "dataset=parallel", "dataset.source_language=en", "dataset.target_language=de",
             "dataset.train=own.tsv", "dataset.val=own.tsv", "dataset.test=own.tsv", code=2)  # fmt: skip
    (commands.root / "own.tsv").write_text("the dog sleeps .\tder Hund schläft .\n", "utf-8")
    commands("evaluate", f"run={run}", "dataset=parallel", "dataset.source_language=en", "dataset.target_language=de",
             "dataset.train=own.tsv", "dataset.val=own.tsv", "dataset.test=own.tsv", "name=own")  # fmt: skip
    (line,) = (run / "evaluations" / "own.test.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line)["reference"] == "der Hund schläft ."


def test_what_is_wrong_is_told(commands, run):
    assert "there is no such folder" in commands("evaluate", "run=nowhere", code=2)
    assert "not a run folder" in commands("evaluate", f"run={run.parent}", code=2)
    assert "did you mean beam?" in commands("evaluate", f"run={run}", "search=baem", code=2)
    assert "grammar has no split dev" in commands("evaluate", f"run={run}", "splits=[dev]", code=2)
    assert "of another model" in commands("evaluate", f"run={run}", "encoder.hidden_dim=12", code=2)
