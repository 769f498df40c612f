"""The presets found in conf/attention, built as the configuration builds them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf

CONF = Path(__file__).resolve().parents[2] / "conf"
PRESETS = sorted(path.stem for path in (CONF / "attention").glob("*.yaml"))


def factory(preset: str) -> Callable[..., Any]:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train", overrides=[f"attention={preset}"])
    node = OmegaConf.create(OmegaConf.to_container(config.attention, resolve=True))
    return instantiate(node)


@pytest.fixture(params=PRESETS)
def preset(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def build(preset: str) -> Callable[..., Any]:
    """Sizes of query, annotation and summary to a mechanism."""
    return factory(preset)
