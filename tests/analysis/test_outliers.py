"""Failed runs are named: critical values of the literature, two that hide each other, and how often in vain."""

import numpy as np
import pytest

from attnlab.analysis.comparability import outliers
from attnlab.analysis.groups import Configuration
from attnlab.analysis.outliers import critical, outlying
from attnlab.analysis.runs import Run
from attnlab.metrics.quantities.bleu import BLEU

# Rosner (1983), his data of 54 values; NIST/SEMATECH e-Handbook, 1.3.5.17.3, with alpha = 0.05: three outliers.
ROSNER = """-0.25 0.68 0.94 1.15 1.20 1.26 1.26 1.34 1.38 1.43 1.49 1.49 1.55 1.56 1.58 1.65 1.69 1.70 1.76 1.77 1.81
1.91 1.94 1.96 1.99 2.06 2.09 2.10 2.14 2.15 2.23 2.24 2.26 2.35 2.37 2.40 2.47 2.54 2.62 2.64 2.90 2.92 2.92 2.93 3.21
3.26 3.30 3.59 3.68 4.30 4.64 5.34 5.42 6.01"""


def test_rosners_own_example() -> None:
    values = [float(word) for word in ROSNER.split()]
    assert [values[place] for place in outlying(values)] == [6.01, 5.42, 5.34]
    assert critical(54, 0.05) == pytest.approx(3.159, abs=5e-4)
    assert critical(52, 0.05) == pytest.approx(3.144, abs=5e-4)


@pytest.mark.parametrize(("m", "value"), [(3, 1.154), (4, 1.481), (5, 1.715), (10, 2.290)])
def test_grubbss_table(m: int, value: float) -> None:
    """Two-sided 5%, that is the column 2.5% of Grubbs and Beck (1972): 1.155, 1.481, 1.715, 2.290."""
    assert critical(m, 0.05) == pytest.approx(value, abs=2e-3)


def test_two_failed_runs_do_not_hide_each_other() -> None:
    assert sorted(outlying([30.1, 30.4, 2.0, 29.8, 30.0, 30.2, 2.5, 29.9, 30.3, 30.0])) == [2, 6]
    assert outlying([30.1, 3.0, 30.2]) == [1]
    assert outlying([1.0, 2.0]) == outlying([1.0, 1.0, 1.0]) == outlying([]) == []
    assert outlying([1.0, 2.0, 3.0, float("nan")]) == []


def test_named_in_vain_as_seldom_as_said() -> None:
    random = np.random.default_rng(0)
    for count in (3, 5, 10):
        assert np.mean([bool(outlying(random.normal(size=count).tolist())) for _ in range(600)]) < 0.1


def test_what_is_said(tmp_path) -> None:
    scores = (30.0, 30.2, 3.0, 29.9)
    runs = tuple(Run(tmp_path, {"test/bleu": score}, {"seed": n}, (), {}) for n, score in enumerate(scores))
    (line,) = outliers([Configuration("luong_dot", runs)], BLEU, "test")
    assert line.startswith("Outlying seeds of luong_dot, test/bleu: seed 2 with 3.00; the others have 29.90 to 30.20")
