"""What attention is held against: naive, seasonal naive, ridge regression on lags, DLinear."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from attnlab.errors import ConfigError
from attnlab.models.dlinear import DLinear
from attnlab.models.naive import Naive
from attnlab.models.ridge_lags import RidgeLags
from attnlab.models.seasonal_naive import SeasonalNaive

SIZE = {"lookback": 6, "horizon": 4, "channels": 2, "targets": 1, "features": 1, "season": 3}


def series(points=60):
    draw = np.random.default_rng(3)
    return draw.normal(size=(points, 2)).cumsum(0), draw.normal(size=(points, 1))


def windows(values, features, origins):
    past = np.stack([values[t - 6 : t] for t in origins])
    before, known = (np.stack([features[t + a : t + b] for t in origins]) for a, b in ((-6, 0), (0, 4)))
    return [torch.from_numpy(part).float() for part in (past, before, known)]


def test_naive_ones_in_their_words():
    values, features = series()
    origins = np.array([10, 20])
    parts = windows(values, features, origins)
    last = Naive(**SIZE)(*parts).values[..., 0, 0]
    np.testing.assert_allclose(last, np.repeat(values[origins - 1, :1], 4, axis=1), rtol=1e-6)
    seasonal = SeasonalNaive(**SIZE)(*parts).values[..., 0, 0]
    np.testing.assert_allclose(seasonal, [[values[t - 3 + h % 3, 0] for h in range(4)] for t in origins], rtol=1e-6)
    other = SeasonalNaive(period=2, **SIZE)(*parts).values[..., 0, 0]
    np.testing.assert_allclose(other, [[values[t - 2 + h % 2, 0] for h in range(4)] for t in origins], rtol=1e-6)
    error = np.mean([abs(values[t + h, 0] - values[t - 1, 0]) for t in origins for h in range(4)])
    assert Naive(**SIZE).fit(values, features, origins) == pytest.approx(error, rel=1e-6)


@pytest.mark.parametrize(("last", "season"), [(False, False), (True, False), (False, True), (True, True)])
def test_ridge_is_that_of_scikit_learn(last, season):
    values, features = series()
    origins, others = np.arange(6, 50), np.arange(50, 57)
    model = RidgeLags(alpha=2.0, lags=3, subtract_last=last, difference=season, **SIZE)
    loss = model.fit(values, features, origins)

    def table(chosen):
        rows, base = [], []
        for t in chosen:
            seen = values[t - 3 : t] - (values[t - 6 : t - 3] if season else 0.0)
            level = seen[-1].copy() if last else np.zeros(2)
            rows.append(
                np.concatenate([(seen - level).ravel(), features[t - 3 : t].ravel(), features[t : t + 4].ravel()])
            )
            before = [values[t - 3 + h % 3, 0] if season else 0.0 for h in range(4)]
            base.append(np.array(before) + level[0])
        return np.array(rows), np.array(base)

    X, base = table(origins)
    Y = np.stack([values[t : t + 4, 0] for t in origins])
    theirs = Ridge(alpha=2.0).fit(X, Y - base)
    rows, moved = table(others)
    np.testing.assert_allclose(
        model(*windows(values, features, others)).values[..., 0, 0], theirs.predict(rows) + moved, atol=2e-4
    )
    assert loss == pytest.approx(np.abs(theirs.predict(X) + base - Y).mean(), abs=1e-4)


def test_dlinear_in_loops():
    model = DLinear(kernel=3, quantiles=[0.1, 0.5], **SIZE).double()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter.requires_grad_(False))
    values, features = series()
    parts = [part.double() for part in windows(values, features, [10, 12])]
    found = model(*parts).values
    assert found.shape == (2, 4, 1, 2)
    for row in range(2):
        x = parts[0][row, :, 0].tolist()
        padded = [x[0], *x, x[-1]]
        trend = [sum(padded[j : j + 3]) / 3 for j in range(6)]
        rest = [a - b for a, b in zip(x, trend, strict=True)]
        for out in range(8):
            told = sum(float(model.trend.weight[out, j]) * trend[j] for j in range(6)) + float(model.trend.bias[out])
            told += sum(float(model.rest.weight[out, j]) * rest[j] for j in range(6)) + float(model.rest.bias[out])
            assert float(found[row, out // 2, 0, out % 2]) == pytest.approx(told, rel=1e-9)


def test_dlinear_begins_from_the_mean_of_the_past():
    model = DLinear(kernel=3, **SIZE)
    for layer in (model.trend, model.rest):
        torch.nn.init.zeros_(layer.bias)
    past = windows(*series(), [10])[0]
    found = model(past, *windows(*series(), [10])[1:]).values
    torch.testing.assert_close(found, past[:, :, :1].mean(1).expand(1, 4).reshape(1, 4, 1, 1))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: DLinear(kernel=4, **SIZE), "model.kernel=4: expected an odd number"),
        (lambda: RidgeLags(lags=7, **SIZE), "model.lags=7: a past has data.lookback=6 points"),
        (lambda: SeasonalNaive(period=7, **SIZE), "looks a season of 7 points back"),
        (lambda: RidgeLags(difference=True, **SIZE | {"season": 9}), "looks a season of 9 points back"),
    ],
)
def test_what_cannot_be(make, told):
    with pytest.raises(ConfigError, match=told):
        make()
