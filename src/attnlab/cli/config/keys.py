"""Keys of the command line that a composed configuration does not have, and what was meant instead."""

import re
from contextlib import suppress
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from attnlab.cli.config.overrides import Groups, line
from attnlab.cli.config.signature import HYDRA_KEYS, UnknownTargetError, signature
from attnlab.cli.errors import nearest

WHOLE = re.compile(r"\$\{([\w.]+)\}")
TAKERS = {
    "position": "encoder=transformer, encoder=convolutional and decoder=transformer take one; "
    "recurrent layers know the order by themselves",
    "attention": "pooling=context_vector, last_state and structured take one, in task=classification",
    "decoder": "task=translation has one",
    "bridge": "task=translation has one",
    "search": "task=translation has one",
    "pooling": "model=classifier takes one, in task=classification",
    "encoder": "model=seq2seq and model=classifier take one",
    "self_attention": "encoder=transformer and decoder=transformer have some",
    "optimizer": "models that are trained by gradients have one, model=seq2seq and model=classifier",
    "scheduler": "models that are trained by gradients have one, model=seq2seq and model=classifier",
}


def wrong_keys(overrides: list[Override], config: DictConfig, groups: Groups) -> dict[str, str]:
    """Messages, by override, for keys that the composed config does not have."""
    wrong = {}
    for override in overrides:
        key = override.key_or_group
        if key.startswith("hydra.sweeper.params"):
            wrong[line(override)] = f"{line(override)}: what is swept is written on its own: -m key=value,value"
            continue
        if groups.chooses(override) or override.is_add() or override.is_force_add():
            continue
        if override.is_sweep_override():
            wrong[line(override)] = f"{key}: several values need the flag -m (--multirun)"
            continue
        missing = first_missing(config, key)
        through = reference(config, key)
        if through is not None:
            place, text, root = through
            wrong[line(override)] = f"{key}: {place} is {text}; set {root}{key[len(place) :]} instead"
        elif missing is not None:
            parent, name = missing
            names = names_at(config, parent, groups)
            if not parent and name in groups.heads:
                told = f"there is no {name} here to set it of; {takers(name, groups.options(name))}"
            elif OmegaConf.select(config, parent, throw_on_missing=False) is None:
                told = f"{parent} is null here; set it as a whole, {parent}={{{name}:…}}, or leave it out"
            elif name in names:
                told = f"unknown key; add it with +{line(override)}"
            else:
                told = f"unknown key; {nearest(name, names)}"
            wrong[line(override)] = f"{key}: {told}"
    return wrong


def names_at(config: DictConfig, path: str, groups: Groups) -> set[str]:
    """What may stand at a place of the config: keys, groups at the root, parameters of what a node builds."""
    node = OmegaConf.select(config, path) if path else config
    if not isinstance(node, DictConfig):
        return set()
    names = {str(key) for key in node} - HYDRA_KEYS - {"hydra"}
    if not path:
        return names | {group for group in groups.all if "/" not in group}
    with suppress(UnknownTargetError):
        names |= set(signature(str(node["_target_"])).parameters) if "_target_" in node else set()
    return names


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


def takers(group: str, options: list[str]) -> str:
    """What takes an option of a group; of a group that anything may take, the options."""
    return TAKERS.get(group) or f"choose one, {group}=…; {nearest('', options)}"
