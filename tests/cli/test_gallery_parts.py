"""Pictures of windows and normalizers: what is drawn is what the parts do, by formulas and plain loops."""

import math

import numpy as np
import pytest
import torch

from attnlab.cli import folders
from attnlab.cli.gallery_parts import (
    LINKS,
    ROW,
    SHOWN,
    SOURCE,
    TARGET,
    asked,
    attention_of,
    learned,
    normalizer_picture,
    parts,
    table,
    window_picture,
)


@pytest.fixture(autouse=True)
def _resolvers(monkeypatch, tmp_path):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    folders.register()
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def windows():
    folders.register()
    return parts("window")


@pytest.fixture(scope="module")
def normalizers():
    folders.register()
    return parts("normalizer")


def softmax(scores):
    exps = [math.exp(score) for score in scores]
    return [value / sum(exps) for value in exps]


def grey(axes):
    """The cells (target, source) that are outside of the window."""
    return {(round(p.get_y() + 0.5), round(p.get_x() + 0.5)) for p in axes.patches if p.get_edgecolor()[3] == 0}


def test_local_m_shows_two_words_on_either_side(windows):
    figure = window_picture("local_m", windows["local_m"])
    whole, local = (axes for axes in figure.axes if axes.images)
    places = [min(target, len(SOURCE) - 1) for target in range(len(TARGET))]
    outside = {(t, s) for t, place in enumerate(places) for s in range(len(SOURCE)) if abs(s - place) > 2}
    assert grey(local) == outside
    assert grey(whole) == set()
    scores = table().tolist()
    for target, row in enumerate(np.asarray(local.images[0].get_array())):
        inside = [s for s in range(len(SOURCE)) if (target, s) not in outside]
        expected = dict(zip(inside, softmax([scores[target][s] for s in inside]), strict=True))
        assert row == pytest.approx([expected.get(s, 0.0) for s in range(len(SOURCE))], abs=1e-6)
    assert [text.get_text() for text in figure.texts][:2] == ["window=all", "window=local_m, D = 2 (grey: outside)"]


def test_what_a_window_learns_it_learns_on_the_sentence(windows):
    """A predicted window goes back to the verb; one that moves on never does, but a chunk behind it has the word."""
    for name in ("local_p", "mocha"):
        found, seen = asked(learned(attention_of(windows[name])).eval())
        assert [int(row.argmax()) for row in found] == list(LINKS), name
        assert seen.all() == (name == "mocha")
    found, _ = asked(learned(attention_of(windows["monotonic"])).eval())
    chosen = [int(row.argmax()) for row in found]
    assert chosen == sorted(chosen)
    assert chosen[:-1] == list(LINKS[:-1])


def test_training_is_shown_where_it_is_something_else(windows):
    def headings(name):
        figure = window_picture(name, windows[name])
        return [text.get_text() for text in figure.texts if text.get_text().startswith("window")]

    assert headings("all") == ["window=all"]
    assert headings("monotonic") == ["window=all", "window=monotonic, in training", "window=monotonic, in use"]


def test_every_part_of_the_configuration_is_drawn(windows, normalizers, project_root):
    for group, found in (("window", windows), ("normalizer", normalizers)):
        folder = project_root / "conf" / "attention" / group
        assert set(found) == {path.stem for path in folder.glob("*.yaml")}


def test_the_bars_are_the_weights_of_the_row(normalizers):
    left, right = normalizer_picture("sparsemax", normalizers["sparsemax"]).axes
    bars, outlines = ([bar.get_height() for bar in group] for group in left.containers)
    # The projection of the row to the simplex (Martins and Astudillo 2016, algorithm 1).
    ordered = sorted(ROW, reverse=True)
    support = max(k for k in range(1, len(ROW) + 1) if 1 + k * ordered[k - 1] > sum(ordered[:k]))
    tau = (sum(ordered[:support]) - 1) / support
    assert bars == pytest.approx([max(score - tau, 0) for score in ROW], abs=1e-5)
    assert outlines == pytest.approx(softmax(ROW), abs=1e-5)
    usual, _ = right.get_lines()
    x, y = usual.get_data()
    assert y[0] == pytest.approx(math.exp(x[0]) / (math.exp(x[0]) + len(SOURCE) - 1))
    assert "sum to 1" in left.get_title("left")


def test_settings_have_a_curve_each(normalizers):
    right = normalizer_picture("softmax", normalizers["softmax"]).axes[1]
    assert [line.get_label() for line in right.get_lines()] == [f"temperature = {t}" for t in (0.5, 1.0, 2.0)]
    (half, one, two) = (line.get_ydata()[-1] for line in right.get_lines())
    assert half > one > two
    assert "weights sum to 5.64" in normalizer_picture("sigmoid", normalizers["sigmoid"]).axes[0].get_title("left")
    assert sum(1 / (1 + math.exp(-score)) for score in ROW) == pytest.approx(5.64, abs=5e-3)


def test_draws_are_shown_of_what_draws(normalizers):
    left, right = normalizer_picture("gumbel", normalizers["gumbel"]).axes
    drawn = np.asarray(right.images[0].get_array())
    assert drawn.shape == (SHOWN, len(SOURCE))
    assert (drawn.sum(1) == 1).all()
    assert set(np.unique(drawn)) == {0, 1}
    (means,) = left.get_lines()
    assert means.get_ydata() == pytest.approx(softmax(ROW), abs=0.05), "Gumbel's draws have the softmax as their mean"
    assert not normalizer_picture("hard_st", normalizers["hard_st"]).axes[1].images
