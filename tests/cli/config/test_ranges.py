"""Every number that a configuration can set has a range, read off the constructor that it is for."""

import typing
from collections import defaultdict
from pathlib import Path

import pytest
import yaml
from annotated_types import Interval
from omegaconf import OmegaConf

from attnlab.cli.commands import compare, dashboard, evaluate, predict, train, translate
from attnlab.cli.config.annotations import describe
from attnlab.cli.config.check import check
from attnlab.cli.config.fitting import fits
from attnlab.cli.config.signature import signature

CONF = Path(__file__).resolve().parents[3] / "conf"
LABELS = ("attnlab.callbacks.run_files.RunFiles", "labels")  # what a person wants to read: any number


def nodes_in(value):
    """Every node with a ``_target_``."""
    if isinstance(value, dict):
        yield from [value] if "_target_" in value else []
        for item in value.values():
            yield from nodes_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from nodes_in(item)


def settings():
    """Target and name of all that a configuration may set; what only code hands on (``query_dim``) is none."""
    given = defaultdict(set)
    for path in CONF.rglob("*.yaml"):
        for node in nodes_in(yaml.safe_load(path.read_text("utf-8"))):
            given[node["_target_"]] |= set(map(str, node))
    for target, names in sorted(given.items()):
        for name, parameter in signature(target).parameters.items():
            if name in names or not parameter.required:
                yield pytest.param(target, name, parameter.type, id=f"{target.rpartition('.')[2]}.{name}")


def options():
    for command in (compare, dashboard, evaluate, predict, train, translate):
        for name, kind in typing.get_type_hints(command.Options, include_extras=True).items():
            yield pytest.param(command.__name__, name, kind, id=f"{command.__name__.rpartition('.')[2]}:{name}")


def unbounded(kind):
    """The numbers within a type that have no lower or no upper bound."""
    if kind in (int, float):
        yield kind
    elif typing.get_origin(kind) is typing.Annotated and kind.__origin__ in (int, float):
        bounds = kind.__metadata__[0]
        assert isinstance(bounds, Interval)
        if (bounds.ge is None and bounds.gt is None) or (bounds.le is None and bounds.lt is None):
            yield kind
    elif typing.get_origin(kind) is not typing.Literal:
        for part in getattr(kind, "__args__", ()):
            yield from unbounded(part)


@pytest.mark.parametrize(("target", "name", "kind"), [*settings(), *options()])
def test_every_number_has_a_range(target, name, kind):
    if (target, name) != LABELS:
        assert list(unbounded(kind)) == [], f"{target}: {name} is {describe(kind)}; see attnlab.ranges"


def numbers():
    found = [item for item in settings() if fits(1, item.values[2]) or fits(0.5, item.values[2])]
    assert len(found) > 200
    return [item for item in found if item.values[:2] != LABELS and item.values[2] is not typing.Any]


@pytest.mark.parametrize(("target", "name", "kind"), numbers())
def test_what_is_no_number_of_use_is_refused_with_key_and_range(target, name, kind):
    for value in (float("nan"), float("inf"), -float("inf"), 10**30, -(10**30), 10**5000):
        assert not fits(value, kind)
    config = OmegaConf.create({"part": {"_target_": target, "_partial_": True, name: float("nan")}})
    told = list(check(config, OmegaConf.create({}), typing.TypedDict("None_", {}), ["part"]))
    assert len(told) == 1
    assert told[0].startswith(f"part.{name}: came nan, expected ")
    assert " from " in told[0] or " above " in told[0]
