"""An Optuna study that was interrupted: the trials that were under way are run again, and its number of trials is kept.

Optuna's storage remembers every finished trial, but a trial whose process was killed stays "running" for ever, and
Hydra's sweeper runs ``n_trials`` more at every start.
"""

import os
import warnings
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, read_write

from attnlab.cli.config.monitors import direction
from attnlab.private.optuna import to_write_to

INTERRUPTED = "interrupted"  # an attribute of a trial that has been put in line again


class Study(Callback):
    """Before a multirun of Optuna's sweeper: put interrupted trials in line again, and count what is left to do.

    Whether it looks for the least or the most follows from the checkpoints' monitor, unless it is said.
    The same parameters make the same job, in the same folder, so it goes on from its last checkpoint. As for
    every study on the disk, one multirun works on it at a time.
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        plain_lines()
        sweeper = config.hydra.sweeper
        if sweeper.get("direction") is None:
            with read_write(config):
                sweeper.direction = direction(config)
        if sweeper.get("storage") is None:
            return
        left = sweeper.n_trials - requeue(str(sweeper.storage), str(sweeper.study_name))
        with read_write(config):
            sweeper.n_trials = max(left, 0)


def plain_lines() -> None:
    """Let Optuna tell what it does as Hydra does, and not in colours of its own, whoever reads them."""
    # The SQLAlchemy that this Optuna needs says at length that there is a newer one.
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    import optuna

    optuna.logging.disable_default_handler()
    optuna.logging.enable_propagation()


def requeue(storage: str, name: str) -> int:
    """Put the interrupted trials of a study in line again; return how many trials are done."""
    import optuna
    from optuna.exceptions import ExperimentalWarning
    from optuna.trial import TrialState

    try:
        study = optuna.load_study(study_name=name, storage=storage)
    except KeyError:  # a new study
        return 0
    done = 0
    for trial in study.get_trials(deepcopy=False):
        if trial.state is TrialState.RUNNING:
            to_write_to(study, trial).set_user_attr(INTERRUPTED, True)
            study.tell(trial.number, state=TrialState.FAIL)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                study.enqueue_trial(trial.params)
        done += trial.state.is_finished() and INTERRUPTED not in trial.user_attrs
    return done
