"""Find a class or function in its source file without importing it.

Importing torch and Lightning takes seconds; a mistake on the command line should be told at once.
"""

import ast
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from attnlab.errors import ConfigError
from attnlab.imports import misread

Definition = ast.ClassDef | ast.FunctionDef | ast.Assign | ast.AnnAssign


class Module(NamedTuple):
    """A source file and what each name at its top level stands for."""

    name: str
    package: str
    names: dict[str, ast.stmt]
    stars: list[ast.ImportFrom]  #: ``from … import *``


class Found(NamedTuple):
    """A definition and the module that its own names are to be looked up in."""

    module: Module
    node: Definition

    @property
    def name(self) -> str:
        """Of a class or function."""
        assert isinstance(self.node, ast.ClassDef | ast.FunctionDef)
        return self.node.name


def locate(target: str) -> Found | None:
    """Find ``package.module.Class`` (or ``….Class.method``); None where it cannot be read off the source."""
    parts = target.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        module = load(".".join(parts[:cut]))
        if module is not None:
            return member(lookup(module, parts[cut]), parts[cut + 1 :])
    return None


def member(found: Found | None, path: list[str]) -> Found | None:
    for name in path:
        if found is None or not isinstance(found.node, ast.ClassDef):
            return None
        functions = [item for item in found.node.body if isinstance(item, ast.FunctionDef) and item.name == name]
        found = Found(found.module, functions[-1]) if functions else None
    return found


def lookup(module: Module, name: str, seen: frozenset[tuple[str, str]] = frozenset()) -> Found | None:
    """What ``name`` stands for in ``module``, followed through imports; modules that import each other end it."""
    node, seen = module.names.get(name), seen | {(module.name, name)}
    if isinstance(node, ast.ImportFrom):
        origin = next(alias.name for alias in node.names if (alias.asname or alias.name) == name)
        return further(module, node, origin, seen)
    if node is None:
        found = (further(module, star, name, seen) for star in module.stars)
        return next(filter(None, found), None)
    return Found(module, node) if isinstance(node, Definition) else None


def further(module: Module, node: ast.ImportFrom, name: str, seen: frozenset[tuple[str, str]]) -> Found | None:
    source = load(absolute(module, node))
    return lookup(source, name, seen) if source is not None and (source.name, name) not in seen else None


def ancestor(found: Found, base: ast.expr) -> Found | None:
    """What a class derives from, by one expression among its bases."""
    return lookup(found.module, spelled(base)) or locate(qualified(found, spelled(base)))


def leads(module: Module, name: str, goal: str, seen: frozenset[tuple[str, str]] = frozenset()) -> bool:
    """Whether ``name`` stands for ``goal`` (its full name), by the imports alone: the file of the goal is not read."""
    node, seen = module.names.get(name), seen | {(module.name, name)}
    if isinstance(node, ast.ImportFrom):
        ways = [(node, next(alias.name for alias in node.names if (alias.asname or alias.name) == name))]
    else:
        ways = [(star, name) for star in module.stars] if node is None else []
    for statement, origin in ways:
        where = absolute(module, statement)
        if f"{where}.{origin}" == goal:
            return True
        source = load(where)
        if source is not None and (source.name, origin) not in seen and leads(source, origin, goal, seen):
            return True
    return False


def derives(found: Found, base: ast.expr, goal: str) -> bool:
    """Whether one of the bases of a class is ``goal``, likewise."""
    module: Module | None = found.module
    name = spelled(base)
    if "." in name:
        package, _, name = qualified(found, name).rpartition(".")
        module = load(package)
    return module is not None and (f"{module.name}.{name}" == goal or leads(module, name, goal))


def spelled(base: ast.expr) -> str:
    return ast.unparse(base.value if isinstance(base, ast.Subscript) else base)


def qualified(found: Found, name: str) -> str:
    """``pl.LightningModule`` -> ``pytorch_lightning.LightningModule``, by the imports of the module."""
    head, _, rest = name.partition(".")
    node = found.module.names.get(head)
    if isinstance(node, ast.Import):
        origin = next(alias.name for alias in node.names if (alias.asname or alias.name) == head)
        return f"{origin}.{rest}"
    if isinstance(node, ast.ImportFrom):
        return f"{node.module}.{name}"
    return name


def absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.package.split(".")
    return ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])


@cache
def load(name: str) -> Module | None:
    """Parse a module; None where there is no such source file.

    Raises:
        ConfigError: what is in the file is no Python.
    """
    path = find(name)
    if path is None:
        return None
    tree = parsed(path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = list(statements(tree.body))
    stars = [node for node in found if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"]
    return Module(name, package, {key: node for node in found for key in bound(node)}, stars)


def parsed(path: Path) -> ast.Module:
    """The statements of a file, in whatever encoding it says it is.

    Raises:
        ConfigError: names the file, the line and the reason.
    """
    try:
        return ast.parse(path.read_bytes(), str(path))
    except SyntaxError as error:
        raise ConfigError(misread(error, path)) from error
    except ValueError as error:  # of NUL, in some versions of Python
        raise ConfigError(f"{path}: {error}") from error


def find(name: str) -> Path | None:
    """The file of a dotted module name. Only the top-level package is asked for, which imports nothing."""
    top, *rest = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not rest:
        return Path(spec.origin) if spec.has_location and spec.origin and spec.origin.endswith(".py") else None
    for folder in spec.submodule_search_locations or []:
        base = Path(folder, *rest)
        for path in (base / "__init__.py", base.with_name(base.name + ".py")):
            if path.is_file():
                return path
    return None


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements at the top level, those under ``if`` and ``try`` included."""
    for node in body:
        if isinstance(node, ast.If | ast.Try):
            yield from statements(node.body)
            yield from statements(node.orelse)
        else:
            yield node


def bound(node: ast.stmt) -> list[str]:
    """The names that a statement binds."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return [node.name]
    if isinstance(node, ast.ImportFrom | ast.Import):
        return [alias.asname or alias.name for alias in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def defined(target: str) -> list[str]:
    """The classes and functions beside ``target`` in its module, to suggest from."""
    module = load(target.rpartition(".")[0])
    if module is None:
        return []
    kinds = ast.ClassDef | ast.FunctionDef
    return [name for name, node in module.names.items() if isinstance(node, kinds) and not name.startswith("_")]
