"""Configurations of trainings, composed as the commands compose them; files of conf/ are read once for all tests."""

from pathlib import Path

from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig, open_dict

from attnlab.cli.config.repository import YamlFiles
from attnlab.private.hydra import composed, composing

CONF = Path(__file__).resolve().parents[1] / "conf"
READ: dict = {}


class Kept(YamlFiles):
    """Nothing in conf/ changes while tests run."""

    def __init__(self, repository):
        super().__init__(repository)
        self.results = READ


def compose(*overrides: str, return_hydra_config: bool = False) -> DictConfig:
    """What ``python train.py`` would be asked with these overrides, not checked, as ``hydra.compose`` returns it."""
    GlobalHydra.instance().clear()
    composer = composing("train", CONF, None, Kept)
    try:
        config = composed(composer, "train", overrides, RunMode.RUN)
    finally:
        GlobalHydra.instance().clear()
    if not return_hydra_config:
        with open_dict(config):
            del config["hydra"]
    return config
