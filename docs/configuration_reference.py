"""A page a config group: every value with its default, what it may be and what it means.

Meanings stand in two places and are read there: in the comment behind a value, and in the docstring of what is built
with it (``Args:``). What a signature takes and no file sets is listed with the signature's default.
"""

import inspect
import math
import re
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import docstring_parser
import yaml
from hydra.utils import get_object

from attnlab.cli.config.annotations import describe

GENERATED = "configuration"  #: the folder of the pages


class Value(NamedTuple):
    """A key and what is told of it."""

    key: str
    default: str
    kind: str
    meaning: str


def write_pages(conf: Path, docs: Path) -> None:
    """Write ``configuration/<group>.md`` for every group, and ``index.md`` for the commands and as a list."""
    place = docs / GENERATED
    place.mkdir(exist_ok=True)
    names = {path.parent.relative_to(conf).as_posix() for path in conf.glob("**/*/*.yaml") if "local" not in path.parts}
    known = all_known(conf)
    groups = sorted(names - {"hydra", "hydra/job_logging", "hydra/hydra_logging"})
    for group in groups:
        options = sorted((conf / group).glob("*.yaml"))
        text = "".join(section(option, conf, known) for option in options)
        write(place / f"{group.replace('/', '-')}.md", f"# {group}\n\n{text}")
    listed = "\n".join(group.replace("/", "-") for group in groups)
    commands = "".join(section(path, conf, known) for path in sorted(conf.glob("*.yaml")))
    head = (
        "Groups are chosen by `<group>=<option>`, values are set by `<group>.<key>=<value>` (of a group in another, "
        "as `attention/window`, with a dot: `attention.window.<key>=<value>`), those of a command by `<key>=<value>`."
    )
    write(place / "index.md", f"# Configuration\n\n{head}\n\n```{{toctree}}\n{listed}\n```\n\n# Commands\n\n{commands}")


def write(path: Path, text: str) -> None:
    """Leave a page that is as it was alone, so that it is not built again."""
    if not path.is_file() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


def all_known(conf: Path) -> dict[str, str]:
    """``<group>.<key>``: what the options of a group themselves tell of a value, which others may set, too."""
    known: dict[str, str] = {}
    for path in sorted(conf.glob("**/*.yaml")):
        group, text = ".".join(path.relative_to(conf).parent.parts), path.read_text("utf-8")
        if {"local", "hydra"} & set(path.relative_to(conf).parts):
            continue
        within = "" if not group or "@package _global_" in text else f"{group}."
        for row in values(text):
            if row.meaning and (group or path.stem == "train"):
                known.setdefault(f"{within}{row.key}", row.meaning)
        target = (yaml.safe_load(text) or {}).get("_target_")
        if target is not None:  # what no option sets: of Lightning's trainer that is most
            for name, meaning in built(target)[1].items():
                known.setdefault(f"{within}{name}", meaning)
    return known


def rows_of(path: Path, conf: Path, known: Mapping[str, str]) -> list[Value]:
    """The values of a file; what it does not tell of them stands where they belong."""
    group, rows = ".".join(path.relative_to(conf).parent.parts), []
    for row in values(path.read_text("utf-8")):
        found = known.get(f"{group}.{row.key}") or known.get(row.key)
        rows.append(row if row.meaning else row._replace(meaning=found or ""))
    return rows


def section(path: Path, conf: Path, known: Mapping[str, str]) -> str:
    """One option: the comment at its head, and a table of its values."""
    text = path.read_text("utf-8")
    lines = text.splitlines()
    head = " ".join(line.lstrip("# ").strip() for line in lines[: first(lines)] if not line.startswith("# @package"))
    rows = rows_of(path, conf, known)
    title = path.relative_to(conf).with_suffix("").name
    table = "".join(f"| {' | '.join(map(cell, row))} |\n" for row in rows)
    shown = f"| value | default | may be | meaning |\n| --- | --- | --- | --- |\n{table}\n" if rows else ""
    return f"## {title}\n\n{escaped(head)}\n\n{shown}"


def first(lines: list[str]) -> int:
    """How many lines of comment a file begins with."""
    return next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))


