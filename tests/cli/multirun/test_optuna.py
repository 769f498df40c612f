"""An Optuna study lives on the disk: it goes on after a restart, its interrupted trials included."""

import json

import optuna
import pytest
import yaml
from omegaconf import OmegaConf

from attnlab.cli.multirun.study import Study, requeue

pytestmark = pytest.mark.long


@pytest.fixture
def interrupted(tmp_path):
    """Two finished trials, and one whose process is gone."""
    storage = f"sqlite:///{tmp_path}/optuna.db"
    study = optuna.create_study(study_name="tune", storage=storage, direction="maximize")
    for value in (0.1, 0.2):
        study.tell(study.ask(), value)
    trial = study.ask()
    lr = trial.suggest_float("optimizer.lr", 1e-4, 1e-2, log=True)
    return storage, lr


def test_an_interrupted_trial_is_run_again(interrupted):
    storage, lr = interrupted
    assert requeue(storage, "tune") == 2
    study = optuna.load_study(study_name="tune", storage=storage)
    trial = study.ask()
    assert trial.suggest_float("optimizer.lr", 1e-4, 1e-2, log=True) == lr, "the same number, so the same job"
    study.tell(trial, 0.3)
    assert requeue(storage, "tune") == 3
    assert study.ask().suggest_float("optimizer.lr", 1e-4, 1e-2, log=True) != lr


def test_a_trial_that_failed_counts(interrupted):
    storage, _ = interrupted
    study = optuna.load_study(study_name="tune", storage=storage)
    study.tell(study.ask(), state=optuna.trial.TrialState.FAIL)
    assert requeue(storage, "tune") == 3


def test_trials_that_are_left(interrupted, tmp_path):
    storage, _ = interrupted
    for name, left in (("tune", 3), ("new", 5)):
        config = OmegaConf.create(
            {"hydra": {"sweeper": {"storage": storage, "study_name": name, "n_trials": 5}}}, flags={"readonly": True}
        )
        Study().on_multirun_start(config)
        assert config.hydra.sweeper.n_trials == left


def test_a_study_goes_on(commands, tiny):
    commands("train", "sweep=tune", "hydra.sweeper.n_trials=1", *tiny)
    sweep = commands.root / "sweeps" / "tune" / "latest"
    (first,) = sweep.glob("*/finished.json")
    commands("train", "sweep=tune", "hydra.sweeper.n_trials=2", "resume=latest", *tiny)
    scores = [json.loads(path.read_text("utf-8"))["score"] for path in sweep.glob("*/finished.json")]
    assert len(scores) == 2
    best_job = max(sweep.glob("*/finished.json"), key=lambda path: json.loads(path.read_text("utf-8"))["score"]).parent
    assert f"best (val/bleu): {best_job.resolve()}" in commands.printed
    assert "\x1b" not in commands.printed
    best = yaml.safe_load((sweep / "optimization_results.yaml").read_text("utf-8"))
    assert best["best_value"] == max(scores)
    assert first.is_file()
