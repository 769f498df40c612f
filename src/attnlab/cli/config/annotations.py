"""Turn an annotation in a source file into a type that a YAML value can be checked against."""

import ast
import types
import typing
from typing import Annotated, Any, Literal, NamedTuple, Union

from annotated_types import Interval

from attnlab.cli.config.source import Module, lookup, spelled
from attnlab.ranges import Pattern

# A config node stands for the object that it builds; so do callables and classes in annotations.
COMPONENT = {"_target_": "component"}
Component = dict[Literal["_target_"], Literal["component"]]
COMPONENT_NAME = "a component (an option of a config group, or a node with _target_)"
# How the bounds of a number are called, in annotated_types as in pydantic.
BOUNDS = {"Ge": "ge", "Gt": "gt", "Le": "le", "Lt": "lt"}


class Made(NamedTuple):
    """What a component has to build: an object of this class, or (``later``) something that will, when called."""

    base: str
    later: bool


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
        kind = evaluate(inner[0], module)
        bounds = interval(inner[1:]) if kind in (int, float) else pattern(inner[1:]) if kind is str else None
        return Annotated[kind, bounds] if bounds is not None else kind
    if name in ("Optional", "Union"):
        return union([*(evaluate(item, module) for item in inner), *([None] if name == "Optional" else [])])
    if name in ("tuple", "Tuple") and not any(map(ellipsis, inner)):
        return tuple[tuple(evaluate(item, module) for item in inner)]  # type: ignore[misc]
    if name in LISTS:
        return list[union([evaluate(item, module) for item in inner if not ellipsis(item)])]  # type: ignore[misc]
    if name in MAPPINGS:
        return dict[str, evaluate(inner[1], module)]  # type: ignore[misc]
    return made(inner[1], module, later=True) if name == "Callable" and len(inner) == 2 else Any


def made(node: ast.expr, module: Module, later: bool) -> Any:
    """A component, with the class of what it builds where that can be told."""
    found = lookup(module, ast.unparse(node)) if isinstance(node, ast.Name | ast.Attribute) else None
    if found is None or not isinstance(found.node, ast.ClassDef):
        return Component
    return Annotated[Component, Made(f"{found.module.name}.{found.node.name}", later)]


def interval(notes: list[ast.expr]) -> Interval | None:
    """The bounds among the notes of an ``Annotated``: ``Interval(ge=0)``, ``Ge(0)``, pydantic's ``Field(ge=0)``."""
    bounds: dict[str, Any] = {}
    for note in notes:
        if isinstance(note, ast.Call):
            given = {word.arg: word.value for word in note.keywords if word.arg in BOUNDS.values()}
            name = BOUNDS.get(ast.unparse(note.func).rpartition(".")[2])
            given |= {name: note.args[0]} if name and note.args else {}
            bounds |= {str(key): ast.literal_eval(value) for key, value in given.items()}
    return Interval(**bounds) if bounds else None


def pattern(notes: list[ast.expr]) -> Pattern | None:
    """The ``Pattern`` among the notes of an ``Annotated``."""
    calls = [note for note in notes if isinstance(note, ast.Call) and spelled(note.func).endswith("Pattern")]
    return Pattern(*map(ast.literal_eval, calls[0].args)) if calls else None


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
        simple = bases & {"Enum", "StrEnum", "IntEnum", "TypedDict"}
        return Any if simple else Annotated[Component, Made(f"{found.module.name}.{found.node.name}", False)]
    value = found.node.value if isinstance(found.node, ast.Assign | ast.AnnAssign) else None
    return Any if isinstance(value, ast.Call) else evaluate(value, found.module)


def members(kind: Any) -> list[Any]:
    """Of a union; a type alone stands for itself."""
    union = isinstance(kind, types.UnionType) or getattr(kind, "__origin__", None) is Union
    return list(kind.__args__) if union else [kind]


def bare(kind: Any) -> Any:
    """Without what ``Annotated`` adds."""
    return kind.__origin__ if typing.get_origin(kind) is Annotated else kind


def describe(kind: Any) -> str:
    """A type in words: ``a whole number from 1 to 10 or null``, ``one of skip, error``."""
    found = members(kind)
    literals = [value for item in found if getattr(item, "__origin__", None) is Literal for value in item.__args__]
    names = [describe_one(item) for item in found if getattr(item, "__origin__", None) is not Literal]
    if literals:
        names.insert(0, "one of " + ", ".join(dict.fromkeys(map(str, literals))))
    plain = [name for name in names if name != COMPONENT_NAME]
    return " or ".join(dict.fromkeys(plain or names))


def describe_one(kind: Any) -> str:
    if bare(kind) == Component:
        return COMPONENT_NAME
    if kind is None or kind is type(None):
        return "null"
    if typing.get_origin(kind) is Annotated:
        note = kind.__metadata__[0]
        return note.called if isinstance(note, Pattern) else f"{describe_one(kind.__origin__)}{between(note)}"
    if typing.get_origin(kind) is tuple:
        each = " and ".join(dict.fromkeys(map(describe, kind.__args__)))
        return f"a list of {len(kind.__args__)}, each {each}"
    if typing.get_origin(kind) is list:
        return f"a list, each {describe(kind.__args__[0])}"
    words = {str: "text", bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
    return words.get(kind, "a mapping" if kind is dict or getattr(kind, "__origin__", None) is dict else "any value")


def between(bounds: Interval) -> str:
    """`` from 1 to 10``, `` above 0 and below 1``."""
    low = [("from", bounds.ge), ("above", bounds.gt)]
    high = [("to", bounds.le), ("below", bounds.lt)]
    said = [f" {word} {written(limit)}" for word, limit in (*low, *high) if limit is not None]
    return (" and" if bounds.ge is None or bounds.le is None else "").join(said)


def written(limit: Any) -> str:
    """A limit as a person writes it: 10,000, 10^12, 2^32 - 1."""
    size = str(abs(limit))
    if abs(limit) >= 10**6 and size.rstrip("0") == "1":
        return f"{'-' if limit < 0 else ''}10^{len(size) - 1}"
    power = int(abs(limit)).bit_length()
    round_ones = {2 ** (power - 1): f"2^{power - 1}", 2**power - 1: f"2^{power} - 1"} if power > 20 else {}
    return round_ones.get(limit, f"{limit:,}")
