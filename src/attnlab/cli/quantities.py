"""Quantities of a project: ``conf/quantity/<name>.yaml`` says what makes the one of that name, with its settings."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from attnlab.bounded import read_yaml
from attnlab.environment import first_process
from attnlab.errors import ConfigError
from attnlab.imports import thing

if TYPE_CHECKING:
    from attnlab.metrics.quantity import Quantity

GROUP = "quantity"
REGISTRY = "attnlab.metrics.registry"
NAMED = "ATTNLAB_CONF"  # variable of the environment of further processes


def declare(conf: Path | None) -> None:
    """Make known, in the place of what was, the quantities of a folder of configurations; none is made for it.

    Args:
        conf: the user's own, never one that a run names.
    """
    files = sorted((conf / GROUP).glob("*.yaml")) if conf is not None else []
    if files or REGISTRY in sys.modules:  # else nobody has asked for a quantity yet, and few will
        from attnlab.metrics.registry import declare

        declare({file.stem: (str(file), partial(made, file)) for file in files})


def of_the_user(config_dir: str | None) -> Path | None:
    """The folder of configurations that the user has named, or stands before, told to processes that are started later:
    their command line may name that of a recorded run, which is not to say what is imported.
    """
    if first_process():
        os.environ[NAMED] = config_dir or ""
    named = os.environ.get(NAMED, config_dir or "")
    return Path(named).absolute() if named else None


def made(file: Path) -> "Quantity":
    """The quantity of a file.

    Raises:
        ConfigError: the file, or what it names, is none.
        DataError: it cannot be read.
    """
    from attnlab.cli.config.check import check_node
    from attnlab.metrics.quantity import Quantity

    settings: Any = read_yaml(file)
    if not (isinstance(settings, dict) and isinstance(settings.get("_target_"), str)):
        raise ConfigError(f"{file}: expected _target_: my_module.MyQuantity, and its name, title, better")
    if mistakes := list(check_node(OmegaConf.create(settings), file.stem, ())):
        raise ConfigError(f"{file}: {'; '.join(mistakes)}")
    target = settings.pop("_target_")
    kind = thing(target)
    if not (isinstance(kind, type) and issubclass(kind, Quantity)):
        raise ConfigError(f"{file}: {target} is no attnlab.metrics.quantity.Quantity")
    try:
        return kind(**settings)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from error
