"""What settings of the task cannot work with a model, found before data are read."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from attnlab.tasks.classification.class_weights import check_class_weights
from attnlab.types import ConfigError


def rehearse(settings: Mapping[str, Any], model: nn.Module) -> None:
    """Hold the settings of ``conf/task/entailment.yaml`` against a model of a few words.

    Raises:
        ConfigError: they do not go together.
    """
    check_class_weights(settings.get("class_weights"))
    require_pair_model(model, "entailment")


def require_pair_model(model: nn.Module, task: str) -> None:
    """Raise ConfigError for a model of something else than sentence pairs."""
    if not hasattr(model, "reads_overlap"):
        raise ConfigError(
            f"task={task} with a {type(model).__name__}: expected a model of sentence pairs, such as "
            "model=decomposable, word_by_word, siamese or overlap_linear"
        )
