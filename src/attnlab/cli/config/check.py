"""Check a composed config against the constructors that it names. Constructors' signatures are the schema.

Nothing is built and nothing heavy is imported; all mistakes are collected.
"""

import json
import re
import typing
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Annotated, Any, Literal

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from attnlab.cli.config.annotations import COMPONENT, Component, describe
from attnlab.cli.config.consequences import NO_SUCH, told_once
from attnlab.cli.config.fitting import fits
from attnlab.cli.config.kinds import ROOTS, wrong_kind
from attnlab.cli.config.signature import HYDRA_KEYS, UnknownTargetError, signature
from attnlab.cli.config.words import meant
from attnlab.cli.errors import nearest
from attnlab.moved import current
from attnlab.ranges import PathText

REFERENCE = re.compile(r"\$\{(?:oc\.select:)?([\w.]+)(?:,[^{}]*)?\}")
LONGEST = 10**20
NAMED = ("callbacks", "logger")  # groups of parts by name, and of none
OF_HYDRA: dict[str, Any] = {  # how it builds a node
    "_partial_": bool, "_recursive_": bool, "_convert_": Literal["none", "partial", "object", "all"], "_args_": list,
}  # fmt: skip


def check(config: DictConfig, hydra: DictConfig, options: type, groups: Iterable[str]) -> Iterator[str]:
    """All mistakes of a composed config, each with its key path; a value that others refer to is told of once.

    Args:
        config: composed, without Hydra's own node; its interpolations can be resolved.
        hydra: that node.
        options: a TypedDict: the plain values at the root and in groups without a target.
        groups: the config groups that may stand at the root.
    """
    lines: dict[str, str] = {}
    for line in chain(every_mistake(config, options, groups), check_folders(hydra)):
        lines.setdefault(line.partition(":")[0], line)
    if lines:
        yield from told_once(lines, {**plain(config), "hydra": plain(hydra)})


def plain(config: DictConfig) -> dict[str, Any]:
    """As it is written, references and all."""
    return typing.cast(dict[str, Any], OmegaConf.to_container(config, resolve=False))


def every_mistake(config: DictConfig, options: type, groups: Iterable[str]) -> Iterator[str]:
    """In the order of the keys, plain values at the root first."""
    schema = typing.get_type_hints(options, include_extras=True)
    groups = list(groups)
    top_level = [name for name in groups if "/" not in name]
    for name in sorted(map(str, config), key=lambda name: name not in schema):
        if name in schema:
            yield from check_option(config, name, name, schema[name])
        elif name not in groups:
            yield f"{name}: unknown key; {nearest(name, [*schema, *top_level])}"
        else:
            yield from check_part(config, name, name, groups)
    yield from (f"{name}: missing" for name in schema if name not in config)


def check_option(parent: DictConfig, key: str, path: str, kind: Any) -> Iterator[str]:
    """A plain value, or a node of plain values described by a TypedDict."""
    if not typing.is_typeddict(kind):
        yield from check_value(parent, key, path, kind)
        return
    schema, node = typing.get_type_hints(kind, include_extras=True), parent[key]
    for name in map(str, node):
        if name in schema:
            yield from check_option(node, name, f"{path}.{name}", schema[name])
        else:
            yield f"{path}.{name}: unknown key; {meant(name, schema)}"
    yield from (f"{path}.{name}: missing" for name in schema if name not in node.keys())  # noqa: SIM118 (``in`` is false for ???)


def check_folders(hydra: DictConfig) -> Iterator[str]:
    """Where Hydra puts a run: without a name that would be the folder one stands in."""
    for name in ("run", "sweep"):
        if name in hydra:
            yield from check_value(hydra[name], "dir", f"hydra.{name}.dir", PathText)


def check_group(node: Any, path: str, groups: Iterable[str]) -> Iterator[str]:
    """A node that builds something, or named nodes that do (callbacks, loggers), or nothing."""
    if isinstance(node, DictConfig) and "_target_" in node:
        yield from check_root(node, path)
        yield from check_node(node, path, groups)
    elif isinstance(node, DictConfig) and not named_parts(node, path):
        yield f"{path}: has no _target_; expected {describe(Component)}"
    elif isinstance(node, DictConfig):
        for key in map(str, node):
            yield from check_part(node, key, f"{path}.{key}", groups)
    elif node is not None:
        yield f"{path}: came {show(node)}, expected {as_group(path, node, groups) or describe(Component)}"


