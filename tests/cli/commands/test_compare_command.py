"""``compare.py`` on copies of a trained run."""

import csv
import json
import shutil
import time
from pathlib import Path

import pytest
import yaml

QUICK = ("tests=[seeds]", "resamples=100", "report=false")


@pytest.fixture(scope="module")
def sweep(commands, run):
    """Two configurations of the same outputs, two seeds each: nothing to be found."""
    folder = commands.root / "sweeps" / "copies" / "2030-01-01_00-00-00"
    for number, (rate, seed) in enumerate((rate, seed) for rate in (0.1, 0.2) for seed in (1, 2)):
        place = folder / f"{number}_copy"
        shutil.copytree(run, place, ignore=shutil.ignore_patterns("checkpoints", "wandb"))
        path = place / ".hydra" / "config.yaml"
        config = yaml.safe_load(path.read_text("utf-8"))
        config["seed"] = seed
        config["optimizer"]["lr"] = rate
        path.write_text(yaml.safe_dump(config), "utf-8")
    return folder


def test_a_sweep(commands, run, sweep):
    output = commands("compare", f"runs={sweep}", 'baseline="optimizer.lr=0.1"', "split=test_long", *QUICK)
    said = "no difference shown between optimizer.lr=0.2 and optimizer.lr=0.1 (test over seeds and sentences, p = 1.00,"
    assert said in " ".join(output.split())  # lines are wrapped
    written = sweep / "comparison"
    assert f"files: {written} (scores.csv" in output
    rows = list(csv.DictReader((written / "scores.csv").read_text("utf-8").splitlines()))
    assert [(row["split"], row["seeds"]) for row in rows] == [("test_long", "2")] * 2 + [("test", "2")] * 2
    trained = json.loads((run / "metrics.json").read_text("utf-8"))
    for row in rows:
        for name in ("bleu", "chrf", "ter", "ppl", "aer"):
            assert float(row[name]) == pytest.approx(trained[f"{row['split']}/{name}"], rel=1e-5, abs=1e-5)
            assert row[f"{name}_interval_over"] == "seeds and sentences"
        assert float(row["sentences_per_second"]) == trained[f"{row['split']}/sentences_per_second"]
    content = json.loads((written / "comparison.json").read_text("utf-8"))
    assert content["command"].startswith(f"python compare.py runs={sweep} 'baseline=")
    assert content["by_frequency"]["score"] == "f1"


def test_the_newest_sweep_with_report_and_all_tests(commands, sweep):
    output = commands("compare", f"runs={sweep}", "output=elsewhere", "resamples=100")
    assert "files: elsewhere (" in output
    assert "report.html)" in output
    assert (commands.root / "elsewhere" / "report.html").is_file()
    tests = list(csv.DictReader((commands.root / "elsewhere" / "outputs.csv").read_text("utf-8").splitlines()))
    assert [(test["family"], test["test"]) for test in tests] == [
        ("baseline", "bs"), ("baseline", "ar"), ("baseline", "bs"), ("baseline", "ar"),
        ("all", "bs"), ("all", "ar"), ("all", "bs"), ("all", "ar"),
    ]  # fmt: skip
    # Where no sentence differs every shuffle differs as much; sacreBLEU's own p, of those that differ by more, is 1e-4.
    assert {float(test["p"]) for test in tests if test["test"] == "ar"} == {1.0}


def test_runs_by_name_and_by_glob(commands, sweep):
    listed = f"runs=[{sweep}/0_copy,{sweep}/2_copy]"
    told = commands("compare", listed, "output=two", *QUICK)
    assert "(no test was made); whether another seed" in " ".join(told.split())  # lines are wrapped
    assert "0_copy" not in commands("compare", f'runs="{sweep}/[13]*"', "output=three", *QUICK, code=0)


def test_what_is_wrong_is_told_at_once(commands, sweep):
    start = time.monotonic()
    told = commands("compare", "tests=[foo]", "baselin=none", code=2)
    assert "baselin: unknown key; did you mean baseline?" in told
    assert "each one of bs, ar, mcnemar, dm, seeds" in told
    assert time.monotonic() - start < 60  # a second where nothing else runs
    assert "write several in brackets: runs=[first,second]" in commands("compare", "runs=a,b", code=2)
    assert "there is no such folder" in commands("compare", "runs=nowhere", code=2)
    assert "level: came 7.0, expected a number above 0 and below 1" in commands("compare", "level=7.0", code=2)
    assert "baseline=nobody: there is no such configuration" in commands(
        "compare", f"runs={sweep}", "baseline=nobody", *QUICK, code=2
    )
    assert "metric=blue: no run has it; did you mean bleu? there is bleu, chrf, ter, ppl, aer" in commands(
        "compare", f"runs={sweep}", "metric=blue", *QUICK, code=2
    )
    assert "was not tested on it, but on test, test_long" in commands(
        "compare", f"runs={sweep}", "split=dev", *QUICK, code=2
    )


def test_help_needs_neither_runs_nor_torch(commands):
    output = commands("compare", "--help")
    assert "python compare.py runs=sweeps/attention_types/latest" in output


def test_other_test_sets_are_refused(commands, sweep, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(sweep / "0_copy", other)
    first, second, *rest = (other / "test.jsonl").read_text("utf-8").splitlines()
    (other / "test.jsonl").write_text("\n".join([second, first, *rest]) + "\n", "utf-8")  # the same scores
    told = commands("compare", f"runs=[{sweep},{other}]", *QUICK, code=2)
    assert "not comparable: other test set: line 1 of test has the source" in told
    assert Path(other).name in told
