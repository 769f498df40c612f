"""Exponential smoothing and SARIMAX: in closed form where there is one, and what is told where they cannot be."""

import sys

import numpy as np
import pytest
import torch

from attnlab.errors import ConfigError
from attnlab.models.ets import Ets
from attnlab.models.sarimax import Sarimax

SIZE = {"lookback": 40, "horizon": 6, "channels": 1, "targets": 1, "features": 0, "season": 4}


def series(points=200):
    draw = np.random.default_rng(5)
    season = np.tile([1.0, -2.0, 0.5, 0.5], points // 4)
    return (draw.normal(size=points).cumsum() * 0.3 + season)[:, None]


def window(values, start, features=None, size=SIZE):
    none = np.zeros((len(values), 0)) if features is None else features
    parts = values[start - size["lookback"] : start], none[start - size["lookback"] : start], none[start : start + 6]
    return [torch.from_numpy(part).unsqueeze(0) for part in parts]


def fitted(model, values, features=None):
    none = np.zeros((len(values), 0)) if features is None else features
    loss = model.fit(values, none, np.arange(40, 190, 7))
    assert np.isfinite(loss)
    return model


def test_simple_smoothing_in_a_loop():
    values = series()
    model = fitted(Ets(seasonal=False, **SIZE), values)
    past, before, known = window(values, 120)
    told = model(past, before, known).values[0, :, 0, 0]
    assert torch.equal(told, told[:1].expand(6))  # flat
    (alpha,) = model.estimates[0].tolist()
    level = float(model.model(past[0, :, 0].numpy()).initial_level)
    for value in past[0, :, 0].tolist():
        level += alpha * (value - level)
    assert told[0].item() == pytest.approx(level, rel=1e-9)


def test_a_season_and_a_trend_in_a_loop():
    values = series()
    model = fitted(Ets(trend=True, damped=True, **SIZE), values)
    past = values[120:160, 0]
    alpha, beta, gamma, phi = model.estimates[0].tolist()
    begun = model.model(past)
    level, slope = float(begun.initial_level), float(begun.initial_trend)
    season = [float(value) for value in begun.initial_seasonal]
    for t, value in enumerate(past):
        error = value - (level + phi * slope + season[t])
        level, slope = level + phi * slope + alpha * error, phi * slope + beta * error
        season.append(season[t] + gamma * error)
    told = [level + slope * sum(phi**k for k in range(1, h + 1)) + season[40 + (h - 1) % 4] for h in range(1, 7)]
    np.testing.assert_allclose(model(*window(values, 160)).values[0, :, 0, 0], told, rtol=1e-6)


def test_an_autoregression_in_closed_form():
    values = series()
    model = fitted(Sarimax(order=[1, 0, 0], **SIZE), values)
    phi = model.estimates[0, 0].item()
    past, before, known = window(values, 120)
    last = past[0, -1, 0].item()
    np.testing.assert_allclose(
        model(past, before, known).values[0, :, 0, 0], [last * phi**h for h in range(1, 7)], rtol=1e-6
    )
    before, after = values[:-1, 0], values[1:, 0]
    assert phi == pytest.approx(before @ after / (before @ before), abs=5e-3)  # least squares


def test_what_is_known_is_a_regression():
    draw = np.random.default_rng(1)
    features = draw.normal(size=(200, 1))
    values = 3 * features + 1e-3 * draw.normal(size=(200, 1))
    size = SIZE | {"features": 1}
    model = fitted(Sarimax(order=[0, 0, 0], **size), values, features)
    told = model(*window(values, 150, features, size)).values[0, :, 0, 0]
    np.testing.assert_allclose(told, 3 * features[150:156, 0], atol=0.01)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Ets(damped=True, **SIZE), "asks for model.trend=true"),
        (lambda: Ets(**SIZE | {"lookback": 7}), "a past has data.lookback=7 points, expected 10 or more"),
        (lambda: Sarimax(order=[1, 0], **SIZE), r"model.order=\[1, 0\]: expected three numbers"),
        (lambda: Sarimax(seasonal_order=[1, 0, 0], **SIZE | {"season": 1}), "asks for a season"),
    ],
)
def test_what_cannot_be(make, told):
    with pytest.raises(ConfigError, match=told):
        make()


def test_without_the_library_it_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "statsmodels.tsa.api", None)
    with pytest.raises(
        ConfigError, match=r"model=ets needs the library 'statsmodels': pip install 'attnlab\[series\]'"
    ):
        Ets(**SIZE)
