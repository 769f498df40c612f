"""Classification of texts as a task."""

from typing import TYPE_CHECKING, Any

from attnlab.data.labelled.corpus import require_labelled
from attnlab.metrics.quantities.accuracy import ACCURACY
from attnlab.metrics.quantities.calibration_error import CALIBRATION_ERROR
from attnlab.metrics.quantities.macro_f1 import MACRO_F1
from attnlab.metrics.quantities.nll import NLL
from attnlab.tasks.classification.prediction import predictor as predictor
from attnlab.tasks.classification.rehearsal import rehearse as rehearse

if TYPE_CHECKING:
    from attnlab.tasks.classification.task import Classification as Classification

check_corpus = require_labelled
VALIDATED = (ACCURACY, MACRO_F1, NLL, CALIBRATION_ERROR)  #: what a validation measures, and a test


def __getattr__(name: str) -> Any:
    """The task itself when it is asked for: Lightning takes seconds to import, and a rehearsal does without."""
    if name == "Classification":
        from attnlab.tasks.classification.task import Classification

        return Classification
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
