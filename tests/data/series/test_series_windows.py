"""Splits in time order, rolling origins, scaling by the training part, calendar features: counted by hand."""

import numpy as np
import pytest
import torch

from attnlab.data.corpora.csv_series import CsvSeries
from attnlab.data.corpora.marked_lag import MarkedLag
from attnlab.data.corpora.taylor import Taylor
from attnlab.data.series.module import SeriesData, seasonal_difference
from attnlab.data.series.scaling import Scaling, calendar
from attnlab.errors import ConfigError, DataError
from attnlab.tasks.forecasting.prediction import SeriesPredictor


def corpus(tmp_path, values=None, **settings):
    """Rows 0, 1, 2, …: a value tells its place."""
    rows = np.arange(40.0) if values is None else values
    path = tmp_path / "my.csv"
    path.write_text("y,x\n" + "\n".join(f"{value},{-value}" for value in rows), "utf-8")
    given = {"targets": ["y"], "horizon": 3, "stride": 2, "val_size": 8, "test_size": 10, **settings}
    return CsvSeries(str(tmp_path), str(path), **given)


def opened(tmp_path, values=None, lookback=5, **settings):
    own = {"harmonics", "refit", "train_stride", "splits", "tokenizers"}
    data = SeriesData(
        corpus(tmp_path, values, **{key: value for key, value in settings.items() if key not in own}),
        lookback,
        **{key: value for key, value in settings.items() if key in own},
    )
    data.setup()
    return data


def test_origins_roll_and_stay_in_their_part(tmp_path):
    data = opened(tmp_path)
    assert data.split("train").origins.tolist() == list(range(5, 20))  # points 0 to 21; the last forecast is 19, 20, 21
    assert data.split("val").origins.tolist() == [22, 24, 26]  # points 22 to 29
    assert data.split("test").origins.tolist() == [30, 32, 34, 36]
    batch = data.batch("test", [1])
    scaling = data.scaling
    np.testing.assert_allclose(batch.past[0, :, 0] * scaling.deviation[0] + scaling.mean[0], range(27, 32), rtol=1e-5)
    np.testing.assert_allclose(batch.target[0, :, 0] * scaling.deviation[0] + scaling.mean[0], [32, 33, 34], rtol=1e-5)


