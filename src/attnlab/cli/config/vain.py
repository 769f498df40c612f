"""Overrides that would do nothing: an option that does nothing is a mistake."""

from collections.abc import Mapping, Sequence

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from attnlab.cli.config.kinds import declared
from attnlab.cli.config.overrides import Groups, line
from attnlab.cli.config.places import names_at, node_at
from attnlab.cli.errors import nearest


def vain(overrides: list[Override], config: DictConfig, groups: Groups) -> dict[str, str]:
    """Messages, by override, for those that have changed nothing of the composed config."""
    found = ((override, reason(override, config, groups)) for override in overrides)
    return {line(override): f"{line(override)}: {text}" for override, text in found if text}


def reason(override: Override, config: DictConfig, groups: Groups) -> str | None:
    """Why an override does nothing, and what would; None for one that does something."""
    key = override.key_or_group
    parent, _, name = key.rpartition(".")
    if override.is_delete() or override.is_sweep_override():
        return None
    if override.value() == {} and node_at(config, key):
        options = groups.options(key) if key in groups.all else []
        either = f"choose an option of it ({nearest('', options)}) or " if options else ""
        return f"an empty mapping changes nothing; {either}set a value in it, {key}.<name>=…"
    node = node_at(config, parent) if parent.partition(".")[0] in groups.all else None
    named = node is not None and "_target_" not in node  # callbacks, loggers
    if override.is_add() and override.value() is None and named:
        return f"there is no {name} to switch off; {nearest(name, names_at(config, parent) - {name})}"
    return None


def unread(overrides: list[Override], config: DictConfig) -> dict[str, str]:
    """Messages, by override, for settings that the model says nothing reads with it: its class has them as ``unread``.

    Of a multirun they are mistakes where no job reads them: models are compared by one command line.
    """
    target = OmegaConf.select(config, "model._target_", throw_on_missing=False)
    names = declared(target, "unread") if isinstance(target, str) else None
    if not names:
        return {}
    kind, reached = str(target).rpartition(".")[2], tuple(f"{name}." for name in names)
    return {
        line(override): f"{line(override)}: nothing reads it with a {kind}, so it would do nothing; leave it out"
        for override in overrides
        if f"{override.key_or_group}.".startswith(reached) and not override.is_delete()
    }


def alone(overrides: Sequence[Override], needed: Mapping[str, str]) -> list[str]:
    """Messages for plain options that were given without the one they are read with.

    Args:
        overrides: of the command line.
        needed: by option what has to be given with it: ``method=threshold``, or ``backward`` with any value.
    """
    given = {override.key_or_group: override.value() for override in overrides if not override.is_delete()}
    found = []
    for name, other in needed.items():
        key, _, value = other.partition("=")
        there = str(given.get(key)) == value if value else given.get(key) is not None
        if name in given and not there:
            add = other if value else f"{other}=…"
            found.append(f"{name}: nothing reads it without {other}; add {add}, or leave {name} out")
    return found
