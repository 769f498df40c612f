"""Which quantities there are: those of the laboratory, of installed packages, and of what was imported.

A package from outside has an entry point a quantity, named as it is, in the group ``attnlab.quantities``::

    [project.entry-points."attnlab.quantities"]
    accuracy = "my_package.accuracy:ACCURACY"

or calls :func:`register` when it is imported. A project that is no package has a file a quantity,
``conf/quantity/<name>.yaml``, which the commands :func:`declare`.
"""

import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from attnlab.errors import ConfigError
from attnlab.imports import blame
from attnlab.metrics import quantities
from attnlab.metrics.quantity import Counted, Mode, Quantity

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "attnlab.quantities"
OURS = "attnlab"
TRAINING_SPLITS = ("train", "val")  #: whose numbers come without outputs; every other split is tested

_registered: dict[str, tuple[str, Quantity]] = {}  # id -> package, quantity
_declared: dict[str, tuple[str, Callable[[], Quantity]]] = {}  # id -> where that is said, what makes it


def find(name: str) -> Quantity | None:
    """The quantity of an ``id`` (``bleu``, ``train/seconds``); None where nobody has it.

    Raises:
        ConfigError: two packages have one of this name, or its package cannot be imported.
    """
    if name in _registered:
        return _registered[name][1]
    ours, theirs = _own().get(name), _installed().get(name)
    if name in _declared:
        if (other := _whose(name)) is not None:
            raise ConfigError(_clash(name, other, _declared[name][0]))
        return _made(name)
    return ours if ours is not None else None if theirs is None else _loaded(name, theirs)


def of_key(key: str) -> Quantity | None:
    """What a logged key is of: ``val/bleu`` and ``test_long/bleu`` are BLEU; None for what nobody knows."""
    split, _, name = key.rpartition("/")
    own = _own()  # first: who monitors one of ours waits for nothing
    quantity = own.get(key) or own.get(name) or find(key) or find(name)
    if quantity is None or "/" in split or quantity.key(split) != key:
        return None
    return quantity if split or not quantity.split else None


def known() -> dict[str, Quantity]:
    """All quantities by ``id``, those of the laboratory first."""
    names = (*_own(), *_installed(), *_registered, *_declared)
    return {name: quantity for name in names if (quantity := find(name)) is not None}


