"""Weights over hundreds of lags, and forecasts: what is drawn, and how lags are put together for a page."""

from itertools import pairwise

import numpy as np
import pytest

from attnlab.analysis.maps import AttentionMap
from attnlab.analysis.report.heatmaps import coarse
from attnlab.errors import DataError
from attnlab.viz.forecast import forecast
from attnlab.viz.lags import over_lags, ticks


def weights(steps, lags):
    drawn = np.random.default_rng(1).random((steps, lags)) ** 6
    return drawn / drawn.sum(1, keepdims=True)


def names(lags):
    return [str(lag) for lag in range(lags, 0, -1)]


def test_three_hundred_lags_share_one_scale_and_some_are_named():
    table = weights(48, 336)
    figure = over_lags(table, names(336), [f"+{n}" for n in range(1, 49)], "a title")
    above, below = figure.axes[:2]
    (image,) = below.get_images()
    assert image.get_clim() == (0, table.max())
    np.testing.assert_allclose(image.get_array(), table)
    np.testing.assert_allclose([bar.get_height() for bar in above.patches], table.mean(0))
    texts = [label.get_text() for label in below.get_xticklabels()]
    assert texts[-1] == "1"
    assert len(texts) <= 14
    renderer = figure.canvas.get_renderer()
    boxes = [label.get_window_extent(renderer) for label in below.get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_few_lags_are_all_named():
    assert ticks(names(8)) == list(range(8))
    with pytest.raises(DataError):
        over_lags(weights(2, 8), names(7), ["+1", "+2"])


def test_a_window_and_its_forecast():
    past, truth = np.arange(40.0)[:, None].repeat(2, 1), np.arange(40.0, 44.0)[:, None].repeat(2, 1)
    bands = {0.1: truth - 1, 0.5: truth, 0.9: truth + 1}
    figure = forecast(past, truth, {"forecast": truth + 0.5}, bands, ["a", "b"], 40, "t")
    assert [axes.get_ylabel() for axes in figure.axes] == ["a", "b"]
    series, _, told = figure.axes[0].get_lines()
    assert series.get_xdata().tolist() == list(range(28, 44))  # three horizons of the past
    assert told.get_xdata().tolist() == [40, 41, 42, 43]
    assert told.get_ydata().tolist() == [40.5, 41.5, 42.5, 43.5]


def test_points_of_a_series_have_whole_numbers():
    """Of a short window, too: there is no point 160.5."""
    came = np.arange(3.0)[:, None]
    figure = forecast(np.zeros((0, 1)), came, {"one": came + 1}, {}, ["sales"], 160)
    assert all(float(place).is_integer() for place in figure.axes[0].get_xticks())


@pytest.mark.parametrize(("steps", "lags"), [(48, 336), (48, 43), (5, 24), (1, 1)])
def test_a_page_shows_groups_of_lags_whose_weights_are_sums(steps, lags):
    shown = AttentionMap(3, weights(steps, lags), names(lags), [f"+{n}" for n in range(1, steps + 1)], lags=True)
    found = coarse(shown)
    assert found.weights.shape == (len(found.target_tokens), len(found.source_tokens))
    assert found.weights.shape[0] <= 24
    assert found.weights.shape[1] <= 42
    np.testing.assert_allclose(found.weights.sum(1), 1)
    np.testing.assert_allclose(found.weights.mean(0) @ np.ones(found.weights.shape[1]), shown.weights.mean(0).sum())
    last = found.source_tokens[-1].split("–")
    width = int(last[0]) - int(last[-1]) + 1
    rows = -(-steps // 24)
    assert found.weights[0, -1] == pytest.approx(shown.weights[:rows, -width:].sum(1).mean())
