"""What can be wrong with a ``key=value`` of the command line, and the nearest right thing."""

import re
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from attnlab.cli.errors import nearest
from attnlab.cli.signature import HYDRA_KEYS, UnknownTargetError, signature


class Groups:
    """The config groups and their options, those of added config folders included.

    It asks the repository itself: the loader's own listing copies the repository at every call, 10 ms each.
    """

    def __init__(self, loader: ConfigLoaderImpl) -> None:
        self.repository = loader.repository

    @cached_property
    def all(self) -> set[str]:
        """``attention``, ``attention/window``, … without Hydra's own."""
        found, queue = (
            set(),
            [name for name in self.repository.get_group_options("", ObjectType.GROUP) if name != "hydra"],
        )
        while queue:
            group = queue.pop()
            found.add(group)
            queue += [f"{group}/{name}" for name in self.repository.get_group_options(group, ObjectType.GROUP)]
        return found

    def options(self, group: str) -> list[str]:
        return list(self.repository.get_group_options(group, ObjectType.CONFIG))

    def chooses(self, override: Override) -> bool:
        """Whether the override picks an option of a group (Hydra's own too), rather than set a value."""
        name = override.key_or_group
        return name in self.all or name.startswith("hydra/")


def parse(lines: Sequence[str]) -> tuple[list[Override], list[str]]:
    """The overrides that can be read, and a message for each that cannot."""
    parser, good, wrong = OverridesParser.create(), [], []
    for line in lines:
        try:
            good += parser.parse_overrides([line])
        except HydraException as error:
            said = [text for text in str(error).splitlines() if not text.startswith("See ")]
            reason = "unexpected character" if not said[-1].strip("^ ") else said[-1].partition(" expecting ")[0]
            wrong.append(f"{line!r} cannot be read ({reason}); write key=value, special text in quotes: key='\"…\"'")
    return good, wrong


def wrong_choices(overrides: list[Override], groups: Groups) -> dict[str, str]:
    """Messages, by override, for options of config groups that do not exist."""
    wrong = {}
    for override in overrides:
        if override.key_or_group not in groups.all or override.is_delete():
            continue
        name, value, options = override.key_or_group, override.value(), groups.options(override.key_or_group)
        if override.is_sweep_override():
            wrong[line(override)] = f"{name}: several values need the flag -m (--multirun)"
        elif value is not None and not isinstance(value, dict) and str(value) not in options:
            wrong[line(override)] = f"{name}={value}: no such option; {nearest(str(value), options)}"
    return wrong


def wrong_keys(overrides: list[Override], config: DictConfig, groups: Groups) -> dict[str, str]:
    """Messages, by override, for keys that the composed config does not have."""
    wrong = {}
    for override in overrides:
        key = override.key_or_group
        if groups.chooses(override) or override.is_add() or override.is_force_add():
            continue
        if override.is_sweep_override():
            wrong[line(override)] = f"{key}: several values need the flag -m (--multirun)"
            continue
        missing = first_missing(config, key)
        if missing is not None:
            parent, name = missing
            names = names_at(config, parent, groups)
            hint = f"add it with +{line(override)}" if name in names else nearest(name, names)
            wrong[line(override)] = f"{key}: unknown key; {hint}"
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
        if not isinstance(node, DictConfig) or name not in node:
            return ".".join(path), name
        node = OmegaConf.select(node, name, throw_on_missing=False)
        path.append(name)
    return None


def line(override: Override) -> str:
    return str(override.input_line)


def cleaned(error: Exception) -> str:
    """Hydra's own message on one line, with its cause."""
    nested = re.match(r"Could not override '([\w/]+)/(\w+)", str(error))
    if nested:
        group, part = nested.groups()
        return (
            f"{group}/{part}: the chosen option of {group} has no {part} that another could stand for; "
            f"take an option of {group} that has one, or leave {group}/{part} out"
        )
    parts = [str(error), str(error.__cause__)] if error.__cause__ is not None else [str(error)]
    return " ".join(" ".join(parts).split())
