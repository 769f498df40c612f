"""Reading signatures off the source is held to what Python's own inspection says after an import."""

import importlib
import inspect
import sys
from pathlib import Path

import pytest
import yaml
from torch import nn

from attnlab.cli.config.fitting import fits
from attnlab.cli.config.signature import UnknownTargetError, signature
from attnlab.cli.config.source import locate
from attnlab.cli.errors import nearest

CONF = Path(__file__).resolve().parents[3] / "conf"


def targets_in(node):
    if isinstance(node, dict):
        for key, value in node.items():
            yield from [value] if key == "_target_" else targets_in(value)
    elif isinstance(node, list):
        for item in node:
            yield from targets_in(item)


TARGETS = sorted(
    {target for path in CONF.rglob("*.yaml") for target in targets_in(yaml.safe_load(path.read_text("utf-8")))}
)


def arguments(thing):
    """Of a constructor; where it hands ``**kwargs`` on to that of its base, those of the base stand beside its own."""
    found = dict(inspect.signature(thing).parameters)
    rest = next((item.name for item in found.values() if item.kind is item.VAR_KEYWORD), None)
    if (
        rest is not None
        and "super().__init__(" in inspect.getsource(thing)
        and f"**{rest})" in inspect.getsource(thing)
    ):
        del found[rest]
        found = {item.name: item for item in arguments(thing.__mro__[1])} | found
    return found.values()


@pytest.mark.parametrize("target", [*TARGETS, "torch.optim.adamw.AdamW", "torch.nn.modules.linear.Linear"])
def test_same_as_inspect(target):
    module, _, name = target.rpartition(".")
    thing = getattr(importlib.import_module(module), name)
    expected = arguments(thing)
    found = signature(target)
    assert locate(target) is not None, "not found in the source"
    named = [item for item in expected if item.kind not in (item.VAR_POSITIONAL, item.VAR_KEYWORD)]
    assert {name: item.required for name, item in found.parameters.items()} == {
        item.name: item.default is item.empty for item in named
    }
    bare = getattr(thing, "__init__", None) is nn.Module.__init__  # takes anything, and then refuses it
    assert found.open == (not bare and any(item.kind is item.VAR_KEYWORD for item in expected))


SOURCE = """
from __future__ import annotations
import typing as t
from abc import ABC
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, Optional, TypeVar, Union
from torch import nn, Tensor

Kind = Literal["a", "b"]
T = TypeVar("T")

class Base(nn.Module, ABC):
    def __init__(self, size: int, *, rate: float = 0.1, **rest: Any) -> None: ...

class Forwards(Base):
    def __init__(self, own: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)

class Closed(Base):
    def __init__(self, own: str) -> None:
        super().__init__(3)

class Inherits(Closed): ...

class Bare(nn.Module):
    def forward(self, x: Tensor) -> Tensor: ...

class Generics(Generic[T], Closed): ...

@dataclass
class Fields:
    size: int
    rate: float = 0.5

@dataclass
class MoreFields(Fields):
    name: str = ""

class Tuple3(NamedTuple):
    size: int
    name: str = ""

class Maker:
    @classmethod
    def make(cls, size: int) -> "Maker": ...

def everything(
    whole: int, real: float, text: str, flag: bool, kind: Kind, either: Union[int, str], maybe: Optional[int],
    new: int | None, many: list[int], pair: tuple[float, float], some: Sequence[str], table: dict[str, float],
    call: Callable[[int], int], part: Base, parts: list[Base], quoted: "int", anything: Any, unknown: Nowhere,
    path: Path, typed: t.Optional[t.Literal[1, 2]], noted: Annotated[int, "unit"], weight: float | Tensor,
) -> None: ...
"""


@pytest.fixture
def samples(tmp_path, monkeypatch):
    (tmp_path / "signature_samples.py").write_text(SOURCE, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield "signature_samples"
    sys.modules.pop("signature_samples", None)


def parameters(target):
    found = signature(target)
    return {name: item.required for name, item in found.parameters.items()}, found.open


def test_constructors_are_inherited_as_python_does(samples):
    assert parameters(f"{samples}.Base") == ({"size": True, "rate": False}, True)
    assert parameters(f"{samples}.Forwards") == ({"own": True, "size": True, "rate": False}, True)
    assert parameters(f"{samples}.Closed") == ({"own": True}, False)
    assert parameters(f"{samples}.Inherits") == ({"own": True}, False)
    assert parameters(f"{samples}.Generics") == ({"own": True}, False)
    assert parameters(f"{samples}.Bare") == ({}, False)
    assert parameters(f"{samples}.Fields") == ({"size": True, "rate": False}, False)
    assert parameters(f"{samples}.MoreFields") == ({"size": True, "rate": False, "name": False}, False)
    assert parameters(f"{samples}.Tuple3") == ({"size": True, "name": False}, False)
    assert samples not in sys.modules, "was imported"


NODE = {"_target_": "component"}
FITTING = {
    "whole": [3], "real": [3, 3.5], "text": ["x"], "flag": [True], "kind": ["a"], "either": [3, "x"],
    "maybe": [None, 3], "new": [None, 3], "many": [[], [1, 2]], "pair": [[1, 2.5]], "some": [["x"]],
    "table": [{"x": 1.5}], "call": [NODE], "part": [NODE], "parts": [[NODE]], "quoted": [3],
    "anything": [3, "x", None], "unknown": [3, "x", None], "path": ["a/b"], "typed": [1, None], "noted": [3],
    "weight": [3, 0.5],
}  # fmt: skip
MISFITS = {
    "whole": ["3", 3.5, True, None, [3]], "real": ["3.5", None, True], "text": [3, None], "flag": [1, "true"],
    "kind": ["c", 1, None], "either": [3.5, None], "maybe": ["3"], "new": ["3"], "many": [["1"], 1],
    "pair": [["x", 1]], "some": ["xyz", [1]], "table": [{"x": "y"}, [1]], "call": [3, "x"], "part": [3, "x"],
    "parts": [[3]], "quoted": ["3"], "path": [3], "typed": [3, "1"], "noted": ["3"], "weight": ["x"],
}  # fmt: skip


@pytest.mark.parametrize("name", FITTING)
def test_values_against_annotations(samples, name):
    kind = signature(f"{samples}.everything").parameters[name].type
    assert [value for value in FITTING[name] if not fits(value, kind)] == []
    assert [value for value in MISFITS.get(name, []) if fits(value, kind)] == []


def test_a_target_that_is_not_there_lists_its_neighbours():
    with pytest.raises(UnknownTargetError) as caught:
        signature("attnlab.attention.scores.luong_general.LuongGenral")
    assert nearest("LuongGenral", caught.value.names) == "did you mean LuongGeneral?"
    with pytest.raises(UnknownTargetError):
        signature("no_such_package.Thing")


def test_what_is_not_python_source_is_imported():
    assert locate("math.hypot") is None
    assert set(signature("math.dist").parameters) == set(
        inspect.signature(importlib.import_module("math").dist).parameters
    )
