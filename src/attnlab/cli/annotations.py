"""Turn an annotation in a source file into a type that a YAML value can be checked against."""

import ast
from typing import Any, Literal, Union

from attnlab.cli.source import Module, lookup

# A config node stands for the object that it builds; so do callables and classes in annotations.
COMPONENT = {"_target_": "component"}
Component = dict[Literal["_target_"], Literal["component"]]
COMPONENT_NAME = "a component (an option of a config group, or a node with _target_)"

PLAIN: dict[str, Any] = {
    "int": int, "float": float, "str": str, "bool": bool, "None": None, "list": list, "dict": dict,
    "List": list, "Dict": dict, "tuple": list, "Tuple": list, "Sequence": list, "Iterable": list,
    "Mapping": dict, "Callable": Component, "Path": str, "PathLike": str, "Any": Any, "object": Any,
}  # fmt: skip
LISTS = {"list", "List", "tuple", "Tuple", "Sequence", "Iterable", "Collection", "set", "frozenset"}
MAPPINGS = {"dict", "Dict", "Mapping"}


def evaluate(node: ast.expr | None, module: Module) -> Any:
    """The type to check a value against; ``Any`` where the annotation cannot be told."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            return evaluate(ast.parse(node.value, mode="eval").body, module)
        return None if node.value is None else Any
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return union([evaluate(node.left, module), evaluate(node.right, module)])
    if isinstance(node, ast.Subscript):
        return subscript(node, module)
    if isinstance(node, ast.Name | ast.Attribute):
        return named(ast.unparse(node), module)
    return Any


def union(types: list[Any]) -> Any:
    return Any if Any in types else Union[tuple(types)]  # noqa: UP007 (the members are values here)


def subscript(node: ast.Subscript, module: Module) -> Any:
    name = ast.unparse(node.value).rpartition(".")[2]
    inner = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Literal":
        return Literal[tuple(ast.literal_eval(item) for item in inner)]
    if name == "Annotated":
        return evaluate(inner[0], module)
    if name in ("Optional", "Union"):
        return union([*(evaluate(item, module) for item in inner), *([None] if name == "Optional" else [])])
    if name in LISTS:
        return list[union([evaluate(item, module) for item in inner if not ellipsis(item)])]  # type: ignore[misc]
    if name in MAPPINGS:
        return dict[str, evaluate(inner[1], module)]  # type: ignore[misc]
    return Component if name == "Callable" else Any


def ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def named(name: str, module: Module) -> Any:
    """A plain type, an alias followed to where it is written, a class, or ``Any``."""
    last = name.rpartition(".")[2]
    if last in PLAIN:
        return PLAIN[last]
    found = lookup(module, name)
    if found is None:
        return Any
    if isinstance(found.node, ast.ClassDef):
        bases = {ast.unparse(base).rpartition(".")[2] for base in found.node.bases}
        return Any if bases & {"Enum", "StrEnum", "IntEnum", "TypedDict"} else Component
    value = found.node.value if isinstance(found.node, ast.Assign | ast.AnnAssign) else None
    return Any if isinstance(value, ast.Call) else evaluate(value, found.module)


def describe(kind: Any) -> str:
    """A type in words: ``a whole number or null``, ``one of skip, error``."""
    members = kind.__args__ if getattr(kind, "__origin__", None) is Union else [kind]
    literals = [value for item in members if getattr(item, "__origin__", None) is Literal for value in item.__args__]
    names = [describe_one(item) for item in members if getattr(item, "__origin__", None) is not Literal]
    if literals:
        names.insert(0, "one of " + ", ".join(dict.fromkeys(map(str, literals))))
    plain = [name for name in names if name != COMPONENT_NAME]
    return " or ".join(dict.fromkeys(plain or names))


def describe_one(kind: Any) -> str:
    if kind == Component:
        return COMPONENT_NAME
    if kind is None or kind is type(None):
        return "null"
    if getattr(kind, "__origin__", None) is list:
        return f"a list, each {describe(kind.__args__[0])}"
    words = {str: "text", bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
    return words.get(kind, "a mapping" if kind is dict or getattr(kind, "__origin__", None) is dict else "any value")
