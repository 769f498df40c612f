"""The series that statsmodels ships, as far as their numbers are known from elsewhere."""

import numpy as np

from attnlab.data.corpora.co2 import Co2
from attnlab.data.corpora.macrodata import Macrodata
from attnlab.data.corpora.sunspots import Sunspots


def test_months_of_carbon_dioxide():
    values = Co2().table.values[:, 0]
    assert len(values) == 526
    assert not np.isnan(values).any()
    assert values[0] == np.mean([316.1, 317.3, 317.6, 317.5]).round(10) or abs(values[0] - 316.1) < 1
    assert 370 < values[-1] < 373  # NOAA has 371.3 for the year 2001


def test_sunspots_begin_and_end_as_the_yearbook_has_them():
    values = Sunspots().table.values[:, 0]
    assert len(values) == 309
    assert values[:3].tolist() == [5.0, 11.0, 16.0]  # 1700 to 1702
    assert values.max() == 190.2  # 1957


def test_growth_is_that_of_logarithms():
    table = Macrodata(["realgdp", "unemp"]).table
    assert table.values.shape == (202, 2)
    np.testing.assert_allclose(
        table.values[0, 0], 100 * np.log(2778.801 / 2710.349), rtol=1e-9
    )  # quarters 1 and 2 of 1959
    assert table.values[0, 1] == 5.1
