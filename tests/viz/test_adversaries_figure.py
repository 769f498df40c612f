"""Trained adversaries, drawn: every label stands at its own dot."""

import pytest
from matplotlib.text import Annotation

from attnlab.viz.explanation import adversaries_figure


@pytest.mark.parametrize(
    ("points", "above"),
    [
        ([("0", 0.016, 0.077), ("0.001", 0.014, 0.072), ("0.01", 0.577, 0.094), ("0.1", 0.61, 0.089)], [1, 0, 1, 0]),
        ([("0.1", 0.6, 0.05), ("0", 0.01, 0.05)], [1, 1]),
        ([("0", 0.016, 0.077)], [1]),
        ([], []),
    ],
)
def test_of_two_dots_that_lie_close_the_upper_one_has_its_label_above(points, above):
    (axes,) = adversaries_figure(points).axes
    labels = [found for found in axes.texts if isinstance(found, Annotation)]
    assert [(label.get_text(), label.xy, label.get_position()[1] > 0) for label in labels] == [
        (f"λ = {name}", (far, change), bool(up)) for (name, far, change), up in zip(points, above, strict=True)
    ]
