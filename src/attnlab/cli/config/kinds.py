"""Whether what a ``_target_`` builds is what its place asks for, told from the source without importing anything.

A class is compared by its ancestors, a function by what it says it returns, and a protocol by its methods. What
cannot be told passes: a class of compiled code, a function that says nothing.
"""

import ast
import typing
from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, Any

from omegaconf import DictConfig

from attnlab.cli.config.annotations import Component as AnyComponent
from attnlab.cli.config.annotations import Made, bare, members
from attnlab.cli.config.source import Found, ancestor, derives, locate, lookup, spelled

# What builds the groups at the root that no other part takes.
ROOTS = {
    "trainer": Made("pytorch_lightning.trainer.trainer.Trainer", later=False),
    "model": Made("torch.nn.modules.module.Module", later=True),
    "task": Made("pytorch_lightning.core.module.LightningModule", later=True),
    "data": Made("pytorch_lightning.core.datamodule.LightningDataModule", later=False),
    "callbacks": Made("pytorch_lightning.callbacks.callback.Callback", later=False),
    "logger": Made("pytorch_lightning.loggers.logger.Logger", later=False),
}

LARGE = ("torch.", "pytorch_lightning.", "lightning_fabric.")  # files that take long to read; of protocols none


def wrong_kind(node: DictConfig, path: str, kind: Any) -> Iterator[str]:
    """At most one message: the node builds something that has no place here."""
    known = [item for item in members(kind) if item is not type(None)]
    asked = [item.__metadata__[0] for item in known if typing.get_origin(item) is Annotated]
    asked = [item for item in asked if isinstance(item, Made)]
    if asked and all(bare(item) == AnyComponent and item != AnyComponent for item in known):
        told = [mistake(node, path, item) for item in asked]
        if all(told):
            yield str(told[0])


def mistake(node: DictConfig, path: str, made: Made) -> str | None:
    target, partial = str(node.get("_target_")), node.get("_partial_", False)
    found = built(locate(target))
    if found is None:
        return None
    if not is_a(found, made.base):
        name = made.base.rpartition(".")[2]
        return f"{path}._target_: {target} builds no {name}; expected a class of that kind ({made.base})"
    if isinstance(partial, bool) and partial != made.later and isinstance(found.node, ast.ClassDef):
        given = "true" if partial else "false"
        wanted = "true, since the sizes are handed on later" if made.later else "false"
        return f"{path}._partial_: came {given}, expected {wanted}"
    return None


def built(found: Found | None) -> Found | None:
    """The class of what a target gives; None where it cannot be told."""
    if found is not None and isinstance(found.node, ast.FunctionDef):
        returns = found.node.returns
        known = isinstance(returns, ast.Name | ast.Attribute)
        found = lookup(found.module, ast.unparse(returns)) if known and returns is not None else None
    return found if found is not None and isinstance(found.node, ast.ClassDef) else None


def is_a(found: Found, base: str) -> bool:
    """Whether a class has another among its ancestors, or the methods of a protocol; true where it cannot be told."""
    ways = (descends, implements) if base.startswith(LARGE) else (implements, descends)
    return any(way(found, base) for way in ways)


def descends(found: Found, base: str) -> bool:
    """Whether the base is among the ancestors; no file is read further than to the name that leads there."""
    if f"{found.module.name}.{found.name}" == base:
        return True
    for expression in parents(found):
        if derives(found, expression, base):
            return True
        parent = ancestor(found, expression)
        if parent is None or not isinstance(parent.node, ast.ClassDef) or descends(parent, base):
            return True
    return False


def implements(found: Found, base: str) -> bool:
    """Whether the base is a protocol and all its methods are there."""
    protocol = locate(base)
    if protocol is None or not isinstance(protocol.node, ast.ClassDef) or "Protocol" not in names(protocol):
        return False
    wanted = {item.name for item in functions(protocol) if not item.decorator_list}
    for one in ancestors(found):
        wanted -= {item.name for item in functions(one)} if one is not None else wanted
        if not wanted:
            return True
    return False


def ancestors(found: Found) -> Iterator[Found | None]:
    """The class itself and all that it derives from; None for one whose source is not there."""
    yield found
    for base in parents(found):
        parent = ancestor(found, base)
        if parent is None or not isinstance(parent.node, ast.ClassDef):
            yield None
        else:
            yield from ancestors(parent)


def declared(target: str, name: str) -> Any:
    """The plain value of a class attribute, the class's own or the nearest ancestor's; None where there is none."""
    found = built(locate(target))
    for one in ancestors(found) if found is not None else ():
        for item in one.node.body if one is not None and isinstance(one.node, ast.ClassDef) else ():
            names = (
                item.targets
                if isinstance(item, ast.Assign)
                else [item.target]
                if isinstance(item, ast.AnnAssign)
                else []
            )
            value = getattr(item, "value", None)
            if value is not None and any(isinstance(each, ast.Name) and each.id == name for each in names):
                with suppress(ValueError):  # it is worked out
                    return ast.literal_eval(value)
    return None


def parents(found: Found) -> list[ast.expr]:
    """Those that tell something."""
    told = ("object", "ABC", "Protocol", "Generic", "NamedTuple")
    return [base for base in bases(found) if spelled(base).rpartition(".")[2] not in told]


def bases(found: Found) -> list[ast.expr]:
    assert isinstance(found.node, ast.ClassDef)
    return found.node.bases


def names(found: Found) -> set[str]:
    return {ast.unparse(base).rpartition(".")[2] for base in bases(found)}


def functions(found: Found) -> list[ast.FunctionDef]:
    assert isinstance(found.node, ast.ClassDef)
    return [item for item in found.node.body if isinstance(item, ast.FunctionDef)]