def test_the_scale_is_learnt_on_training_only(tmp_path):
    values = np.arange(40.0)
    before = opened(tmp_path, values)
    items, fingerprint = before.batch("train", [0, 5, 14]), before.fingerprint()
    values[22:] += 1e6
    after = opened(tmp_path, values)
    for ours, theirs in zip(items, after.batch("train", [0, 5, 14]), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    assert before.scaling.mean.tolist() == [np.arange(22).mean()]
    assert before.scaling.deviation.tolist() == [pytest.approx(np.arange(22).std())]
    assert fingerprint != after.fingerprint()


def test_trained_on_val_too_nothing_is_validated(tmp_path):
    data = opened(tmp_path, refit=True)
    assert data.split("train").origins.tolist() == list(range(5, 28))
    assert data.scaling.mean.tolist() == [np.arange(30).mean()]
    assert data.val_dataloader() == []
    assert data.training().values.shape == (30, 1)


def test_columns_in_order_and_what_is_known_of_the_future(tmp_path):
    data = opened(tmp_path, known=["x"], periods=[4], harmonics=1)
    assert data.dimensions() == {
        "lookback": 5, "horizon": 3, "channels": 2, "targets": 1, "features": 3, "season": 1,
    }  # fmt: skip
    batch = data.batch("test", [0])
    assert batch.past.shape == (1, 5, 2)
    known = batch.known[0, :, 0] * data.scaling.deviation[1] + data.scaling.mean[1]
    np.testing.assert_allclose(known, [-30, -31, -32], rtol=1e-5)
    angles = 2 * np.pi * np.array([30, 31, 32]) / 4
    np.testing.assert_allclose(batch.known[0, :, 1:], np.stack([np.sin(angles), np.cos(angles)], 1), atol=1e-5)


def test_calendar_features_leave_out_what_is_too_fast():
    assert calendar(np.arange(6), (7, 4), 3).shape == (6, 2 * (3 + 1))
    assert calendar(np.arange(6), (), 3).shape == (6, 0)


def test_a_column_that_never_changes_is_moved_only():
    scaling = Scaling.learnt(np.full((5, 1), 7.0))
    np.testing.assert_array_equal(scaling.scaled(np.full((2, 1), 8.0)), [[1.0], [1.0]])
    large = np.full((3001, 1), 1234567.1)  # whose mean is rounded: a deviation that is none
    np.testing.assert_allclose(Scaling.learnt(large).scaled(large), 0, atol=1e-8)
    small = Scaling.learnt(1e-14 * np.array([[-1.0], [1.0]]))
    np.testing.assert_array_equal(small.deviation, [1e-14])


def test_quantiles_that_cross_are_put_in_order():
    scaling = Scaling(np.array([10.0, 0.0]), np.array([2.0, 1.0]))
    told = scaling.unscaled(np.array([[[1.0, 0.0, 2.0]]]))
    np.testing.assert_array_equal(told, [[[10.0, 12.0, 14.0]]])


def test_the_scale_of_mase_is_that_of_points_before_the_test(tmp_path, shared_data):
    values = np.arange(40.0) ** 2
    split = opened(tmp_path, values, season=2).split("test")
    assert split.scale.tolist() == [pytest.approx(np.mean([abs(i**2 - (i - 2) ** 2) for i in range(2, 30)]))]
    assert seasonal_difference(np.ones((9, 1)), 2).tolist() == [1.0]
    data = SeriesData(Taylor(str(shared_data)))
    data.setup()
    assert data.split("test").scale[0] == pytest.approx(578.9, abs=0.05)  # as measured where the file comes from
    assert data.split("test").origins.tolist() == list(range(3360, 4032, 48))
    assert data.lookback == 672


def test_a_saved_scale_is_used(tmp_path):
    first = opened(tmp_path)
    first.save(tmp_path)
    other = opened(tmp_path, np.arange(40.0) * 3, tokenizers=str(tmp_path), splits=["test"])
    assert other.scaling.mean.tolist() == first.scaling.mean.tolist()
    with pytest.raises(DataError, match=r"horizon=4 \(the run: 3\)"):
        opened(tmp_path, horizon=4, tokenizers=str(tmp_path))
    with pytest.raises(DataError, match="columns y, x, and the run has y"):
        opened(tmp_path, exogenous=["x"], tokenizers=str(tmp_path))


@pytest.mark.parametrize(("missing", "last"), [("previous", [38.0, 38.0]), ("error", None)])
def test_gaps_are_for_predict_what_they_were_in_training(tmp_path, missing, last):
    data = opened(tmp_path, missing=missing, lookback=2)
    data.save(tmp_path)
    predictor = SeriesPredictor(tmp_path)
    text = "y,x\n" + "".join(f"{value},0\n" for value in range(39)) + "NaN,0\n"
    if last is None:
        with pytest.raises(DataError, match="input: 1 numbers are missing, the first in row 40"):
            predictor._batch(text, torch.device("cpu"))
    else:
        batch, end = predictor._batch(text, torch.device("cpu"))
        scaled = data.scaling.scaled(np.array(last)[:, None])
        np.testing.assert_allclose(batch.past[0].numpy(), scaled, rtol=1e-6)
        assert end == 40


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"lookback": 20},
            "csv_series, train: points 0 to 22 of the series have no room for a past of data.lookback=20",
        ),
        ({"test_size": 2}, "csv_series, test: points 38 to 40"),
        ({"val_size": 30}, "leave 0 to train on"),
        ({"targets": ["z"]}, "there is no column 'z'"),
    ],
)
def test_what_is_too_short_or_not_there(tmp_path, settings, told):
    with pytest.raises(DataError) as caught:
        opened(tmp_path, **settings)
    assert told in str(caught.value)


def test_columns_are_named_once(tmp_path):
    with pytest.raises(ConfigError, match="column 'y' is named twice"):
        corpus(tmp_path, exogenous=["y"])
    with pytest.raises(ConfigError, match="no column is to be forecast"):
        corpus(tmp_path, targets=[])


def test_the_marked_point_comes_again():
    source = MarkedLag(lookback=6, horizon=2, train_size=5, val_size=2, test_size=3, seed=4)
    for split, blocks in (("train", 5), ("val", 2), ("test", 3)):
        (stretch,) = source.read(split)
        assert len(stretch.origins) == blocks
        for origin in stretch.origins:
            value, marker = stretch.table.values.T
            lag = stretch.lags[origin]
            assert value[origin] == value[origin + 1] == value[origin - lag]
            assert np.flatnonzero(marker[origin - 6 : origin]).tolist() == [6 - lag]