def counted(names: Iterable[str]) -> tuple[Counted, ...]:
    """The quantities of these names, which are to be measured.

    Raises:
        ConfigError: there is no such quantity, or it is none of items.
    """
    found = []
    for name in names:
        quantity = find(name)
        if quantity is None:
            there = [name for name, item in known().items() if isinstance(item, Counted)]
            near = get_close_matches(name, there, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ConfigError(f"measure: {name} is no known quantity; {hint}there is {', '.join(there)}")
        if not isinstance(quantity, Counted):
            raise ConfigError(f"measure: {name} ({quantity.title}) is none of items, so no test can measure it")
        found.append(quantity)
    return tuple(found)


def package_of(quantity: Quantity) -> str:
    """The package that has to be installed for a quantity to be known."""
    if quantity.id in _registered:
        return _registered[quantity.id][0]
    if quantity.id not in _own() and (entry := _installed().get(quantity.id)) is not None:
        return _distribution(entry)
    return type(quantity).__module__.partition(".")[0]


def register(package: str, *those: Quantity) -> None:
    """Make quantities known that are of no installed package: for one that is imported anyway, such as a task's.

    One that is known with other settings (a loss over other units) is left as it is known.

    Args:
        package: whose they are: who lacks one is told to install it.
        those: the quantities.

    Raises:
        ConfigError: another package has one of this name.
    """
    for quantity in those:
        other = _whose(quantity.id)
        if other not in (None, package):
            there = find(quantity.id)
            if type(there) is type(quantity) and there is not None and there.better == quantity.better:
                continue
            raise ConfigError(_clash(quantity.id, str(other), package))
        if other != OURS:
            _registered[quantity.id] = package, quantity


def declare(those: Mapping[str, tuple[str, Callable[[], Quantity]]]) -> None:
    """Say which quantities a project has, in the place of those of another one. Each is made when it is asked for.

    Args:
        those: by name, where it is said that there is one, and what makes it.
    """
    _declared.clear()
    _declared.update(those)
    _made.cache_clear()


@cache
def _made(name: str) -> Quantity:
    where, make = _declared[name]
    quantity = make()
    if quantity.id != name:
        raise ConfigError(f"{where} is the quantity {quantity.id}; call the file so")
    return quantity


def mode_of(monitor: str, mode: str | None, where: str) -> Mode:
    """Whether to look for the least or the most of a monitored quantity.

    Args:
        monitor: its key.
        mode: ``min`` or ``max`` where somebody said so; must agree. None leaves it to the quantity.
        where: the setting that has the two as ``<where>.monitor`` and ``<where>.mode``, for messages.

    Raises:
        ConfigError: the mode is the wrong way round, or it is missing and nobody knows the quantity.
    """
    if mode not in (None, "min", "max"):
        raise ConfigError(f"{where}.mode: came {mode!r}, expected min, max or null")
    quantity = of_key(monitor)
    if quantity is None and mode is None:
        raise ConfigError(
            f"{where}.monitor={monitor} is no quantity of the laboratory's, so {where}.mode has to say which way is "
            "better: set it to min or max"
        )
    if quantity is not None and mode not in (None, quantity.mode):
        raise ConfigError(
            f"{where}.mode={mode}, and of {monitor} the {quantity.better} is the better: leave mode out (null), it "
            f"follows from monitor"
        )
    return quantity.mode if quantity is not None else mode  # type: ignore[return-value]


@cache
def _own() -> Mapping[str, Quantity]:
    found: dict[str, Quantity] = {}
    for info in pkgutil.iter_modules(quantities.__path__):
        module = import_module(f"{quantities.__name__}.{info.name}")
        for quantity in _in(vars(module)):
            if found.setdefault(quantity.id, quantity) is not quantity:
                raise ConfigError(f"two quantities of the laboratory are called {quantity.id}, one in {info.name}.py")
    return found


def _in(names: Mapping[str, object]) -> Iterator[Quantity]:
    return (value for value in names.values() if isinstance(value, Quantity))


@cache
def _installed() -> "Mapping[str, EntryPoint]":
    """The entry points by name, unread.

    Raises:
        ConfigError: a name is taken twice.
    """
    from importlib.metadata import entry_points  # when a name is none of ours: it takes 10 ms

    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        other = OURS if entry.name in _own() else _distribution(found[entry.name]) if entry.name in found else None
        if other is not None and (other == OURS or found[entry.name].value != entry.value):
            raise ConfigError(_clash(entry.name, other, _distribution(entry)))
        found[entry.name] = entry
    return found


@cache
def _loaded(name: str, entry: "EntryPoint") -> Quantity:
    told = f"entry point {name} = {entry.value!r} of {_distribution(entry)} (group {GROUP})"
    try:
        quantity = entry.load()
    except Exception as error:  # of somebody else's module, which may raise anything
        raise ConfigError(f"{told} cannot be loaded: {blame(error, entry.module.partition('.')[0])}") from error
    if not isinstance(quantity, Quantity):
        raise ConfigError(f"{told} is a {type(quantity).__name__}; expected a Quantity")
    if quantity.id != name:
        raise ConfigError(f"{told} is the quantity {quantity.id}; call the entry point so")
    return quantity


def _whose(name: str) -> str | None:
    if name in _registered:
        return _registered[name][0]
    if name in _own():
        return OURS
    return _distribution(_installed()[name]) if name in _installed() else None


def _distribution(entry: "EntryPoint") -> str:
    return entry.dist.name if entry.dist is not None else entry.value.partition(":")[0].partition(".")[0]


def _clash(name: str, first: str, second: str) -> str:
    return f"two quantities are called {name}: that of {first} and that of {second}; one of them needs another name"