def named_parts(node: DictConfig, path: str) -> bool:
    """Whether it is, or is meant to be, nodes by name rather than one that builds something."""
    of_ones_own = path not in ROOTS and "." not in path
    return path in NAMED or (of_ones_own and all(isinstance(value, dict | None) for value in plain(node).values()))


def check_part(parent: DictConfig, key: str, path: str, groups: Iterable[str]) -> Iterator[str]:
    """A group, or a named node of one; what it refers to is checked where it stands."""
    try:
        node = parent[key]
    except OmegaConfBaseException as error:
        yield f"{path}: {said(error)}"
        return
    if not OmegaConf.is_interpolation(parent, key):
        yield from check_group(node, path, groups)


def check_root(node: DictConfig, path: str) -> Iterator[str]:
    """The kind of a part that the command itself takes, and no other part."""
    made = ROOTS.get(path.partition(".")[0])
    if made is not None and not OmegaConf.is_missing(node, "_target_"):
        yield from wrong_kind(node, path, Annotated[Component, made])


def check_node(node: DictConfig, path: str, groups: Iterable[str]) -> Iterator[str]:
    """Bind the keys of a ``_target_`` node to its signature."""
    try:
        target = node["_target_"]
    except OmegaConfBaseException as error:
        yield f"{path}._target_: {said(error)}"
        return
    if not isinstance(target, str):
        yield f"{path}._target_: came {show(target)}, expected the name of a class, as in package.module.Class"
        return
    try:
        known = signature(target)
    except UnknownTargetError as error:
        name = target.rpartition(".")[2]
        hint = nearest(name, error.names) if error.names else "expected a name as in package.module.Class"
        hint = f"it is {current(target)} now" if current(target) != target else hint
        yield f"{path}._target_: there is no {target}; {hint}"
        return
    for name, kind in OF_HYDRA.items():
        if name in node:
            yield from check_value(node, name, f"{path}.{name}", kind)
    given = [str(key) for key in node if key not in HYDRA_KEYS]
    stranger = len(given) > 1 and not known.open and not set(given) & set(known.parameters)
    if stranger:
        hint = nearest("", known.parameters)
        yield f"{path}._target_: {target} takes none of the settings that are given here ({', '.join(given)}); {hint}"
    for name in given:
        if name in known.parameters:
            yield from check_value(node, name, f"{path}.{name}", known.parameters[name].type, groups)
        elif known.open:
            yield from check_value(node, name, f"{path}.{name}", Any, groups)
        elif not stranger:
            suggestion = meant(name, known.parameters)
            yield f"{path}.{name}: {target.rpartition('.')[2]} {NO_SUCH}; {suggestion}"
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
        given = simplify(value)
    except OmegaConfBaseException as error:
        yield f"{path}: {said(error)}"
        return
    text = raw(parent, key) if OmegaConf.is_interpolation(parent, key) else None
    if text is None:
        yield from nested(value, path, groups)
    if isinstance(value, DictConfig) and "_target_" in value:  # of what it builds, only the kind is known
        reference = REFERENCE.fullmatch(text or "")
        yield from wrong_kind(value, reference[1] if reference else path, kind)
        return
    if not fits(given, kind):
        source = f" (from {text})" if text is not None else ""
        wanted = as_group(path, given, groups) or describe(kind) + (f": write {path}=[{given}]" * fits([given], kind))
        yield f"{path}: came {show(given)}{source}, expected {wanted}"


def raw(parent: DictConfig, key: str) -> str:
    """A value as it is written: ``${seed}``."""
    return str(OmegaConf.to_container(parent, resolve=False)[key])  # type: ignore[index, call-overload]


def said(error: Exception) -> str:
    return str(error).splitlines()[0]


def nested(value: Any, path: str, groups: Iterable[str]) -> Iterator[str]:
    if isinstance(value, DictConfig) and "_target_" in value:
        yield from check_node(value, path, groups)
    elif isinstance(value, DictConfig):
        keys: Iterable[Any] = value  # a number stays one: as text it is another key
        for key in keys:
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


def show(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int) and abs(value) >= LONGEST:
        return "a number of more than 20 digits"
    return "a component" if value == COMPONENT else shorten(repr(value))


def shorten(text: str, longest: int = 200) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"


def as_group(path: str, value: Any, groups: Iterable[str]) -> str:
    """For ``attention.window=all``: a group is chosen with a slash."""
    group = path.replace(".", "/")
    return f"an option of the group {group}: write {group}={value}" if group in groups else ""
