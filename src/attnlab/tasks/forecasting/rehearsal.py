"""What settings of the task cannot work with a model, found before data are read."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from attnlab.models.forecast import ForecastModel
from attnlab.types import ConfigError


def rehearse(settings: Mapping[str, Any], model: nn.Module) -> None:
    """Hold the settings of ``conf/task/forecasting.yaml`` against a model of a short horizon.

    Raises:
        ConfigError: they do not go together.
    """
    if not isinstance(model, ForecastModel):
        raise ConfigError(
            f"task=forecasting with a {type(model).__name__}: expected a model of series, such as model=forecaster or "
            "model=ridge_lags"
        )
