"""The looks of configurations, against published models of contrast and of colour vision."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from attnlab.errors import DataError
from attnlab.viz.page import INK
from attnlab.viz.palette import BLUES, BLUES_ON_DARK, HUES, looks

# Machado, Oliveira and Fernandes (2009), table 1, severity 1: on linear RGB.
NORMAL = np.eye(3)
PROTAN = np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]])
DEUTAN = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]])


def linear(color: str) -> np.ndarray:
    rgb = np.array(to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(color: str, vision: np.ndarray = NORMAL) -> np.ndarray:
    """CIELAB (D65) of a colour as it is seen."""
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratio = matrix @ np.clip(vision @ linear(color), 0, 1) / matrix.sum(1)
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(a: str, b: str) -> float:
    """WCAG 2.2: (L1 + 0.05) / (L2 + 0.05)."""
    first, second = sorted((float(linear(color) @ [0.2126, 0.7152, 0.0722]) for color in (a, b)), reverse=True)
    return (first + 0.05) / (second + 0.05)


@pytest.mark.parametrize("ground", ["#ffffff", "#15181c"])
def test_every_hue_is_seen_on_both_pages(ground: str) -> None:
    assert min(contrast(color, ground) for color in HUES) >= 3


@pytest.mark.parametrize("vision", [NORMAL, PROTAN, DEUTAN], ids=["normal", "protanopia", "deuteranopia"])
def test_eight_configurations_stay_apart(vision: np.ndarray) -> None:
    # 2.3 is just noticeable (Mahy et al. 1994); five times that is seen at once, in thin lines too.
    seen = [lab(color, vision) for color in (INK, *HUES[:8])]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > 5 * 2.3


def test_all_hues_differ() -> None:
    assert min(float(np.linalg.norm(lab(a) - lab(b))) for a, b in combinations(HUES, 2)) > 5 * 2.3


def test_weights_on_a_dark_page_brighten_in_even_steps() -> None:
    points = np.array([lab(color) for color in BLUES_ON_DARK])
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert steps.max() / steps.min() < 1.15  # eight bits a colour leave that much
    assert (np.diff(points[:, 0]) > 5).all()
    assert len(BLUES_ON_DARK) == len(BLUES)


def test_a_look_is_a_configurations_own() -> None:
    names = [f"c{number}" for number in range(60)]
    chosen = looks(names, baseline="c3")
    assert list(chosen) == names
    assert len(set(chosen.values())) == len(names)
    assert chosen["c3"].color == INK
    assert all(chosen[name].color != INK for name in names if name != "c3")
    assert len({chosen[name].color for name in names[:17]}) == 17


@pytest.mark.parametrize(("names", "baseline"), [(["a", "a"], None), (["a", "b"], "c")])
def test_labels_must_tell_configurations_apart(names: list[str], baseline: str | None) -> None:
    with pytest.raises(DataError, match="name the configurations apart"):
        looks(names, baseline)
