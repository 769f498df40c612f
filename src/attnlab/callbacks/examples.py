"""A fixed choice of items that is looked at after every validation."""

from collections.abc import Sequence
from typing import Any

from attnlab.tasks.base import Task


def spread(lengths: Sequence[int], count: int, longest: int | None = None) -> list[int]:
    """Choose ``count`` items by their lengths, spread over these, shortest first.

    The choice depends on the lengths alone, so that it is the same in every epoch, after a resume, and for two runs on
    the same data. What has no length can be measured but not looked at.

    Args:
        lengths: of all items.
        count: how many to choose.
        longest: beyond it an item is chosen only where too few are shorter.
    """
    ordered = sorted((length, number) for number, length in enumerate(lengths) if length > 0)
    short = [number for length, number in ordered if longest is None or length <= longest]
    pool = short if len(short) >= count else [number for _, number in ordered[:count]]
    # The middles of `count` equal parts: the extremes of a corpus are rarely typical.
    parts = min(count, len(pool))
    return [pool[int((part + 0.5) * len(pool) / parts)] for part in range(parts)]


def examples(task: Task[Any], count: int, longest: int | None = None) -> Any:
    """Such a choice of the validation split as one batch, where the model is; None where nothing can be chosen."""
    chosen = spread(task.data.lengths("val")[0].tolist(), count, longest)
    return task.transfer_batch_to_device(task.data.batch("val", chosen), task.device, 0) if chosen else None
