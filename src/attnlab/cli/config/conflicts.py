"""Parts that are right by themselves and come to nothing together; told before data are read."""

from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from attnlab.cli.config.kinds import declared, is_a
from attnlab.cli.config.source import locate

#: Groups, the attention that stands in each, and what that looks at.
POOLINGS = (
    ("pooling", "attention", "words"),
    ("sentence_pooling", "attention@sentence_pooling.attention", "sentences"),
)
AVERAGING = "StochasticWeightAveraging"  # Lightning's
AVERAGES = "pytorch_lightning.callbacks.weight_averaging.WeightAveraging"


def conflicts(config: DictConfig, choices: Mapping[str, Any]) -> Iterator[str]:
    """Messages; a configuration without mistakes in its values is expected."""
    yield from unwatched(config)
    yield from averages_of_one(config) or averages_that_nobody_keeps(config)
    yield from looks_at_nothing(config, choices)


def unwatched(config: DictConfig) -> Iterator[str]:
    """A plateau schedule that waits for a validation, and there is none."""
    monitor = (config.get("scheduler") or {}).get("monitor")
    if str(monitor).startswith("val/") and (config.get("trainer") or {}).get("limit_val_batches") == 0:
        yield (
            f"scheduler.monitor={monitor}: with trainer.limit_val_batches=0 nothing is validated; let it "
            "watch train/loss, or choose another scheduler"
        )


def averages_that_nobody_keeps(config: DictConfig) -> Iterator[str]:
    """Lightning's callback puts its average in place when training is over, after the last checkpoint was written."""
    callbacks = config.get("callbacks") or {}
    if not isinstance(callbacks.get("checkpoints"), DictConfig):
        return
    for name, node in callbacks.items():
        if isinstance(node, DictConfig) and str(node.get("_target_")).endswith(AVERAGING):
            yield (
                f"callbacks.{name}: {AVERAGING} has its average when training is over, and what is kept and tested is "
                "the best checkpoint before; choose callbacks=ema, or test the average itself with "
                "callbacks.checkpoints=null"
            )


def averages_of_one(config: DictConfig) -> list[str]:
    """Weights averaged over the updates of a model that has one update."""
    target = str(OmegaConf.select(config, "model._target_"))
    if not declared(target, "fitted_at_once"):
        return []
    nodes = {name: node for name, node in (config.get("callbacks") or {}).items() if isinstance(node, DictConfig)}
    found = {name: locate(str(node.get("_target_"))) for name, node in nodes.items()}
    kind = target.rpartition(".")[2]
    return [
        f"callbacks.{name}: a {kind} is fitted at once, so there are no updates to average over; leave it out "
        f"(callbacks.{name}=null)"
        for name, made in found.items()
        if made is not None and (made.name == AVERAGING or is_a(made, AVERAGES))
    ]


def looks_at_nothing(config: DictConfig, choices: Mapping[str, Any]) -> Iterator[str]:
    """A pooling by attention, without attention."""
    for group, attention, what in POOLINGS:
        node = config.get(group)
        if choices.get(attention) == "none" and isinstance(node, DictConfig) and node.get("attention") is not None:
            yield (
                f"{attention}=none: {group}={choices.get(group)} looks at the {what} by attention, and that looks at "
                f"nothing; the controls without attention are {group}=mean, {group}=max and {group}=last"
            )
