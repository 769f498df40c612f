"""Check a composed config against the constructors that it names. Constructors' signatures are the schema.

Nothing is built and nothing heavy is imported; all mistakes are collected.
"""

import json
import re
import typing
from collections.abc import Iterable, Iterator
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ConfigDict, TypeAdapter, ValidationError

from attnlab.cli.annotations import COMPONENT, Component, describe
from attnlab.cli.errors import nearest
from attnlab.cli.signature import HYDRA_KEYS, UnknownTargetError, signature

REFERENCE = re.compile(r"\(from \$\{([\w.]+)\}\)")


def check(config: DictConfig, options: type, groups: Iterable[str]) -> Iterator[str]:
    """All mistakes of a composed config, each with its key path; a value that others refer to is told of once.

    Args:
        config: composed, without Hydra's own node; its interpolations can be resolved.
        options: a TypedDict: the plain values at the root and in groups without a target.
        groups: the config groups that may stand at the root.
    """
    told: set[str] = set()
    for line in every_mistake(config, options, groups):
        referred = REFERENCE.search(line)
        if referred is None or referred[1] not in told:
            told.add(line.partition(":")[0])
            yield line


def every_mistake(config: DictConfig, options: type, groups: Iterable[str]) -> Iterator[str]:
    """In the order of the keys, plain values at the root first."""
    schema = typing.get_type_hints(options)
    groups = list(groups)
    top_level = [name for name in groups if "/" not in name]
    for name in sorted(map(str, config), key=lambda name: name not in schema):
        if name in schema:
            yield from check_option(config, name, name, schema[name])
        elif name not in groups:
            yield f"{name}: unknown key; {nearest(name, [*schema, *top_level])}"
        elif not OmegaConf.is_interpolation(config, name):
            yield from check_group(config[name], name, groups)
    yield from (f"{name}: missing" for name in schema if name not in config)


def check_option(parent: DictConfig, key: str, path: str, kind: Any) -> Iterator[str]:
    """A plain value, or a node of plain values described by a TypedDict."""
    if not typing.is_typeddict(kind):
        yield from check_value(parent, key, path, kind)
        return
    schema, node = typing.get_type_hints(kind), parent[key]
    for name in map(str, node):
        if name in schema:
            yield from check_option(node, name, f"{path}.{name}", schema[name])
        else:
            yield f"{path}.{name}: unknown key; {nearest(name, schema)}"


def check_group(node: Any, path: str, groups: Iterable[str]) -> Iterator[str]:
    """A node that builds something, or named nodes that do (callbacks, loggers), or nothing."""
    if isinstance(node, DictConfig) and "_target_" in node:
        yield from check_node(node, path, groups)
    elif isinstance(node, DictConfig):
        for key in map(str, node):
            if not OmegaConf.is_interpolation(node, key):
                yield from check_group(node[key], f"{path}.{key}", groups)
    elif node is not None:
        yield f"{path}: came {show(node)}, expected {as_group(path, node, groups) or describe(Component)}"


def check_node(node: DictConfig, path: str, groups: Iterable[str]) -> Iterator[str]:
    """Bind the keys of a ``_target_`` node to its signature."""
    target = str(node["_target_"])
    try:
        known = signature(target)
    except UnknownTargetError as error:
        yield f"{path}._target_: there is no {target}; {nearest(target.rpartition('.')[2], error.names)}"
        return
    given = [str(key) for key in node if key not in HYDRA_KEYS]
    for name in given:
        if name in known.parameters:
            yield from check_value(node, name, f"{path}.{name}", known.parameters[name].type, groups)
        elif not known.open:
            suggestion = nearest(name, known.parameters)
            yield f"{path}.{name}: {target.rpartition('.')[2]} has no such setting; {suggestion}"
    if not node.get("_partial_") and "_args_" not in node:
        for name, parameter in known.parameters.items():
            if parameter.required and name not in given:
                yield f"{path}.{name}: missing; {target} needs {describe(parameter.type)}"


def check_value(parent: DictConfig, key: str, path: str, kind: Any, groups: Iterable[str] = ()) -> Iterator[str]:
    """One value against its type; nodes inside of it against their own signatures."""
    if OmegaConf.is_missing(parent, key):
        yield f"{path}: a value is required ({describe(kind)}): set {path}=…"
        return
    try:
        value = parent[key]
        plain = simplify(value)
    except OmegaConfBaseException as error:
        yield f"{path}: {str(error).splitlines()[0]}"
        return
    interpolation = OmegaConf.is_interpolation(parent, key)
    if not interpolation:
        yield from nested(value, path, groups)
    if isinstance(value, DictConfig) and "_target_" in value:
        return  # what a node builds is known only when it is built
    if not fits(plain, kind):
        source = f" (from {OmegaConf.to_container(parent, resolve=False)[key]})" if interpolation else ""  # type: ignore[index, call-overload]
        wanted = as_group(path, plain, groups) or describe(kind)
        yield f"{path}: came {show(plain)}{source}, expected {wanted}"


def nested(value: Any, path: str, groups: Iterable[str]) -> Iterator[str]:
    if isinstance(value, DictConfig) and "_target_" in value:
        yield from check_node(value, path, groups)
    elif isinstance(value, DictConfig):
        for key in map(str, value):
            if not OmegaConf.is_interpolation(value, key) and not OmegaConf.is_missing(value, key):
                yield from nested(value[key], f"{path}.{key}", groups)
    elif isinstance(value, ListConfig):
        for index, item in enumerate(value):
            yield from nested(item, f"{path}[{index}]", groups)


def simplify(value: Any) -> Any:
    """Plain Python, with every node that builds something replaced by a marker."""
    if isinstance(value, DictConfig):
        return COMPONENT if "_target_" in value else {str(key): simplify(value[key]) for key in value}
    if isinstance(value, ListConfig):
        return [simplify(item) for item in value]
    return value


def fits(value: Any, kind: Any) -> bool:
    """Strictly: an int passes for a float, the text '3' does not pass for 3."""
    try:
        TypeAdapter(kind, config=ConfigDict(strict=True)).validate_json(json.dumps(value))
    except ValidationError:
        return False
    return True


def show(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return "a component" if value == COMPONENT else repr(value)


def as_group(path: str, value: Any, groups: Iterable[str]) -> str:
    """For ``attention.window=all``: a group is chosen with a slash."""
    group = path.replace(".", "/")
    return f"an option of the group {group}: write {group}={value}" if group in groups else ""
