"""A part as the configuration builds it, the YAML of the current folder's conf/ included."""

from functools import cache
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from attnlab.cli import app, folders, project
from attnlab.cli.commands.train import COMMAND
from attnlab.errors import ConfigError
from attnlab.metrics import registry
from attnlab.metrics.quantity import Quantity


def configured(choice: str, *overrides: str) -> Any:
    """What ``attnlab train <choice> <overrides>`` builds of the group that is chosen from.

    Args:
        choice: an option of a group, ``attention=mine``.
        overrides: further words of the command line.

    Returns:
        A factory where sizes are still to come, as of ``attention`` and ``encoder``; the thing itself of ``dataset``.

    Raises:
        MistakesError: everything that is wrong with the configuration.
    """
    return instantiate(composed(project.current(), choice, *overrides))


def quantity(name: str) -> Quantity:
    """The quantity that ``measure=[name]`` measures.

    Raises:
        ConfigError: there is none of this name.
    """
    folders.register()
    found = registry.find(name)
    if found is None:
        raise ConfigError(f"{name} is no known quantity; there is {', '.join(registry.known())}")
    return found


@cache
def composed(folder: Path, choice: str, *overrides: str) -> DictConfig:
    """The checked configuration of a group, everything that it refers to filled in, for who stands in a folder."""
    config = app.composed(COMMAND, [choice, *overrides])
    plain: Any = OmegaConf.to_container(config[choice.partition("=")[0]], resolve=True)
    return DictConfig(plain)
