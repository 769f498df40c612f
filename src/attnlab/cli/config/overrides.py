"""What can be wrong with a ``key=value`` of the command line, and the nearest right thing."""

import re
import traceback
from functools import cached_property
from typing import Any

from hydra.core.default_element import GroupDefault
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from attnlab.cli.config.words import option
from attnlab.cli.errors import nearest
from attnlab.cli.quantities import GROUP as QUANTITY
from attnlab.private.hydra import ConfigLoaderImpl

UNKNOWN_OPTION = re.compile(
    r"Could not find '([\w/]+)/([^'/]+)' Available options in '[\w/]+': (.*?) Config search path"
)


class Groups:
    """The config groups and their options, those of added config folders included.

    It asks the repository itself: the loader's own listing copies the repository at every call, 10 ms each.
    """

    def __init__(self, loader: ConfigLoaderImpl, primary: str) -> None:
        self.repository, self.primary = loader.repository, primary

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

    @property
    def top(self) -> set[str]:
        """The groups that stand at the root."""
        return {group for group in self.all if "/" not in group}

    def options(self, group: str) -> list[str]:
        return list(self.repository.get_group_options(group, ObjectType.CONFIG))

    @cached_property
    def heads(self) -> dict[str, Any]:
        """The groups that the primary config chooses from, and what it chooses."""
        loaded = self.repository.load_config(self.primary)
        entries = loaded.defaults_list if loaded is not None else []
        return {str(entry.group): entry.value for entry in entries if isinstance(entry, GroupDefault)}

    @cached_property
    def further(self) -> bool:
        """Whether the primary config itself adds folders to look in."""
        loaded = self.repository.load_config(self.primary)
        return loaded is not None and OmegaConf.select(loaded.config, "hydra.searchpath") is not None

    @property
    def of_hydra(self) -> list[str]:
        return [f"hydra/{name}" for name in self.repository.get_group_options("hydra", ObjectType.GROUP)]

    @property
    def required(self) -> set[str]:
        return {name for name, value in self.heads.items() if value is not None}

    def builds(self, group: str, option: str) -> bool:
        """Whether an option stands for one thing, and not for named ones."""
        loaded = self.repository.load_config(f"{group}/{option}")
        return loaded is not None and isinstance(loaded.config, DictConfig) and "_target_" in loaded.config

    def chooses(self, override: Override) -> bool:
        """Whether the override picks an option of a group (Hydra's own too), rather than set a value."""
        name = override.key_or_group
        return name in self.all or name.startswith("hydra/")


def plain(override: Override) -> bool:
    """``key=value`` with one value, which Hydra itself judges rightly."""
    value = None if override.is_sweep_override() or override.is_delete() else override.value()
    return override.type is OverrideType.CHANGE and not isinstance(value, list) and value is not None


def misspelt(override: Override, groups: Groups) -> bool:
    """A choice that no file stands for, which needs no composing to be known.

    Unless there are folders beside the search path, which Hydra knows only when it composes.
    """
    if not groups.chooses(override) or groups.further or not plain(override):
        return False
    value = str(override.value())
    return value.isidentifier() and value not in groups.options(override.key_or_group)


def wrong_choices(overrides: list[Override], groups: Groups) -> dict[str, str]:
    """Messages, by override, for options of config groups that do not exist."""
    found = ((override, wrong_choice(override, groups)) for override in overrides if groups.chooses(override))
    return {line(override): message for override, message in found if message}


def wrong_choice(override: Override, groups: Groups) -> str | None:
    """What is wrong with the choice of an option, or None."""
    name, options = override.key_or_group, groups.options(override.key_or_group)
    if override.is_delete():
        return f"~{name}: {name} cannot be left out; {choose(name, options)}" if name in groups.required else None
    if override.is_sweep_override():
        return f"{name}: several values need the flag -m (--multirun)"
    value = override.value()
    if name == QUANTITY:
        return f"{name}={value}: quantities are measured, several of them: write measure=[{value}]"
    if value is None:
        without = f"leave {name} out" if name in groups.heads and name not in groups.required else choose(name, options)
        return f"{name}=null: null is no option; {without}"
    if isinstance(value, list):
        return wrong_list(name, [str(item) for item in value], groups)
    if isinstance(value, dict):
        return None
    if not options:
        return f"{name}: no such group; {nearest(name, groups.of_hydra)}"
    if str(value) not in options:
        return f"{name}={value}: no such option; {option(name, str(value), options)}"
    if (override.is_add() or override.is_force_add()) and name in groups.heads:
        return f"{line(override)}: {name} has its place already; write {name}={value}"
    return None


def wrong_list(name: str, chosen: list[str], groups: Groups) -> str | None:
    """Options that build one thing each cannot be taken together, as loggers can."""
    if not chosen:
        return f"{name}=[]: an empty list is no option; {choose(name, groups.options(name))}"
    for item in chosen:
        if item not in groups.options(name):
            return f"{name}={item}: no such option; {option(name, item, groups.options(name))}"
    if any(groups.builds(name, item) for item in chosen):
        several = ",".join(chosen)
        return f"{name}=[{several}]: expected one option; several, one after another: -m {name}={several}"
    return None


def choose(name: str, options: list[str]) -> str:
    return f"write {name}=none" if "none" in options else nearest("", options)


def line(override: Override) -> str:
    return str(override.input_line)


def cleaned(error: Exception) -> str:
    """Hydra's own message on one line, with its cause."""
    if isinstance(error, RecursionError):
        frames = traceback.extract_tb(error.__traceback__)
        if any(frame.filename.endswith("defaults_list.py") for frame in frames):
            return "the defaults lists of two configurations include each other"
        return "values are nested too deeply"
    text = " ".join(str(error).split())
    nested = re.match(r"Could not override '([\w/]+)/(\w+)", text)
    if nested:
        group, part = nested.groups()
        return (
            f"{group}/{part}: the chosen option of {group} has no {part} that another could stand for; "
            f"take an option of {group} that has one, or leave {group}/{part} out"
        )
    brought = re.match(r"In '(\w+)/(\w+)': Could not override '([\w/]+)/(\w+)", text)
    if brought:
        chosen, name, group, part = brought.groups()
        return (
            f"{chosen}={name} brings {group}/{part} along, and there is no {group} here that has one; take an option "
            f"of {group} with a {part}, and a data set whose task has a {group}"
        )
    unknown = UNKNOWN_OPTION.search(text)
    if unknown:
        return f"{unknown[1]}={unknown[2]}: no such option; {option(unknown[1], unknown[2], unknown[3].split())}"
    searched = text.find(" Config search path:")
    if searched > 0:
        return text[:searched]
    located = re.match(r"(.*?) full_key: (\S+)", text)
    if located and isinstance(error, OmegaConfBaseException):
        return f"{located[2]}: {located[1]}"
    parts = [str(error), str(error.__cause__)] if error.__cause__ is not None else [str(error)]
    return " ".join(" ".join(parts).split())
