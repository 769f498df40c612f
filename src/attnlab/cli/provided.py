"""What a recorded configuration may build: judged by where a thing is defined and what kind of thing it is.

A name leads to its definition first, so that nothing is reached through a module that happens to import it.
The definition is read off the source where that is possible; only packages of the lists below, and those that the
user trusts, are ever imported for it.
"""

import ast
import inspect
import re
from collections.abc import Collection, Iterator
from functools import cache
from itertools import chain
from typing import NamedTuple

from attnlab.cli import project
from attnlab.cli.config.kinds import ancestors
from attnlab.cli.config.signature import UnknownTargetError, imported
from attnlab.cli.config.source import locate

NAME = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*")  # nothing private: no __globals__, no _internal
TARGET = re.compile(r"""_target_['"]?\s*:\s*['"]?(attnlab\.(?!cli\.)[\w.]+)""")


class Kind(NamedTuple):
    """Classes below a module prefix that are derived from a base."""

    prefix: str
    base: str


KINDS = (
    Kind("torch.nn.modules", "torch.nn.modules.module.Module"),
    Kind("torch.optim", "torch.optim.optimizer.Optimizer"),
    Kind("torch.optim.lr_scheduler", "torch.optim.lr_scheduler.LRScheduler"),
    Kind("pytorch_lightning.trainer.trainer", "pytorch_lightning.trainer.trainer.Trainer"),
    Kind("pytorch_lightning.callbacks", "pytorch_lightning.callbacks.callback.Callback"),
    Kind("pytorch_lightning.loggers.csv_logs", "pytorch_lightning.loggers.logger.Logger"),
    Kind("pytorch_lightning.loggers.tensorboard", "pytorch_lightning.loggers.logger.Logger"),
    Kind("pytorch_lightning.strategies.single_device", "pytorch_lightning.strategies.strategy.Strategy"),
    Kind("pytorch_lightning.strategies.ddp", "pytorch_lightning.strategies.strategy.Strategy"),
    Kind("pytorch_lightning.strategies.fsdp", "pytorch_lightning.strategies.strategy.Strategy"),
    Kind("pytorch_lightning.plugins.precision", "pytorch_lightning.plugins.precision.precision.Precision"),
    # Not those of torchmetrics that fetch or unpickle pretrained models: images, sound, BERT.
    Kind("torchmetrics.aggregation", "torchmetrics.metric.Metric"),
    Kind("torchmetrics.classification", "torchmetrics.metric.Metric"),
    Kind("torchmetrics.regression", "torchmetrics.metric.Metric"),
    *(Kind(f"torchmetrics.text.{name}", "torchmetrics.metric.Metric")
      for name in ("bleu", "sacre_bleu", "chrf", "ter", "rouge", "perplexity", "wer", "cer", "mer", "wil", "wip",
                   "edit", "eed", "squad")),
)  # fmt: skip
# Ours of these packages compute and do nothing else; of data, tasks and callbacks, which read and write, only what
# conf/ names is for configurations.
PURE = ("attention", "layers", "encoders", "decoders", "models", "search", "metrics")
# Where the kinds above can be found under a shorter name: torch.nn.Linear.
SHORT = ("torch.nn", "torch.optim", "pytorch_lightning", "torchmetrics")


def allowed(target: str, trusted: Collection[str]) -> bool:
    """Whether a recorded configuration may name ``target`` for its ``_target_``.

    Args:
        target: a dotted name.
        trusted: packages, modules, or single dotted names, that the user trusts.
    """
    if not NAME.fullmatch(target):
        return False
    if target in trusted:
        return True
    if not below(target, trusted) and not below(target, (*SHORT, *(kind.prefix for kind in KINDS), "attnlab")):
        return False  # not even looked for
    lineage = described(target)
    definition = next(lineage, None)
    if definition is None:
        return False
    if below(definition, trusted) or definition in ours():
        return True
    wanted = {kind.base for kind in KINDS if below(definition, [kind.prefix])}
    if definition in wanted:
        return True
    pure = below(definition, [f"attnlab.{name}" for name in PURE])  # a class: it has an ancestor
    return (pure and next(lineage, None) is not None) or any(name in wanted for name in lineage if wanted)


def below(name: str, prefixes: Collection[str]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


@cache
def ours() -> frozenset[str]:
    """Where is defined what of this package the shipped configurations name: its parts that are to be configured."""
    files = project.configuration().rglob("*.yaml")
    named = set(chain.from_iterable(TARGET.findall(path.read_text(encoding="utf-8")) for path in files))
    return frozenset(next(described(target), target) for target in named)


def described(target: str) -> Iterator[str]:
    """Where ``target`` is defined, then, of a class, where each of its ancestors is; nothing for anything else."""
    found = locate(target)
    if found is not None and isinstance(found.node, ast.ClassDef):
        for one in filter(None, ancestors(found)):  # as far as they are written in Python
            yield f"{one.module.name}.{one.name}"
        yield "builtins.object"
    elif found is not None and isinstance(found.node, ast.FunctionDef):
        yield f"{found.module.name}.{found.node.name}"
    else:
        yield from inspected(target)


def inspected(target: str) -> Iterator[str]:
    """The same of what has to be imported for it."""
    try:
        thing = imported(target)
    except UnknownTargetError:
        return
    if isinstance(thing, type):
        yield from (f"{kind.__module__}.{kind.__qualname__}" for kind in thing.__mro__)
    elif inspect.isfunction(thing) or inspect.ismethod(thing):
        yield f"{thing.__module__}.{thing.__qualname__}"
