"""The picture of a document: a paragraph a sentence with its bar, words as dark as both levels say."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from attnlab.errors import DataError
from attnlab.viz.documents import BAR, MOST_LINES, by_sentence
from attnlab.viz.palette import BLUES, ORANGES, scale
from attnlab.viz.picture import picture
from attnlab.viz.shares import shares

WORDS = ["a", "fine", "film", ".", "it", "ends", "well", "!"]
WEIGHTS = np.array([[0.1, 0.6, 0.2, 0.1, 0.25, 0.25, 0.4, 0.1]])
LENGTHS, ABOVE = [4, 3, 1], np.array([[0.64, 0.3, 0.06]])
WEIGHTS[0, 7] = 1.0


def boxes(figure):
    """Width in inches and colour of every rectangle, in the order in which they are drawn."""
    width, _ = figure.get_size_inches()
    return [(patch.get_width() * width, patch.get_facecolor()[:3]) for patch in figure.findobj(Rectangle)
            if patch is not figure.patch]  # fmt: skip


def test_words_are_as_dark_as_their_weight_and_the_root_of_their_sentences_say():
    """Yang et al. 2016, figure 5, number by number."""
    expected = []
    for length, above, start in zip(LENGTHS, ABOVE[0], (0, 4, 7), strict=True):
        expected += [above**0.5 * weight for weight in WEIGHTS[0, start : start + length]]
    np.testing.assert_allclose(shares(WEIGHTS[0], LENGTHS, ABOVE[0]), np.array(expected) / max(expected))
    np.testing.assert_allclose(shares(WEIGHTS[0], LENGTHS, None), WEIGHTS[0])
    assert shares(np.zeros(8), LENGTHS, ABOVE[0]).tolist() == [0] * 8


def test_bars_and_words():
    figure = by_sentence(WEIGHTS, WORDS, LENGTHS, ABOVE, "test document 3: good, found with 0.9")
    found = boxes(figure)
    bars = [color for width, color in found if width == pytest.approx(BAR)]
    assert bars == [pytest.approx(scale(ORANGES)(weight / 0.64)[:3]) for weight in ABOVE[0]]
    assert bars[0] == pytest.approx(to_rgb(ORANGES[-1]), abs=0.01)
    shaded = [color for width, color in found if width != pytest.approx(BAR)]
    shades = shares(WEIGHTS[0], LENGTHS, ABOVE[0])
    assert len(shaded) == (shades >= 0.02).sum()
    assert shaded[1] == pytest.approx(to_rgb(BLUES[-1]), abs=0.01)  # fine
    texts = [text.get_text() for text in figure.texts]
    assert [text for text in texts if text in WORDS] == WORDS
    assert ".64" in texts
    assert ".06" in texts
    assert any("darkest is 0.64" in text for text in texts)


def test_small_weights_are_told_with_two_digits():
    figure = by_sentence(np.full((1, 100), 0.5), ["word"] * 100, [1] * 100, np.r_[0.0136, np.full(99, 0.0099636)][None])
    texts = [text.get_text() for text in figure.texts]
    assert (texts.count(".014"), texts.count(".010")) == (1, 99)
    assert any("darkest is 0.014" in text for text in texts)


def test_of_several_looks_the_mean_and_without_attention_to_sentences_no_bars():
    two = np.stack([WEIGHTS[0], np.roll(WEIGHTS[0], 1)])
    mean = by_sentence(two.mean(0, keepdims=True), WORDS, LENGTHS, ABOVE)
    assert boxes(by_sentence(two, WORDS, LENGTHS, np.vstack([ABOVE, ABOVE]))) == boxes(mean)
    bare = picture(WEIGHTS, WORDS, ["look"], "t", True, "note", LENGTHS)
    assert not [width for width, _ in boxes(bare) if width == pytest.approx(BAR)]
    unseen = picture(0 * WEIGHTS, WORDS, ["words"], "t", True, "", LENGTHS, ABOVE)
    assert len(boxes(unseen)) == 3


def test_nothing_stands_outside_or_upon_another():
    draw = np.random.default_rng(0)
    lengths = draw.integers(1, 60, 30).tolist()
    words = ["".join(draw.choice(list("abcdefgh"), draw.integers(1, 12))) for _ in range(sum(lengths))]
    weights = np.concatenate([draw.dirichlet(np.ones(length)) for length in lengths])[None]
    figure = by_sentence(weights, words, lengths, draw.dirichlet(np.ones(30))[None], "a title " * 30)
    canvas = figure.canvas.get_renderer()
    frames = [text.get_window_extent(canvas) for text in figure.texts]
    width, height = figure.get_size_inches() * figure.dpi
    assert all(box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height for box in frames)
    tops = sorted({round(text.get_position()[1], 6) for text in figure.texts})
    assert len(tops) > 30
    by_line = {}
    for text, box in zip(figure.texts, frames, strict=True):
        by_line.setdefault(round(text.get_position()[1], 6), []).append((box.x0, box.x1))
    for spans in by_line.values():
        spans.sort()
        assert all(a[1] <= b[0] + 1 for a, b in pairwise(spans))


def test_of_a_book_the_first_lines_are_drawn_and_the_rest_is_counted():
    count = MOST_LINES + 7
    figure = by_sentence(np.ones((1, count)), ["a"] * count, [1] * count)
    assert any("7 more sentences are not drawn" in text.get_text() for text in figure.texts)


@pytest.mark.parametrize(
    ("weights", "lengths", "above"),
    [(WEIGHTS, [4, 3], None), (WEIGHTS, LENGTHS, ABOVE[:, :2]), (np.nan * WEIGHTS, LENGTHS, None),
     (WEIGHTS[:, :5], LENGTHS, None), (WEIGHTS, LENGTHS, np.inf * ABOVE)],
)  # fmt: skip
def test_what_does_not_fit(weights, lengths, above):
    with pytest.raises(DataError):
        by_sentence(weights, WORDS, lengths, above)
