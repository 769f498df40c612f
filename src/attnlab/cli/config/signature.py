"""The schema of a ``_target_``: the parameters of its constructor with their types, read off the source."""

import ast
import inspect
from functools import cache
from typing import Any, NamedTuple

from attnlab.cli.config.annotations import evaluate
from attnlab.cli.config.foreign import ranges
from attnlab.cli.config.source import Found, Module, ancestor, defined, locate, spelled
from attnlab.imports import thing

HYDRA_KEYS = {"_target_", "_partial_", "_recursive_", "_convert_", "_args_"}
EMPTY_BASES = {
    "object",
    "ABC",
    "Protocol",
    "Generic",
    "Module",
}  # nn.Module(**anything) fails when it is called


class Parameter(NamedTuple):
    """One argument that a config node may set."""

    annotation: ast.expr | None
    module: Module | None
    required: bool
    known: Any = None  #: the type, where the annotation gives no range

    @property
    def type(self) -> Any:
        """What a value has to be; worked out when it is asked for, as it may lead through many files."""
        if self.known is not None:
            return self.known
        return Any if self.module is None else evaluate(self.annotation, self.module)


class Signature(NamedTuple):
    """What may be written in a config node."""

    parameters: dict[str, Parameter]
    open: bool  #: takes ``**kwargs``: other names pass


class UnknownTargetError(LookupError):
    """There is no such class or function; carries the names to suggest."""

    def __init__(self, target: str, names: list[str]) -> None:
        super().__init__(target)
        self.target, self.names = target, names


@cache
def signature(target: str) -> Signature:
    """Read the signature of a class or function.

    Raises:
        UnknownTargetError: there is none of this name.
    """
    found = locate(target)
    known = read(found) if found is not None else None
    return known if known is not None else inspected(imported(target))


def read(found: Found) -> Signature | None:
    """The signature of a definition; None where only an import can tell."""
    if isinstance(found.node, ast.FunctionDef):
        return of_function(found)
    if isinstance(found.node, ast.ClassDef):
        return of_class(found)
    return None


def of_class(found: Found) -> Signature | None:
    assert isinstance(found.node, ast.ClassDef)
    functions = [item for item in found.node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
    if functions:
        own = of_function(Found(found.module, functions[-1]), bound=True)
        return inherit(own, of_bases(found)) if own.open and forwards(functions[-1]) else own
    if any("dataclass" in ast.unparse(item) for item in found.node.decorator_list):
        return of_fields(found, of_bases(found))
    if any(ast.unparse(base).endswith("NamedTuple") for base in found.node.bases):
        return of_fields(found, None)
    return of_bases(found)


def of_bases(found: Found) -> Signature | None:
    """The first constructor among the bases, left to right; no parameters where there is none."""
    assert isinstance(found.node, ast.ClassDef)
    for base in found.node.bases:
        if spelled(base).rpartition(".")[2] in EMPTY_BASES:
            continue
        parent = ancestor(found, base)
        if parent is None or not isinstance(parent.node, ast.ClassDef):
            return None
        inherited = of_class(parent)
        if inherited is None or inherited.parameters or inherited.open:
            return inherited
    return Signature({}, open=False)


def of_function(found: Found, bound: bool = False) -> Signature:
    assert isinstance(found.node, ast.FunctionDef)
    arguments = found.node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    pairs = [
        *zip(positional, defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    known = ranges(found.module.name)
    parameters = {
        argument.arg: Parameter(argument.annotation, found.module, default is None, known.get(argument.arg))
        for argument, default in pairs[bound:]
    }
    return Signature(parameters, open=arguments.kwarg is not None)


def of_fields(found: Found, base: Signature | None) -> Signature:
    assert isinstance(found.node, ast.ClassDef)
    own = {
        item.target.id: Parameter(item.annotation, found.module, item.value is None)
        for item in found.node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }
    return Signature({**(base.parameters if base else {}), **own}, open=base.open if base else False)


def forwards(function: ast.FunctionDef) -> bool:
    """Whether ``**kwargs`` goes to ``super().__init__`` and nowhere else."""
    name = function.args.kwarg.arg if function.args.kwarg else None
    uses = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    passed = any(
        ast.unparse(call.func) == "super().__init__" and any(word.arg is None for word in call.keywords)
        for call in calls
    )
    return passed and len(uses) == 1


def inherit(own: Signature, base: Signature | None) -> Signature:
    if base is None:
        return own
    return Signature({**base.parameters, **own.parameters}, base.open)


def imported(target: str) -> Any:
    """What the target names, imported: the slow way, for what is not plain Python source.

    Raises:
        UnknownTargetError: there is nothing of this name.
        ConfigError: a module on the way is there, and fails.
    """
    try:
        found = thing(target)
    except LookupError:
        found = None
    if not callable(found):
        raise UnknownTargetError(target, defined(target))
    return found


def inspected(found: Any) -> Signature:
    try:
        found = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):  # a builtin that tells nothing of itself
        return Signature({}, open=True)
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return Signature(
        {item.name: Parameter(None, None, item.default is item.empty) for item in found if item.kind not in variable},
        open=any(item.kind is item.VAR_KEYWORD for item in found),
    )
