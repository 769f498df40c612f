"""A task is handed its model and its data; which ones it takes is what its constructor says: no list is kept of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from attnlab.cli.config.annotations import Made, members
from attnlab.cli.config.kinds import ancestors, built, is_a
from attnlab.cli.config.overrides import Groups
from attnlab.cli.config.signature import Parameter, UnknownTargetError, of_fields, signature
from attnlab.cli.config.source import locate

HANDED_ON = ("model", "data")
RECORDED = (None, "recorded")  # no choice of this command line


def strangers(config: DictConfig, choices: Mapping[str, Any], groups: Groups) -> dict[str, str]:
    """Messages, by group, for a model and data that the task does not take."""
    task = target_of(config, "task")
    found = {}
    for name in HANDED_ON:
        if choices.get(name) in RECORDED or task is None or (target := target_of(config, name)) is None:
            continue
        taken = takes(task, name)
        if not fits(target, taken):
            given, *kinds = (each.rpartition(".")[2] for each in (target, *taken))
            asked = f"which task={choices.get('task')} takes; {', or '.join(advice(name, target, taken, groups))}"
            found[name] = f"{name}={choices[name]}: a {given} is no {' or '.join(kinds)}, {asked}"
    return found


def target_of(config: DictConfig, name: str) -> str | None:
    target = OmegaConf.select(config, f"{name}._target_", throw_on_missing=False)
    return target if isinstance(target, str) else None


def takes(task: str, name: str) -> list[str]:
    """The classes of which a task takes something by this name; none where it does not say.

    What a class declares (``model: Classifier``) is narrower than the annotation of a constructor that it inherits.
    """
    try:
        parameter = declaration(task, name) or signature(task).parameters.get(name)
    except UnknownTargetError:
        return []
    kinds = [] if parameter is None else members(parameter.type)
    made = [note for kind in kinds for note in getattr(kind, "__metadata__", ()) if isinstance(note, Made)]
    return [note.base for note in made] if len(made) == len(kinds) else []


def declaration(task: str, name: str) -> Parameter | None:
    """What the body of a class, or of its nearest ancestor that has it, declares of an attribute."""
    found = built(locate(task))
    lineage = ancestors(found) if found is not None else ()
    declared = (of_fields(one, None).parameters.get(name) for one in lineage if one is not None)
    return next((parameter for parameter in declared if parameter is not None), None)


def fits(target: str, taken: list[str]) -> bool:
    """True, too, where it cannot be told."""
    found = built(locate(target))
    return found is None or not taken or any(is_a(found, base) for base in taken)


def advice(name: str, target: str, taken: list[str], groups: Groups) -> Iterator[str]:
    """An option that the task takes, and the data sets whose task takes what was chosen."""
    right = [
        option for option in groups.options(name) if (made := target_in(groups, name, option)) and fits(made, taken)
    ]
    if right:
        yield f"take {name}={', '.join(right)}"
    for option in groups.options("task"):
        task = target_in(groups, "task", option)
        known = [] if task is None else takes(task, name)
        if known and fits(target, known) and (datasets := [*of_task(groups, option)]):
            yield f"a data set of task={option}: dataset={', '.join(datasets)}"


def target_in(groups: Groups, group: str, option: str) -> str | None:
    """What an option builds, whether its file stands in the group's place or at the root."""
    loaded = groups.repository.load_config(f"{group}/{option}")
    config = None if loaded is None else loaded.config
    if not isinstance(config, DictConfig):
        return None
    return target_of(config, group) or (str(config["_target_"]) if "_target_" in config else None)


def of_task(groups: Groups, task: str) -> Iterator[str]:
    """The data sets that bring a task along; those that bring none are of the task that a command has by itself."""
    for option in groups.options("dataset"):
        loaded = groups.repository.load_config(f"dataset/{option}")
        entries = [] if loaded is None else loaded.defaults_list
        brought = [entry.value for entry in entries if str(getattr(entry, "group", "")).lstrip("/") == "task"]
        if (brought or [groups.heads.get("task")])[-1] == task:
            yield option
