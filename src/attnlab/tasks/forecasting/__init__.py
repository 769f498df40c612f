"""Forecasting of series as a task."""

from typing import TYPE_CHECKING, Any

from attnlab.data.series.corpus import require_series
from attnlab.metrics.quantities.coverage_error import COVERAGE_ERROR
from attnlab.metrics.quantities.lag_weight import LAG_WEIGHT
from attnlab.metrics.quantities.mae import MAE
from attnlab.metrics.quantities.mase import MASE
from attnlab.metrics.quantities.pinball import PINBALL
from attnlab.metrics.quantities.rmse import RMSE
from attnlab.tasks.forecasting.prediction import predictor as predictor
from attnlab.tasks.forecasting.rehearsal import rehearse as rehearse

if TYPE_CHECKING:
    from attnlab.tasks.forecasting.task import Forecasting as Forecasting

check_corpus = require_series
VALIDATED = (MAE, RMSE, MASE, PINBALL, COVERAGE_ERROR, LAG_WEIGHT)  #: what a validation measures, and a test


def __getattr__(name: str) -> Any:
    """The task itself when it is asked for: Lightning takes seconds to import, and a rehearsal does without."""
    if name == "Forecasting":
        from attnlab.tasks.forecasting.task import Forecasting

        return Forecasting
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
