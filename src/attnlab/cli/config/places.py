"""Places of a composed configuration, by dotted keys: what stands there, what may, and what is only referred to."""

import re
from contextlib import suppress
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from attnlab.cli.config.signature import HYDRA_KEYS, UnknownTargetError, signature

WHOLE = re.compile(r"\$\{([\w.]+)\}")


def names_at(config: DictConfig, path: str = "") -> set[str]:
    """What may stand at a place of the config: keys, and parameters of what a node builds."""
    node = OmegaConf.select(config, path) if path else config
    if not isinstance(node, DictConfig):
        return set()
    names = {str(key) for key in node} - HYDRA_KEYS - {"hydra"}
    with suppress(UnknownTargetError):
        names |= set(signature(str(node["_target_"])).parameters) if "_target_" in node else set()
    return names


def node_at(config: DictConfig, key: str) -> DictConfig | None:
    """The mapping at a place; None where there is something else, or nothing that can be found."""
    with suppress(OmegaConfBaseException):
        node = OmegaConf.select(config, key, throw_on_missing=False)
        return node if isinstance(node, DictConfig) else None
    return None


def first_missing(config: DictConfig, key: str) -> tuple[str, str] | None:
    """The first part of a dotted key that is not there: its parent's path and its name."""
    node: Any = config
    path: list[str] = []
    for name in key.split("."):
        if not isinstance(node, DictConfig) or name not in node.keys():  # noqa: SIM118 (``in`` is false for ???)
            return ".".join(path), name
        node = OmegaConf.select(node, name, throw_on_missing=False)
        path.append(name)
    return None


def reference(config: DictConfig, key: str) -> tuple[str, str, str] | None:
    """Of ``model.encoder.layers``, where model.encoder is ${encoder}: both of them and the place referred to."""
    names = key.split(".")
    for count in range(1, len(names)):
        parent = OmegaConf.select(config, ".".join(names[: count - 1])) if count > 1 else config
        if not isinstance(parent, DictConfig):
            return None
        text = str(OmegaConf.to_container(parent, resolve=False).get(names[count - 1]))  # type: ignore[union-attr]
        referred = WHOLE.fullmatch(text)
        if referred:
            return ".".join(names[:count]), text, referred[1]
    return None
