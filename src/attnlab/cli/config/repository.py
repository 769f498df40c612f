"""The YAML files of the search path, each read once, within bounds, and with one line where it is no configuration."""

import re
from pathlib import Path
from typing import Any

import yaml
from hydra.errors import ConfigCompositionException
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from attnlab.bounded import PARSER, check_yaml, read_text
from attnlab.cli.config.check import said
from attnlab.errors import DataError
from attnlab.private.hydra import CachingRepository

ALIAS = re.compile(r"[\s\[{,]\*\w")  # without one, a file stands for no more than what is in it
NO_KEYS = "no configuration, which has keys and values (key: value)"
DEEP = 50  # brackets in a row


class YamlFiles(CachingRepository):
    """Reads the files of a search path, each once."""

    def read(self, config_path: str) -> ConfigResult | None:
        """Read a file, within bounds.

        Raises:
            ConfigCompositionException: it is no configuration; where, and why.
        """
        name = config_path if config_path.endswith(".yaml") else f"{config_path}.yaml"
        files = [Path(source.path, name) for source in self.sources if source.scheme() == "file"]
        path = next(filter(Path.is_file, files), None)
        try:
            self.require_one(config_path, name)
            if path is not None:
                text = read_text(path)
                if ALIAS.search(text) or "[" * DEEP in text:
                    check_yaml(text, str(path))
            loaded = super().read(config_path)
            if loaded is not None and path is not None and not keyed(loaded.config, text):
                raise DataError(f"{path}: {NO_KEYS}")
            return loaded
        except (yaml.YAMLError, RecursionError, OmegaConfBaseException, DataError, OSError) as error:
            raise ConfigCompositionException(unreadable(path, error)) from None

    def require_one(self, config_path: str, name: str) -> None:
        """See that what is read is not in the place of a file of the user's own.

        Raises:
            DataError: the laboratory, or Hydra, has one of the same name, and Hydra takes that.
        """
        for number, source in enumerate(self.sources):
            if source.provider == "command-line" and (file := Path(source.path, name)).is_file():
                before = self.sources[:number]
                if any(other.available() and other.is_config(config_path) for other in before):
                    raise DataError(f"{file} would not be read, for attnlab has {name} of its own; call it otherwise")


def keyed(config: Any, text: str) -> bool:
    """Whether a file has keys. OmegaConf takes a text alone for a key without a value."""
    if not isinstance(config, DictConfig):
        return False
    plain: Any = OmegaConf.to_container(config, resolve=False)
    return list(plain.values()) != [None] or isinstance(yaml.load(text, Loader=PARSER), dict)


def unreadable(path: Path | None, error: Exception) -> str:
    """Why a file is no configuration, on one line."""
    if isinstance(error, DataError):
        return str(error)
    if isinstance(error, OSError):  # what OmegaConf says of a number or a date alone
        return f"{path}: {NO_KEYS}"
    if isinstance(error, RecursionError):
        return f"{path}: too many brackets within brackets"
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    place = f", line {mark.line + 1}" if mark is not None else ""
    return f"{path}{place}: {problem or said(error)}"
