"""Runs that only show whether something runs through: their scores say nothing of a mechanism."""

from collections.abc import Mapping
from typing import Any

PARTS = ("limit_train_batches", "limit_val_batches", "limit_test_batches", "overfit_batches")


def trial(trainer: Mapping[str, Any]) -> str | None:
    """The settings of a trainer that make a trial of a run: ``limit_train_batches=2 limit_val_batches=1``.

    Lightning takes an integer for so many batches, and a float for a part of them; 1.0 is all, and so is null.

    Args:
        trainer: arguments of Lightning's Trainer.

    Returns:
        None for a run proper.
    """
    fast = trainer.get("fast_dev_run")
    found = [f"fast_dev_run={str(fast).lower()}"] if fast else []
    for name in PARTS:
        value = trainer.get(name)
        if value is not None and not isinstance(value, bool) and not whole(name, value):
            found.append(f"{name}={value}")
    return " ".join(found) or None


def whole(name: str, value: Any) -> bool:
    """Whether a run sees all there is: a part of 1.0, and nothing to overfit on."""
    return value == 0 if name == "overfit_batches" else isinstance(value, float) and value >= 1.0
