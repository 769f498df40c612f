"""Build the parts of a run from its configuration."""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf
from torch import nn

from attnlab.cli.config.machine import build_within_memory, require_devices, require_search
from attnlab.cli.config.monitors import ours
from attnlab.cli.config.signature import imported
from attnlab.cli.errors import MistakesError, user_error
from attnlab.errors import ConfigError
from attnlab.imports import thing
from attnlab.metrics import registry
from attnlab.private.lean_imports import lean_imports
from attnlab.viz.palette import require_colors

if TYPE_CHECKING:  # Lightning takes seconds to import, and a rehearsal does without
    from attnlab.data.base import TaskData
    from attnlab.tasks.base import Task

REHEARSAL_UPDATES = 10
VOCABULARIES = ("target_vocabulary", "vocabulary")  # what a search chooses from, by the model's name for its size


def rehearse(config: DictConfig) -> None:
    """Build all parts, the model for the smallest dimensions that it can have, before any data are read.

    Not on the meta device: there ``nn.Embedding`` imports torch's compiler, which takes seconds.

    Raises:
        ConfigError: a combination of settings that a constructor refuses.
        MistakesError: likewise, where the constructor is of another library.
    """
    require_devices(config.trainer)
    import_all(config)
    require_colors(config.get("cmap"))
    registry.known()  # what is wrong with a package of quantities is told now, and not when all is done
    dimensions = smallest(config)
    check_search(config, dimensions)
    part = "dataset"
    try:
        check_corpus(str(config.task._target_), made(config.get("dataset")))
        part = "model"
        built = build_within_memory(lambda: model(config, dimensions))
        settings: dict[str, Any] = {}
        for part in (str(name) for name in config.task if name not in ("optimizer", "schedule")):
            settings[part] = component(config.task[part])
        part = "task"
        rehearse_task(str(config.task._target_), settings, built)
        require_training(config, built)
        if config.get("optimizer") is not None:
            part = "optimizer"
            optimizer = made(config.optimizer)(built.parameters())
            part = "scheduler"
            made(config.scheduler).configure(optimizer, REHEARSAL_UPDATES)
    except (TypeError, ValueError, RuntimeError) as error:
        known = user_error(error)
        if known is not None and type(known).__module__.partition(".")[0] == "attnlab":
            raise known from error
        hint = "HYDRA_FULL_ERROR=1 shows where"
        raise MistakesError([f"{part} cannot be built with these settings: {error} ({hint})"]) from error


def rehearse_stacked(config: DictConfig) -> None:
    """See that the passes of several seeds can be made as one: with two of the smallest networks.

    Raises:
        ConfigError: they cannot.
    """
    from attnlab.models.stacked import Stacked
    from attnlab.types import PAD

    kind = thing(config.task._target_)
    networks = [model(config, smallest(config)) for _ in range(2)]
    network = type(networks[0])
    if not getattr(kind, "stacks", False) or not getattr(network, "captured", False):
        raise ConfigError(
            f"hydra.launcher.stacked=true: passes of {kind.__name__} with {network.__name__} are not made as one; "
            "those of task=translation with model=seq2seq are. Leave stacked out, and any model is trained by turns"
        )
    words = torch.full((2, 1, 2), PAD + 1)
    Stacked(cast(Any, networks), [torch.Generator(), torch.Generator()])(words, words > PAD, words)


def made(node: Any, **more: Any) -> Any:
    """What a node builds; lists and tables in it are Python's own, as signatures say."""
    return instantiate(node, _convert_="all", **more)


def component(node: Any) -> Any:
    """What a node builds; a plain value as it is."""
    return made(node) if isinstance(node, DictConfig) else node


def settings_of(node: DictConfig) -> dict[str, Any]:
    """The settings of a part, but for those that stand elsewhere in the configuration."""
    names = (str(name) for name in node)
    own = (name for name in names if not name.startswith("_") and not OmegaConf.is_interpolation(node, name))
    return {name: component(node[name]) for name in own}


