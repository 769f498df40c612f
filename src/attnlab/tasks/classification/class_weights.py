"""What a text of each class counts in the loss."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from attnlab.ranges import Positive
from attnlab.types import ConfigError

ClassWeights = Literal["balanced"] | dict[str, Positive] | None


def class_weights(
    asked: ClassWeights, classes: Sequence[str], counts: Int[np.ndarray, " C"]
) -> Float[np.ndarray, " C"] | None:
    """A weight a class; over the training texts they are 1 on average, so that a learning rate keeps its meaning.

    Args:
        asked: ``balanced`` for N / (C n_c), as scikit-learn has it; weights by class, 1 where none is named; or None.
        classes: their names.
        counts: how often each is trained on.

    Raises:
        ConfigError: a class is named that there is not.
    """
    if asked is None:
        return None
    if asked == "balanced":
        weights = np.where(counts > 0, counts.sum() / np.maximum(counts, 1), 0.0)
    else:
        if unknown := sorted(set(asked) - set(classes)):
            raise ConfigError(f"task.class_weights: there is no class {unknown[0]!r}; there is {', '.join(classes)}")
        weights = np.array([float(asked.get(name, 1.0)) for name in classes])
    return weights * counts.sum() / (weights * counts).sum()


def check_class_weights(asked: object) -> None:
    """Raise ConfigError for what can be no weights, before there are data."""
    if asked is None or asked == "balanced":
        return
    fitting = isinstance(asked, Mapping) and all(isinstance(v, int | float) and v > 0 for v in asked.values())
    if not fitting:
        raise ConfigError(
            f"task.class_weights={asked}: expected balanced, null, or a weight above 0 by class, such as {{spam: 3}}"
        )
