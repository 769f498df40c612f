"""What settings of the task cannot work with a model, found before data are read."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from attnlab.tasks.entailment.rehearsal import require_pair_model
from attnlab.types import ConfigError


def rehearse(settings: Mapping[str, Any], model: nn.Module) -> None:
    """Hold the settings of ``conf/task/relatedness.yaml`` against a model of a few words.

    Raises:
        ConfigError: they do not go together.
    """
    require_pair_model(model, "relatedness")
    if settings.get("objective") == "mse" and getattr(model, "fitted_at_once", False):
        raise ConfigError(f"task.objective=mse: a {type(model).__name__} is fitted by objective=kl; leave it out")
