"""What differs between a recorded configuration and the one that is to go on with it, and what must not differ."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from attnlab.cli.config.command_line import literal
from attnlab.runs.naming import AROUND

# Where a run lies, what it is called and who is told of it is up to the running command.
FREE = ("hydra", "paths", "ckpt_path", *AROUND)
MODEL = (
    "attention", "encoder", "decoder", "bridge", "position", "self_attention", "sentence_encoder",
    "sentence_pooling", "model",
)  # fmt: skip
DATA = ("dataset", "tokenizer")
OF_THE_DATA = ("data.shared_vocabulary", "data.train_size", "data.tokenizers", "data.splits")
STATEFUL = ("optimizer", "scheduler")
UNSHAPED = ("dropout", "temperature", "label_smoothing")  # in names of settings that no weight depends on
ABSENT = object()

Leaves = dict[str, Any]


class Change(NamedTuple):
    """A setting, or an option of a group, that is not what was recorded."""

    key: str
    recorded: Any
    new: Any


def leaves(node: Any, prefix: str = "") -> dict[str, Any]:
    """``{"optimizer.lr": 0.001, …}``; lists and empty nodes are leaves."""
    if not isinstance(node, dict) or not node:
        return {prefix: node}
    found: dict[str, Any] = {}
    for key, value in node.items():
        if prefix or key not in FREE:
            found |= leaves(value, f"{prefix}.{key}" if prefix else str(key))
    return found


def pinned(recorded: Leaves, now: Leaves) -> list[str]:
    """Overrides that give the recorded values where conf/ gives others today; what is new there stays."""
    return [f"++{key}={literal(value)}" for key, value in recorded.items() if now.get(key, ABSENT) != value]


def differing(before: Leaves, after: Leaves, chosen: Mapping[str, Any], choices: Mapping[str, Any]) -> Iterator[Change]:
    """The options of groups, then the values, of other options not those that come with them."""
    groups = {name for name in {*chosen, *choices} if chosen.get(name) != choices.get(name) and "@" not in name}
    groups = {name for name in groups if name.partition("/")[0] not in (*FREE, "sweep")}
    for name in sorted(groups):
        yield Change(name, chosen.get(name), choices.get(name))
    told = tuple(f"{name.replace('/', '.')}." for name in groups)
    for key in dict.fromkeys([*before, *after]):
        if before.get(key, ABSENT) != after.get(key, ABSENT) and not (told and f"{key}.".startswith(told)):
            yield Change(key, before.get(key), after.get(key))


def said(found: Iterable[Change]) -> list[str]:
    return [f"{change.key}: {shown(change.recorded)} -> {shown(change.new)}" for change in found]


def refusals(found: Iterable[Change], groups: Collection[str]) -> str:
    """Why a run cannot go on so; empty where it can."""
    lines = []
    for key, old, new in found:
        root, leaf = key.replace("/", ".").partition(".")[0], key.rpartition(".")[2]
        reason = None
        if key == "seed":
            reason = "a run has one seed"
        elif root in MODEL and not any(word in leaf for word in UNSHAPED):
            reason = "the weights are of the recorded model"
        elif (root in DATA and not is_place(old)) or key in OF_THE_DATA:
            reason = "the vocabulary and the batches are of the recorded data"
        elif root in STATEFUL and (key in groups or leaf == "_target_"):
            reason = f"the state of the recorded {root} is of another kind"
        if reason is not None:
            lines.append(f"{key}: {shown(old)} -> {shown(new)} cannot be, {reason}")
    return f"{'; '.join(lines)}: leave it out, or start a new run" if lines else ""


def is_place(value: Any) -> bool:
    """A path, or several: data may have been moved, and that they are the same is seen when they are read."""
    return (isinstance(value, str) and "/" in value) or (
        isinstance(value, list) and bool(value) and all(map(is_place, value))
    )


def shown(value: Any) -> str:
    return value if isinstance(value, str) and value else literal(value)
