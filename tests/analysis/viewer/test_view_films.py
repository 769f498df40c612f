"""Films of how attention forms: a frame a moment, all of one size, what is drawn is what was looked at then."""

from itertools import pairwise

import numpy as np
import pytest
from page_example import formed
from PIL import Image, ImageSequence

from attnlab.analysis.viewer.films import frame, moments, save_film
from attnlab.analysis.viewer.pictures import Chosen
from attnlab.errors import ConfigError

MADE = formed()


def test_runs_are_as_far_into_their_training_in_every_frame():
    assert [[run.name for run in runs] for runs in moments(MADE)] == [
        ["first, epoch 1", "second, epoch 1"], ["first, epoch 2", "second, epoch 2"],
        ["first, epoch 2", "second, epoch 3"], ["first, epoch 3", "second, epoch 4"],
    ]  # fmt: skip


def test_a_film_has_a_frame_a_moment(tmp_path):
    save_film(MADE, 1, Chosen(), tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as film:
        assert film.info["loop"] == 0
        frames = [np.asarray(one.convert("RGB"), np.int16) for one in ImageSequence.Iterator(film)]
    assert len(frames) == 4
    for shown, runs in zip(frames, moments(MADE), strict=True):
        drawn = np.asarray(frame(MADE._replace(runs=runs), 1, Chosen()), np.int16)
        apart = np.abs(shown[: drawn.shape[0], : drawn.shape[1]] - drawn)
        assert apart.mean() < 2  # a GIF has 256 colours
    assert all((a != b).any() for a, b in pairwise(frames))


def test_a_film_of_one_moment_is_refused(tmp_path):
    one = MADE._replace(runs=MADE.runs[:1])
    with pytest.raises(ConfigError, match="a film has several moments; over_training=true"):
        save_film(one, 1, Chosen(), tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())
