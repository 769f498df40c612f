"""Whether a plain value is of a type. pydantic judges; importing it and a schema for each type take 0.1 seconds.

So what fits at a glance does not get that far, and a configuration without a mistake in its values asks for nothing.
"""

import json
import typing
from functools import cache
from typing import Annotated, Any, Literal

from annotated_types import Interval

from attnlab.cli.config.annotations import COMPONENT, Component, bare, members
from attnlab.ranges import Pattern

SAFE = 2**53  # whole numbers up to here are the same in JSON, as a float, and for pydantic


def fits(value: Any, kind: Any) -> bool:
    """Strictly: an int passes for a float, the text '3' does not pass for 3. NaN and infinity pass for nothing."""
    return at_once(value, kind) or judged(value, kind)


def judged(value: Any, kind: Any) -> bool:
    """What pydantic says."""
    from pydantic import ValidationError

    try:
        adapter(kind).validate_json(json.dumps(value))
    except (ValidationError, ValueError):  # the latter of a number with more digits than Python writes
        return False
    return True


@cache
def adapter(kind: Any) -> Any:  # a TypeAdapter, which beartype does not know
    from pydantic import ConfigDict, TypeAdapter

    return TypeAdapter(kind, config=ConfigDict(strict=True, allow_inf_nan=False))


def at_a_glance(value: Any, kind: Any) -> bool:
    """Whether a value certainly fits a type that is no union; false where that takes a closer look."""
    origin = typing.get_origin(kind)
    if bare(kind) == Component:
        return bool(value == COMPONENT)
    if origin is Annotated:
        bounds = kind.__metadata__[0]
        if isinstance(bounds, Pattern):
            return isinstance(value, str) and simple(value) and bool(bounds.func(value))
        return isinstance(bounds, Interval) and at_a_glance(value, kind.__origin__) and within(value, bounds)
    if origin is Literal:
        return any(type(item) is type(value) and item == value for item in kind.__args__)
    if origin is list:
        return isinstance(value, list) and all(at_once(item, kind.__args__[0]) for item in value)
    if origin is tuple and isinstance(value, list) and len(value) == len(kind.__args__):
        return all(at_once(item, wanted) for item, wanted in zip(value, kind.__args__, strict=True))
    if origin is dict and isinstance(value, dict) and kind.__args__[0] is str:
        return all(type(key) is str and at_once(item, kind.__args__[1]) for key, item in value.items())
    if kind is None or kind is type(None):
        return value is None
    return simple(value) and (kind is Any or type(value) is kind or (kind is float and type(value) is int))


def at_once(value: Any, kind: Any) -> bool:
    return any(at_a_glance(value, item) for item in members(kind))


def simple(value: Any) -> bool:
    """Neither a container nor a number or text with something special about it."""
    if isinstance(value, str):
        return value.isascii()
    return isinstance(value, bool | int | float) and abs(value) <= SAFE  # false for NaN


def within(value: Any, bounds: Interval) -> bool:
    low, high = bounds.ge, bounds.le
    above = (low is None or value >= low) and (bounds.gt is None or value > bounds.gt)
    return bool(above and (high is None or value <= high) and (bounds.lt is None or value < bounds.lt))