def values(text: str) -> Iterator[Value]:
    """The rows of a file."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if isinstance(root, yaml.MappingNode):
        yield from of_node(root, "", text.splitlines())


def of_node(node: yaml.MappingNode, path: str, lines: list[str]) -> Iterator[Value]:
    entries = {key.value: (key, value) for key, value in node.value}
    target = entries["_target_"][1].value if "_target_" in entries else None
    kinds, told, defaults = built(target)
    for name, (key, value) in entries.items():
        if name.startswith("_") or name in ("defaults", "hydra"):
            continue
        full, comment = f"{path}{name}", comment_of(key, value, lines)
        if isinstance(value, yaml.MappingNode) and value.value:
            if comment:
                yield Value(full, "", "", comment)
            yield from of_node(value, f"{full}.", lines)
            continue
        shown = " ".join(lines[value.start_mark.line][value.start_mark.column : value.end_mark.column].split())
        if value.start_mark.line != value.end_mark.line:
            shown = spelled(yaml.safe_load(yaml.serialize(value)))
        yield Value(full, shown, kinds.get(name, ""), comment or told.get(name, "") or referred(shown))
    for name, default in defaults.items():
        if name not in entries:
            yield Value(f"{path}{name}", default, kinds.get(name, ""), told.get(name, ""))


def referred(shown: str) -> str:
    """What a value means that is nothing but another one: ``${seed}``, ``${hydra:runtime.choices.encoder}``."""
    if (chosen := re.fullmatch(r"\$\{hydra:runtime\.choices\.(\w+)\}", shown)) is not None:
        return f"the option of the group {chosen[1]}"
    same = re.fullmatch(r"\$\{(?:oc\.select:)?([\w.]+)(?:,.*)?\}", shown)
    return "" if same is None else f"the same as {same[1]}"


def comment_of(key: yaml.Node, value: yaml.Node, lines: list[str]) -> str:
    """What stands behind a value, on its line."""
    line = key.start_mark.line
    column = value.end_mark.column if value.end_mark.line == line else key.end_mark.column
    _, mark, comment = lines[line][column:].partition(" #")
    return comment.strip() if mark else ""


@cache  # a target stands in many files, and every page asks for what all of them tell
def built(target: str | None) -> tuple[Mapping[str, str], Mapping[str, str], Mapping[str, str]]:
    """What each argument of a target may be, what it means, and the defaults of those that may be left out."""
    if target is None:
        return {}, {}, {}
    made = get_object(target)
    told = all_meanings(made)
    if not getattr(made, "__module__", "").startswith("attnlab"):
        return {}, told, {}
    taken = inspect.signature(made).parameters
    hints = typing.get_type_hints(made.__init__ if inspect.isclass(made) else made, include_extras=True)
    kinds = {name: describe(hints[name]) for name in taken if name in hints}
    defaults = {
        name: spelled(parameter.default)
        for name, parameter in taken.items()
        if parameter.default is not parameter.empty and isinstance(parameter.default, str | int | float | None)
    }
    return kinds, told, defaults


def all_meanings(made: Any) -> dict[str, str]:
    """Of a class the arguments of what it derives from, too; Lightning's trainer has its own at ``__init__``."""
    if not inspect.isclass(made):
        return meanings(made)
    told: dict[str, str] = {}
    for kind in reversed(made.__mro__):
        if kind.__module__.startswith("attnlab") or kind is made:
            told |= {name: text for name, text in (meanings(kind) or meanings_of_init(kind)).items() if text}
    return told


def meanings_of_init(kind: type) -> dict[str, str]:
    return meanings(vars(kind)["__init__"]) if "__init__" in vars(kind) else {}


def meanings(made: Any) -> dict[str, str]:
    """What a docstring says of each argument."""
    doc = docstring_parser.parse(inspect.getdoc(made) or "", docstring_parser.DocstringStyle.GOOGLE)
    return {
        name.strip(): " ".join((argument.description or "").split())
        for argument in doc.params
        for name in argument.arg_name.split(",")
    }


def spelled(value: Any) -> str:
    """On one line, as a table has it."""
    return yaml.safe_dump(value, default_flow_style=True, width=math.inf).removesuffix("...\n").strip()


def cell(text: str) -> str:
    return escaped(text).replace("|", "\\|")


def escaped(text: str) -> str:
    """Text that is shown as it stands; what is between backticks is code."""
    parts = text.replace("``", "`").split("`")
    if len(parts) % 2 == 0:
        parts = ["'".join(parts)]
    return "`".join(part if number % 2 else prose(part) for number, part in enumerate(parts))


def prose(text: str) -> str:
    text = text.replace("<", "&lt;").replace("{", "&#123;")
    return text.replace("$", "\\$").replace("*", "\\*").replace("_", "\\_")
