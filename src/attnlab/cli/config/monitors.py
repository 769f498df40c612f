"""Which way is better follows from what is monitored; what says otherwise is a mistake, told before data are read."""

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from omegaconf import DictConfig, OmegaConf

from attnlab.errors import ConfigError
from attnlab.imports import thing
from attnlab.metrics.registry import counted, mode_of, of_key

if TYPE_CHECKING:
    from attnlab.metrics.quantity import Counted

DIRECTIONS = {"min": "minimize", "max": "maximize"}  # Optuna's words
LIBRARY = "pytorch_lightning."


def monitors(config: DictConfig, hydra: DictConfig) -> Iterator[str]:
    """Messages for monitored quantities: callbacks', the plateau schedule's, the sweeper's."""
    try:
        acquaint(config)
    except ConfigError as error:
        yield str(error)
        return
    try:
        counted(map(str, config.get("measure") or ()))
    except ConfigError as error:
        yield str(error)
    shared = set()  # one monitor for several: one mistake
    for where, node in watching(config):
        monitor, mode = node.monitor, node.get("mode")
        if OmegaConf.is_interpolation(node, "monitor"):
            if (monitor, mode) in shared:
                continue
            shared.add((monitor, mode))
        if mode is None and str(node.get("_target_")).startswith(LIBRARY):
            mode = "min"  # what Lightning's own take it to be
        there = validated(config)
        if (key := f"val/{monitor}") in there:
            place = "monitor" if OmegaConf.is_interpolation(node, "monitor") else f"{where}.monitor"
            yield f"{place}={monitor}: expected the split with it; write {place}={key}"
            continue
        sayable = there and monitor.startswith(("val/", "test")) and (mode is None or of_key(monitor))
        if sayable and monitor not in there:
            yield f"{where}.monitor={monitor}: a validation does not measure it; there is {', '.join(there)}"
            continue
        try:
            mode_of(monitor, mode, where)
            check_settings(config, monitor)
        except ConfigError as error:
            yield str(error)
    yield from direction_mistakes(config, hydra)


def watching(config: DictConfig) -> Iterator[tuple[str, DictConfig]]:
    """The parts that have a text as ``monitor``, with their places."""
    callbacks = config.get("callbacks") or {}
    nodes = {f"callbacks.{name}": node for name, node in callbacks.items()} | {"scheduler": config.get("scheduler")}
    for where, node in nodes.items():
        if isinstance(node, DictConfig) and isinstance(node.get("monitor"), str):
            yield where, node


def validated(config: DictConfig) -> tuple[str, ...]:
    """What a validation measures, and what it was told to measure besides; nothing where others may log something."""
    parts = [part for part in (config.get("callbacks") or {}).values() if isinstance(part, DictConfig)]
    if not all(ours(part) for part in parts):
        return ()
    own = tuple(quantity.key("val") for quantity in of_task(config))
    if not own:
        return ()
    try:
        more = counted(map(str, config.get("measure") or ()))
    except ConfigError:  # told of already
        more = ()
    return (*own, *(quantity.key("val") for quantity in more if not quantity.costly))


def of_task(config: DictConfig) -> "Iterable[Counted]":
    """What the task itself measures in a validation; nothing where there is none that says so.

    One of ours says it in its package, as ``VALIDATED``, so that the task need not be imported.
    """
    node = config.get("task")
    if not isinstance(node, DictConfig) or "_target_" not in node:
        return ()
    target = str(node._target_)
    if ours(node):
        try:
            return cast("Iterable[Counted]", thing(f"{target.rpartition('.')[0]}.VALIDATED"))
        except LookupError:
            kind = thing(target)
    else:
        kind = acquaint(config)
    return kind.validated() if hasattr(kind, "validated") else ()


def check_settings(config: DictConfig, monitor: str) -> None:
    """Ask the package of a task of ours whether it measures that as it is set: ``check_monitor(task, monitor)``.

    Raises:
        ConfigError: it does not.
    """
    node = config.get("task")
    if isinstance(node, DictConfig) and "_target_" in node and ours(node):
        check = getattr(import_module(str(node._target_).rpartition(".")[0]), "check_monitor", None)
        if check is not None:
            check(node, monitor)


def acquaint(config: DictConfig) -> Any:
    """The class of a task that somebody else wrote, imported: only it knows what it measures. None for one of ours.

    Raises:
        ConfigError: it is not to be imported.
    """
    node = config.get("task")
    if ours(node):
        return None
    try:
        return thing(str(node._target_))
    except LookupError:  # told when its signature is read
        return None
    except ConfigError as error:
        raise ConfigError(f"task: {error}") from error


def ours(node: Any) -> bool:
    """Whether a part is the laboratory's, or its libraries'; there may be none."""
    target = str(node.get("_target_", "")) if isinstance(node, DictConfig) else ""
    return not target or target.startswith(("attnlab.", LIBRARY))


def direction_mistakes(config: DictConfig, hydra: Mapping[str, Any]) -> Iterator[str]:
    """Optuna optimises what a job returns, the best value of the checkpoints' monitor."""
    sweeper, wanted = hydra.get("sweeper"), direction(config)
    if sweeper is None or "optuna" not in str(sweeper.get("_target_")) or wanted is None:
        return
    said = sweeper.get("direction")
    said = str(getattr(said, "name", said)) if said is not None or "study" not in hydra["callbacks"] else wanted
    if said != wanted:
        yield (
            f"hydra.sweeper.direction={said}: a job returns the best {config.callbacks.checkpoints.monitor}, so it has "
            f"to be {wanted}"
        )


def direction(config: DictConfig) -> str | None:
    """``minimize`` or ``maximize``, by the monitor of the checkpoints; None without one that says."""
    acquaint(config)
    node = next((node for where, node in watching(config) if where == "callbacks.checkpoints"), None)
    try:
        return None if node is None else DIRECTIONS[mode_of(node.monitor, node.get("mode"), "callbacks.checkpoints")]
    except ConfigError:  # told of already
        return None
