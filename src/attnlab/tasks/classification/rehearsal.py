"""What settings of the task cannot work with a model, found before data are read."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from attnlab.tasks.classification.class_weights import check_class_weights
from attnlab.types import ConfigError


def rehearse(settings: Mapping[str, Any], model: nn.Module) -> None:
    """Hold the settings of ``conf/task/classification.yaml`` against a model of a few words.

    Raises:
        ConfigError: they do not go together.
    """
    check_class_weights(settings.get("class_weights"))
    if not hasattr(model, "losses"):
        raise ConfigError(
            f"task=classification with a {type(model).__name__}: expected a model of texts and classes, such as "
            "model=classifier or model=linear"
        )
