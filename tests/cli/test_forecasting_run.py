"""Forecasting from the command line: trained, gone on with, tested, evaluated on other data, compared, asked."""

import json
from pathlib import Path

import numpy as np
import pytest

import attnlab

SMALL = ("logger=none", "model.embedding_dim=6", "model.state_dim=6", "encoder.layers=2", "optimizer.lr=0.01",
         "trainer.max_epochs=2", "data.lookback=12", "data.batch_size=32")  # fmt: skip
UNDRAWN = ("callbacks.run_files.figures=0", "callbacks.attention_maps=null")
LAGS, HORIZON = 12, 3


def table(path, seed, points=160, rows=None):
    draw = np.random.default_rng(seed)
    y = 50 + 10 * np.sin(2 * np.pi * np.arange(points) / 6) + draw.normal(size=points)
    x = draw.normal(size=points)
    lines = [f"2020-{n},{a:.4f},{b:.4f}" for n, (a, b) in enumerate(zip(y, x, strict=True))]
    path.write_text("\n".join(["when,sales,price", *(lines if rows is None else lines[:rows])]) + "\n", "utf-8")
    return str(path)


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sales")
    return {"file": table(folder / "sales.csv", 1), "other": table(folder / "other.csv", 2)}


@pytest.fixture(scope="module")
def series(sales):
    return ("dataset=csv_series", f"dataset.file={sales['file']}", "dataset.targets=[sales]",
            "dataset.exogenous=[price]", "dataset.horizon=3", "dataset.season=6", "dataset.periods=[6]",
            "dataset.val_size=24", "dataset.test_size=24")  # fmt: skip


def folder_of(output):
    return Path(output.split("files:")[1].strip())


def metrics(folder):
    return json.loads((folder / "metrics.json").read_text("utf-8"))


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def trained(commands, series):
    drawn = "callbacks.run_files.figures=1", "callbacks.attention_maps.sentences=1"
    return folder_of(commands("train", *series, *SMALL, *drawn, "model.quantiles=[0.1,0.5,0.9]", "data.harmonics=1"))


def test_a_run_leaves_what_others_read(trained, sales):
    found, tested = metrics(trained), lines(trained / "test.jsonl")
    assert (found["task"], found["monitor"]) == ("forecasting", "val/mae")
    assert [item["origin"] for item in tested] == list(range(136, 160, 3))
    rows = np.loadtxt(sales["file"], delimiter=",", skiprows=1, usecols=1)
    errors = []
    for item in tested:
        start = item["origin"]
        np.testing.assert_allclose(np.ravel(item["truth"]), rows[start : start + HORIZON], rtol=1e-6)
        errors += np.abs(np.subtract(item["truth"], item["told"])).ravel().tolist()
        low, middle, high = (np.array(item["quantiles"][level]) for level in ("0.1", "0.5", "0.9"))
        assert (low <= middle).all()
        assert (middle <= high).all()
        assert item["told"] == item["quantiles"]["0.5"]
    scale = np.abs(rows[6:136] - rows[:130]).mean()
    assert found["test/mae"] == pytest.approx(np.mean(errors), rel=1e-5)
    assert found["test/mase"] == pytest.approx(np.mean(errors) / scale, rel=1e-5)
    assert found["mase_scale"] == pytest.approx(scale)
    assert {"test/rmse", "test/pinball", "test/coverage_error"} <= found.keys()
    assert "test/lag_weight" not in found
    for name in ("forecasts/test_0.png", "forecasts/test_7.png", "attention/test_0.png", "attention/val.npz"):
        assert (trained / name).is_file()
    with np.load(trained / "attention" / "maps.npz", allow_pickle=False) as arrays:
        assert arrays["weights_0"].shape == (HORIZON, LAGS)
        assert arrays["source_tokens_0"].tolist() == [str(lag) for lag in range(LAGS, 0, -1)]
        np.testing.assert_allclose(arrays["weights_0"].sum(1), 1, rtol=1e-5)


@pytest.mark.long
def test_it_goes_on_as_if_it_had_not_stopped(commands, series):
    train = ("train", *series, *SMALL, *UNDRAWN, "scheduler=constant")
    short = folder_of(commands(*train, "trainer.max_epochs=1"))
    commands("train", f"resume={short}", "trainer.max_epochs=2")
    whole = folder_of(commands(*train))
    assert lines(short / "test.jsonl") == lines(whole / "test.jsonl")