def import_all(node: Any) -> None:
    """Import what somebody else wrote, whatever builds it and whenever.

    Raises:
        ConfigError: it cannot be imported; names the file, the line and the reason.
    """
    if isinstance(node, DictConfig | ListConfig):
        places = list(node) if isinstance(node, DictConfig) else range(len(node))
        if isinstance(node, DictConfig) and isinstance(target := node.get("_target_"), str) and not ours(node):
            imported(target)
        for place in places:
            if not OmegaConf.is_interpolation(node, place) and not OmegaConf.is_missing(node, place):
                import_all(node[place])


def check_corpus(target: str, corpus: Any) -> None:
    """Ask the package of a task whether it can do with a corpus: ``check_corpus(corpus)``, if it has that function.

    Raises:
        ConfigError: it cannot.
    """
    check = getattr(import_module(target.rpartition(".")[0]), "check_corpus", None)
    if check is not None:
        check(corpus)


def rehearse_task(target: str, settings: Mapping[str, Any], built: nn.Module) -> None:
    """Ask the package of a task what does not go together: ``rehearse(settings, model)``, if it has that function.

    Raises:
        ConfigError: that, or the task is not all that a task has to be.
    """
    with lean_imports():  # of Lightning, in a training
        kind = thing(target)
    if lacking := sorted(getattr(kind, "__abstractmethods__", ())):
        raise ConfigError(f"task: {kind.__name__} has no {', '.join(lacking)}, which attnlab.tasks.base.Task asks for")
    if (refuse := getattr(kind, "check_model", None)) is not None:
        refuse(built)
    check = getattr(import_module(target.rpartition(".")[0]), "rehearse", None)
    if check is not None:
        check(settings, built)


def require_training(config: DictConfig, built: nn.Module) -> None:
    """See that a model has what trains it, and no more.

    Raises:
        ConfigError: what is too much or lacking.
    """
    at_once = bool(getattr(built, "fitted_at_once", False))
    for name in ("optimizer", "scheduler"):
        if at_once and config.get(name) is not None:
            raise ConfigError(
                f"{name}: {type(built).__name__} is fitted at once and not by gradients, so it would do nothing; leave "
                f"{name} out"
            )
        if not at_once and config.get(name) is None:
            raise ConfigError(f"{name}: {type(built).__name__} is trained by gradients; choose one, {name}=…")


def smallest(config: DictConfig) -> dict[str, Any]:
    """The dimensions for which the model is rehearsed: what its class has as ``smallest``."""
    built = thing(config.model._target_)
    if not isinstance(found := getattr(built, "smallest", None), Mapping):
        raise ConfigError(
            f"model: {built.__name__} has no smallest: the least that TaskData.dimensions() can be, e.g. "
            'smallest = {"vocabulary": 5}, for which it is built before data are read'
        )
    return dict(found)


def check_search(config: DictConfig, dimensions: Mapping[str, Any]) -> None:
    """See that a search fits into memory, where there is one."""
    vocabulary = next((dimensions[name] for name in VOCABULARIES if name in dimensions), None)
    if config.get("search") and vocabulary is not None:
        require_search(config.search, config.data.eval_batch_size, vocabulary, "data.eval_batch_size")


def model(config: DictConfig, dimensions: Mapping[str, Any]) -> nn.Module:
    """The model, for data of these dimensions."""
    built: nn.Module = made(config.model)(**dimensions)
    return built


def task(config: DictConfig, data: "TaskData") -> "Task[Any]":
    """The LightningModule around a new model; ``data`` has been set up.

    Raises:
        DataError: an item of them is longer than the model can read.
    """
    dimensions = data.dimensions()
    check_search(config, dimensions)
    network = model(config, dimensions)
    data.check_model(network)
    built: Task[Any] = made(config.task)(model=network, data=data)
    if not getattr(built, "quantities", ()):
        raise ConfigError(f"task: {type(built).__name__} has no quantities; expected what a test measures, one or more")
    built.measure_also(config.get("measure") or ())
    return built
