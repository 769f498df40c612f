"""The folds of a cross-validation are one run: what is told of them is what one folder with all their lines has."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from judged import WORDS, lines, write
from sklearn.metrics import f1_score

from attnlab.analysis.comparing import Settings, compare
from attnlab.analysis.comparison import Comparison
from attnlab.analysis.documents import markdown
from attnlab.analysis.explained import SPLIT, explanations
from attnlab.analysis.exports import write_files
from attnlab.analysis.finding import find_runs
from attnlab.analysis.folds import unite
from attnlab.analysis.mechanisms import mechanisms_table
from attnlab.analysis.report.page import write_report
from attnlab.errors import DataError
from attnlab.metrics.quantities.explanation import UNIFORM
from attnlab.runs.schema import described

ITEMS, FOLDS = 40, 3
SHARES = {"mean": 0.6, "last_state": 0.8}
QUICK = Settings(resamples=200)


def fold_lines(pooling: str, seed: int, fold: int) -> list[dict[str, Any]]:
    return lines(100 * fold, ITEMS + fold, SHARES[pooling], seed + 10 * len(pooling))


def costs(fold: int) -> dict[str, Any]:
    return {
        "train/seconds": 10.0 + fold, "train/texts_per_second": 100.0 * (fold + 1), "peak_memory_mib": 50 + fold,
        "params": 1000 + 10 * fold, "val/accuracy": 0.5 + 0.1 * fold,
    }  # fmt: skip


def sweep(folder: Path, **settings: Any) -> Path:
    """Two configurations, two seeds, three folds each; as a multirun numbers them, the folds first."""
    number = 0
    for fold in range(FOLDS):
        for seed in (1, 2):
            for pooling in SHARES:
                cut = {"folds": FOLDS, "fold": fold, "split_seed": 0, **settings}
                found = fold_lines(pooling, seed, fold)
                write(folder / f"{number}_x", found, pooling, seed, cut, costs(fold), maps=pooling != "mean")
                number += 1
    return folder


def by_hand(folder: Path) -> Path:
    """The same, each configuration and seed in one folder."""
    for pooling in SHARES:
        for seed in (1, 2):
            found = [line for fold in range(FOLDS) for line in fold_lines(pooling, seed, fold)]
            write(folder / f"{list(SHARES).index(pooling)}_{seed}", found, pooling, seed)
    return folder


def compared(folder: Path, **settings: Any) -> Comparison:
    return compare(find_runs(folder), QUICK._replace(**settings), "python compare.py")


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "nll", "calibration_error"])
def test_folds_are_what_their_lines_in_one_folder_are(tmp_path: Path, metric: str) -> None:
    ours = compared(sweep(tmp_path / "folds"), metric=metric)
    theirs = compared(by_hand(tmp_path / "hand"), metric=metric)
    assert [item.name for item in ours.configurations] == ["pooling=mean", "pooling=last_state"]
    for mine, other in zip(ours.rows["test"], theirs.rows["test"], strict=True):
        assert (mine.configuration, mine.seeds, mine.scores) == (other.configuration, other.seeds, other.scores)
        assert mine.folds == FOLDS
    for mine, other in zip(ours.all_pairs, theirs.all_pairs, strict=True):
        assert mine.seeds == other.seeds
        assert mine.seeds is not None
        assert (mine.difference, mine.low, mine.high, mine.effect) == (
            other.difference,
            other.low,
            other.high,
            other.effect,
        )
        assert (mine.wins, mine.losses, mine.verdict) == (other.wins, other.losses, other.verdict)
        for one, two in zip(mine.sentences, other.sentences, strict=True):
            assert one._replace(a=two.a, b=two.b) == two
    assert ours.by_length == theirs.by_length
    wanted = [[item.number for item in side] for c in theirs.contrasts for side in (c.better, c.worse)]
    assert [[item.number for item in side] for c in ours.contrasts for side in (c.better, c.worse)] == wanted


def explain(run: Path, name: str) -> list[float]:
    """Leave what ``attnlab explain`` leaves of a run: of every second of its texts a measure."""
    tested = [json.loads(line) for line in (run / "test.jsonl").read_text("utf-8").splitlines()][::2]
    values = [len(line["text"]) * 0.01 + (line["predicted"] == line["label"]) * 0.1 for line in tested]
    found = [
        {"number": 2 * number, "input": line["text"], "output": line["predicted"], "measures": {UNIFORM.name: value}}
        for number, (line, value) in enumerate(zip(tested, values, strict=True))
    ]
    place = run / "explanations" / name
    place.mkdir(parents=True)
    (place / "explanation.jsonl").write_text("\n".join(map(json.dumps, found)) + "\n", "utf-8")
    record = {"input": "input", "output": "output"}
    said = described("classification", "instances", "", [SPLIT], record, WORDS, [UNIFORM])
    told = {**said, UNIFORM.key(SPLIT): float(np.mean(values))}
    (place / "explanation.json").write_text(json.dumps(told), "utf-8")
    return values


def test_explanations_of_folds_are_one(tmp_path: Path) -> None:
    folder = sweep(tmp_path / "folds")
    values: dict[tuple[str, int], list[float]] = {}
    for run in sorted(folder.iterdir()):
        told = json.loads((run / "metrics.json").read_text("utf-8"))
        values.setdefault((told["pooling"], told["seed"]), []).extend(explain(run, "quick"))
    found = explanations(find_runs(folder), "quick")
    comparison = compare(found, QUICK._replace(metric=UNIFORM.name, split=SPLIT), "python compare.py")
    rows = {row.configuration: row for row in comparison.rows[SPLIT]}
    for pooling in SHARES:
        row = rows[f"pooling={pooling}"]
        means = [float(np.mean(values[pooling, seed])) for seed in (1, 2)]
        assert row.folds == FOLDS
        assert row.scores[UNIFORM.name].mean == pytest.approx(np.mean(means))


def test_a_score_is_of_all_items_and_no_mean_of_folds(tmp_path: Path) -> None:
    run = unite(find_runs(sweep(tmp_path)).runs).runs[0]
    found = [item.record for item in run.items("test")]
    assert len(found) == sum(ITEMS + fold for fold in range(FOLDS))
    expected = f1_score([line["label"] for line in found], [line["predicted"] for line in found], average="macro")
    assert run.metric("test/macro_f1") == pytest.approx(expected, rel=1e-12)
    assert run.metric("test/macro_f1") != pytest.approx(np.mean([part.metric("test/macro_f1") for part in run.parts]))


def test_costs_of_several_trainings(tmp_path: Path) -> None:
    row = compared(sweep(tmp_path)).rows["test"][0]
    assert row.costs["train/seconds"].values == (33.0, 33.0)
    assert row.costs["train/texts_per_second"].values == (200.0, 200.0)
    assert row.costs["peak_memory_mib"].values == (52.0, 52.0)
    assert row.costs["params"].values == (1010.0, 1010.0)
    run = unite(find_runs(tmp_path).runs).runs[0]
    assert run.metric("val/accuracy") == pytest.approx(0.6)


def test_the_table_of_mechanisms_has_a_row_for_all_folds(tmp_path: Path) -> None:
    runs = find_runs(sweep(tmp_path)).runs
    rows = mechanisms_table(runs, ["test/accuracy"], {}).splitlines()[2:-2]
    assert len(rows) == len(SHARES)
    best = [run.metric("test/accuracy") for run in unite(runs).runs if run.choices["pooling"] == "last_state"]
    assert rows[0] == f"| `last_state_luong_dot` |  | **{np.mean(best):.4f}** |"


def test_attention_of_any_fold_is_found(tmp_path: Path) -> None:
    run = next(run for run in unite(find_runs(sweep(tmp_path)).runs).runs if run.choices["pooling"] == "last_state")
    number = ITEMS + 3  # the fourth of the second fold
    (shown,) = run.maps("test", [number])
    assert (shown.number, shown.source_tokens) == (number, run.items("test")[number].record["tokens"])
    assert run.kept("test") == frozenset(range(len(run.items("test"))))
    assert unite(find_runs(tmp_path).runs).runs[0].kept("test") is None


def test_a_seed_that_lacks_a_fold_is_told_and_left_out(tmp_path: Path) -> None:
    sweep(tmp_path)
    (tmp_path / "5_x" / "metrics.json").unlink()  # fold 1, seed 1, last_state
    found = compared(tmp_path)
    assert {item.name: item.seeds for item in found.configurations} == {
        "pooling=mean": (1, 2),
        "pooling=last_state": (2,),
    }
    told = [note for note in found.notes if "lacks dataset.fold=1" in note]
    assert [note.split(":")[1].strip() for note in told] == [str(tmp_path / f"{n}_x") for n in (1, 9)]


def test_where_no_seed_has_all_folds_there_is_nothing_to_compare(tmp_path: Path) -> None:
    for number in (0, 1):
        cut = {"folds": 4, "fold": number}
        write(tmp_path / str(number), lines(number * 50, 30, 0.5, 1), "mean", 1, cut)
    with pytest.raises(
        DataError, match=r"no cross-validation is whole:\n  .*/0: its cross-validation lacks dataset.fold=2,3"
    ):
        compared(tmp_path)


def test_one_fold_of_all_is_compared_as_it_is(tmp_path: Path) -> None:
    for pooling in SHARES:
        write(tmp_path / pooling, fold_lines(pooling, 1, 2), pooling, 1, {"folds": 3, "fold": 2})
    found = compared(tmp_path)
    assert found.rows["test"][0].folds == 1
    assert "One fold only: all runs tested fold 2 of 3; dataset.fold=0,1,… tests the others, too." in found.notes


def test_folds_of_other_draws_never_come_together(tmp_path: Path) -> None:
    for fold in range(2):
        cut = {"folds": 2, "fold": fold, "split_seed": fold}
        write(tmp_path / str(fold), lines(50 * fold, 30, 0.5, 1), "mean", 1, cut)
    with pytest.raises(DataError, match="no cross-validation is whole"):
        compared(tmp_path)
    for fold in range(2):
        cut = {"folds": 2, "fold": 1 - fold, "split_seed": fold}
        write(tmp_path / f"{fold}b", lines(50 * fold + 30, 20, 0.5, 1), "mean", 1, cut)
    with pytest.raises(DataError, match=r"other test set: .*dataset.split_seed=0 and 1"):
        compared(tmp_path)


def test_a_fold_run_again_counts_once(tmp_path: Path) -> None:
    sweep(tmp_path)
    write(tmp_path / "12_x", fold_lines("mean", 1, 0), "mean", 1, {"folds": 3, "fold": 0, "split_seed": 0}, costs(0))
    found = compared(tmp_path)
    assert {item.seeds for item in found.configurations} == {(1, 2)}
    assert any(
        f"{tmp_path / '0_x'}: same configuration and seed as {tmp_path / '12_x'}" in note for note in found.notes
    )


def test_everything_is_written_of_folds(tmp_path: Path) -> None:
    found = compared(sweep(tmp_path / "runs"))
    write_files(found, tmp_path)
    rows = list(csv.DictReader((tmp_path / "scores.csv").read_text("utf-8").splitlines()))
    assert [(row["seeds"], row["folds"]) for row in rows] == [("2", "3")] * 2
    tests = list(csv.DictReader((tmp_path / "outputs.csv").read_text("utf-8").splitlines()))
    assert {test["test"] for test in tests} == {"bs", "ar", "mcnemar"}
    assert all(len(test["run_a"].split()) == FOLDS for test in tests)
    runs = json.loads((tmp_path / "comparison.json").read_text("utf-8"))["configurations"][0]["runs"]
    assert [[fold["overrides"][2] for fold in run["folds"]] for run in runs] == [
        [f"dataset.fold={n}" for n in range(3)]
    ] * 2
    assert "| 2, 3 folds each |" in markdown(found)
    assert "Cross-validation: a run is 3 trainings" in markdown(found)
    page = write_report(found, tmp_path / "report.html")[0].read_text("utf-8")
    assert "2 configurations, 12 runs" in page
    assert page.count("python train.py") == 12