def test_it_is_tested_again_and_on_other_data(commands, sales, trained):
    commands("evaluate", f"run={trained}", "name=again")
    again = json.loads((trained / "evaluations" / "again.json").read_text("utf-8"))
    assert again["test/mae"] == metrics(trained)["test/mae"]
    commands("evaluate", f"run={trained}", f"dataset.file={sales['other']}", "name=other")
    assert lines(trained / "evaluations" / "other.test.jsonl")[0]["truth"] != lines(trained / "test.jsonl")[0]["truth"]
    told = commands("evaluate", f"run={trained}", "dataset.horizon=4", code=2)
    assert "horizon=4 (the run: 3)" in told
    told = commands("evaluate", f"run={trained}", "dataset=grammar", code=2)
    assert "grammar has no series, which task=forecasting asks for" in told


def test_it_forecasts_from_the_end_of_a_file(commands, trained, sales, tmp_path):
    """The last window of the test, from a file that ends where it begins."""
    cut = tmp_path / "cut.csv"
    cut.write_text("\n".join(Path(sales["file"]).read_text("utf-8").splitlines()[:158]) + "\n", "utf-8")
    told = commands("predict", f"run={trained}", f"input={cut}").splitlines()
    assert told[0] == "point,sales,sales 0.1,sales 0.5,sales 0.9"
    wanted = lines(trained / "test.jsonl")[-1]
    for step, line in enumerate(told[1:]):
        point, value, *_ = line.split(",")
        assert int(point) == wanted["origin"] + step == 157 + step
        assert float(value) == pytest.approx(wanted["told"][step][0], rel=1e-5)
    commands("predict", f"run={trained}", f"input={cut}", "format=json", f"output={tmp_path / 'a.json'}",
             f"plot={tmp_path / 'plots'}")  # fmt: skip
    (answer,) = lines(tmp_path / "a.json")
    assert np.array(answer["weights"]).shape == (HORIZON, LAGS)
    assert (tmp_path / "plots" / "1.png").is_file()
    assert "input: 5 rows, and the run looks back at 12" in commands(
        "predict", f"run={trained}", text="sales,price\n" + "1,2\n" * 5, code=2
    )


def test_the_same_from_python(trained, sales):
    run = attnlab.load(trained)
    text = Path(sales["file"]).read_text("utf-8")
    (found,) = run.predict([text])
    assert found.values.shape == (HORIZON, 1)
    assert found.first == 160
    weights = run.attend(text)
    np.testing.assert_allclose(weights.weights, found.weights, rtol=1e-6)
    assert weights.columns == tuple(str(lag) for lag in range(LAGS, 0, -1))
    assert weights.lags
    assert weights.plot() is not None


@pytest.mark.long
def test_attention_and_other_rows_are_compared(commands, series, tmp_path):
    commands("train", "-m", *series, *SMALL, "attention=luong_general,none", "seed=1,2", "sweep_name=looks",
             "trainer.max_epochs=1", *UNDRAWN)  # fmt: skip
    ridge = folder_of(commands("train", *series, "model=ridge_lags", "data.lookback=15", "logger=none"))
    runs = f"runs=[sweeps/looks/latest,{ridge}]"
    told = commands("compare", runs, f"output={tmp_path}", "resamples=100", 'baseline="none model=ridge_lags"')
    assert "Diebold and Mariano's test of two outputs" in " ".join(told.split())  # lines are wrapped
    found = json.loads((tmp_path / "comparison.json").read_text("utf-8"))
    assert {"mae", "rmse", "mase"} <= set(found["quantities"])
    assert found["by_length"] is None
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "p, Diebold-Mariano" in page
    assert "seeds and windows" in page
    assert 'class="heat"' in page
    for number in (3, 7):  # the first that has all of its past in the windows before it, and the last
        assert f"Forecasts of window {number}" in page
        assert (tmp_path / "figures" / f"forecast-{number}.png").is_file()


def test_attention_finds_the_marked_lag(commands):
    output = commands("train", "dataset=marked_lag", "encoder=embedding", "dataset.lookback=8",
                      "dataset.train_size=800", "dataset.val_size=20", "dataset.test_size=20", "logger=none",
                      "optimizer.lr=0.01", "data.batch_size=32", "model.dropout=0", "trainer.max_epochs=8",
                      *UNDRAWN)  # fmt: skip
    folder = folder_of(output)
    assert metrics(folder)["test/lag_weight"] > 0.95
    for item in lines(folder / "test.jsonl"):
        assert 1 <= item["lag"] <= 8


def test_a_column_of_something_else_is_told_with_its_line(commands, series):
    told = commands("train", *series, "logger=none", "dataset.targets=[when]", code=2)
    assert "sales.csv:2: column 'when' has '2020-0', expected a number" in told
