"""Optuna's insides.

* ``FrozenTrial._trial_id``: the number of a trial in the storage, by which one that was interrupted is written to.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial, Trial


def to_write_to(study: "Study", trial: "FrozenTrial") -> "Trial":
    """A trial of a study, as one that is under way."""
    from optuna.trial import Trial

    return Trial(study, trial._trial_id)
