"""Parts that are right by themselves and come to nothing together; told before data are read."""

from collections.abc import Iterator

from omegaconf import DictConfig

AVERAGING = "StochasticWeightAveraging"  # Lightning's


def conflicts(config: DictConfig) -> Iterator[str]:
    """Messages; a configuration without mistakes in its values is expected."""
    yield from unwatched(config)
    yield from averages_that_nobody_keeps(config)


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
