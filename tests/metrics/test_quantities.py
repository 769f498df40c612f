"""Which way is better stands once, and everything that looks for a least or a most agrees with it."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from attnlab.metrics.alignment import AlignmentErrorRate
from attnlab.metrics.perplexity import Perplexity
from attnlab.metrics.quantity import Plain
from attnlab.metrics.registry import mode_of, of_key
from attnlab.types import ConfigError


@pytest.mark.parametrize(
    ("key", "mode"),
    [
        ("val/bleu", "max"), ("test_long/chrf", "max"), ("val/ter", "min"), ("val/ppl", "min"), ("val/loss", "min"),
        ("train/loss", "min"), ("test/aer", "min"), ("train/mfu", "max"), ("peak_memory_mib", "min"),
        ("train/seconds", "min"), ("train/target_tokens_per_second", "max"), ("test/sentences_per_second", "max"),
    ],
)  # fmt: skip
def test_the_mode_of_our_quantities(key: str, mode: str) -> None:
    assert mode_of(key, None, "x") == mode_of(key, mode, "x") == mode
    with pytest.raises(ConfigError, match=f"x.mode={'min' if mode == 'max' else 'max'}"):
        mode_of(key, "min" if mode == "max" else "max", "x")


@pytest.mark.parametrize("key", ["val/nobodys", "bleu2", "bleu", "my/seconds", "val/bleu/own", "val/params", "loss_a"])
def test_a_quantity_of_the_users_own_needs_a_mode(key: str) -> None:
    assert mode_of(key, "min", "x") == "min"
    assert mode_of(key, "max", "x") == "max"
    with pytest.raises(ConfigError, match=r"x\.mode has to say"):
        mode_of(key, None, "x")


def test_a_mode_is_min_or_max() -> None:
    with pytest.raises(ConfigError, match="expected min, max or null"):
        mode_of("val/bleu", "lower", "x")


def test_the_direction_cannot_be_forgotten() -> None:
    with pytest.raises(TypeError, match="better"):
        Plain(name="accuracy", title="accuracy")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"better": "more"}, "better is 'more', expected higher or lower"),
        ({"scale": "sqrt"}, "scale is 'sqrt', expected linear or log"),
        ({"name": "test/f1"}, "expected a name of letters"),
        ({"digits": -1}, "expected 0 or more"),
    ],
)
def test_what_a_quantity_cannot_be(wrong: dict[str, object], told: str) -> None:
    # A package from outside is not checked for its types.
    code = f"""
from attnlab.metrics.quantity import Plain
print(Plain(**{ {"name": "f1", "title": "F1", "better": "higher", **wrong}!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert told in done.stderr


def test_metrics_agree() -> None:
    """TER and AER are error rates, a perplexity is of what was not expected: less is better (their papers)."""
    assert not AlignmentErrorRate.higher_is_better
    assert not Perplexity.higher_is_better


def test_the_goals_of_the_wandb_sweeps(project_root: Path) -> None:
    files = sorted((project_root / "sweeps").glob("*.yaml"))
    assert files
    for file in files:
        metric = yaml.safe_load(file.read_text("utf-8"))["metric"]
        known = of_key(metric["name"])
        assert known is not None
        assert metric["goal"] == ("maximize" if known.higher_is_better else "minimize"), file.name
