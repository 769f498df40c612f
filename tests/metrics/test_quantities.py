"""Which way is better stands once, and everything that looks for a least or a most agrees with it."""

from pathlib import Path

import pytest
import yaml

from attnlab.analysis.scoring import Scorer
from attnlab.metrics.alignment import AlignmentErrorRate
from attnlab.metrics.perplexity import Perplexity
from attnlab.metrics.quantities import SCORES, mode_of, quantity
from attnlab.types import ConfigError

SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"


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


@pytest.mark.parametrize("key", ["val/accuracy", "bleu2", "my/seconds", "val/bleu/own", "loss_a"])
def test_a_quantity_of_the_users_own_needs_a_mode(key: str) -> None:
    assert mode_of(key, "min", "x") == "min"
    assert mode_of(key, "max", "x") == "max"
    with pytest.raises(ConfigError, match=r"x\.mode has to say"):
        mode_of(key, None, "x")


def test_a_mode_is_min_or_max() -> None:
    with pytest.raises(ConfigError, match="expected min, max or null"):
        mode_of("val/bleu", "lower", "x")


def test_scorers_and_metrics_agree() -> None:
    """TER and AER are error rates, a perplexity is of what was not expected: less is better (their papers)."""
    assert {name: Scorer(name, SIGNATURE).sign for name in SCORES} == {
        "bleu": 1, "chrf": 1, "ter": -1, "ppl": -1, "aer": -1
    }  # fmt: skip
    assert not AlignmentErrorRate.higher_is_better
    assert not Perplexity.higher_is_better


def test_the_goals_of_the_wandb_sweeps(project_root: Path) -> None:
    files = sorted((project_root / "sweeps").glob("*.yaml"))
    assert files
    for file in files:
        metric = yaml.safe_load(file.read_text("utf-8"))["metric"]
        known = quantity(metric["name"])
        assert known is not None
        assert metric["goal"] == ("maximize" if known.higher_is_better else "minimize"), file.name
