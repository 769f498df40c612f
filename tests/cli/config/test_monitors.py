"""Which way is better: told before data are read, for callbacks, the schedule and Optuna's sweeper alike."""

import pytest
from omegaconf import OmegaConf

from attnlab.cli.config.conflicts import conflicts
from attnlab.cli.config.monitors import direction, monitors
from attnlab.cli.multirun.study import Study
from attnlab.metrics.quantities.chrf import CHRF

CHECKPOINTS = "attnlab.callbacks.checkpoints.Checkpoints"
LIGHTNING = "pytorch_lightning.callbacks.ModelCheckpoint"
OPTUNA = "hydra_plugins.hydra_optuna_sweeper.optuna_sweeper.OptunaSweeper"
SWA = "pytorch_lightning.callbacks.StochasticWeightAveraging"
TASK = "attnlab.tasks.translation.Translation"
OTHER = f"{__name__}.Other"


class Other:
    """A task that is not the laboratory's, as far as the check looks at it."""

    validated = classmethod(lambda kind: (CHRF,))


def found(monitor, mode=None, target=CHECKPOINTS, task=TASK, **hydra):
    node = {"_target_": target, "monitor": monitor} | ({} if mode is None else {"mode": mode})
    config = OmegaConf.create({"callbacks": {"checkpoints": node, "progress": None}, "task": {"_target_": task}})
    return list(monitors(config, OmegaConf.create({"callbacks": {}, **hydra})))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (("val/loss",), []),
        (("val/bleu", "max"), []),
        (("mine", "min"), []),
        (("val/loss", "max"), ["callbacks.checkpoints.mode=max, and of val/loss the lower is the better"]),
        (("mine",), ["callbacks.checkpoints.monitor=mine is no quantity of the laboratory's"]),
        (("val/ter",), ["callbacks.checkpoints.monitor=val/ter: a validation does not measure it; there is val/bleu"]),
        (("test/bleu",), ["callbacks.checkpoints.monitor=test/bleu: a validation does not measure it"]),
        (("val/ter", None, CHECKPOINTS, "mine.Task"), []),  # who may measure it
        (("val/loss", None, CHECKPOINTS, OTHER), ["callbacks.checkpoints.monitor=val/loss: a validation does not "]),
        (("val/chrf", None, CHECKPOINTS, OTHER), []),
        (
            ("val/typo", None, CHECKPOINTS, OTHER),
            [
                "callbacks.checkpoints.monitor=val/typo: a validation does not measure it; there is val/chrf",
            ],
        ),
        (("val/bleu", None, LIGHTNING), ["callbacks.checkpoints.mode=min, and of val/bleu the higher is the better"]),
        (("val/loss", None, LIGHTNING), []),
    ],
)
def test_callbacks(said, told):
    lines = found(*said)
    assert len(lines) == len(told)
    assert all(line.startswith(start) for line, start in zip(lines, told, strict=True))


@pytest.mark.parametrize(
    ("monitor", "sentences", "refused"),
    [
        ("val/bleu", 0, True),
        ("val/bleu", None, False),
        ("val/bleu", 1, False),
        ("val/loss", 0, False),
        ("val/ppl", 0, False),
        ("train/loss", 0, False),
    ],
)
def test_what_is_of_translations_wants_some(monitor, sentences, refused):
    task = {"_target_": TASK, "validation_sentences": sentences}
    for part in ({"callbacks": {"mine": {"_target_": CHECKPOINTS, "monitor": monitor}}},
                 {"scheduler": {"_target_": "attnlab.tasks.schedules.Plateau", "monitor": monitor}}):  # fmt: skip
        lines = list(monitors(OmegaConf.create({"task": task} | part), OmegaConf.create({})))
        assert len(lines) == refused
        assert all("task.validation_sentences=0" in line and "set monitor=val/loss" in line for line in lines)


def test_a_validation_without_translations_is_told_before_it_starts(commands):
    told = commands("train", "task.validation_sentences=0", code=2)
    assert told == (
        "Error: monitor=val/bleu: with task.validation_sentences=0 no validation sentence is translated; expected "
        "val/loss or val/ppl: set monitor=val/loss, or task.validation_sentences to more, or to null (all)\n"
    )


@pytest.mark.parametrize("monitor", ["val/bleu", "val/loss"])
def test_optuna_looks_for_what_the_checkpoints_do(monitor):
    right, wrong = ("maximize", "minimize") if monitor == "val/bleu" else ("minimize", "maximize")
    study = {"callbacks": {"study": {}}}
    for said, more, mistakes in [(right, {}, 0), (wrong, {}, 1), (None, study, 0), (wrong, study, 1)]:
        lines = found(monitor, sweeper={"_target_": OPTUNA, "direction": said}, **more)
        assert len(lines) == mistakes
        assert all(f"hydra.sweeper.direction={wrong}" in line and f"has to be {right}" in line for line in lines)
    assert found(monitor, sweeper={"_target_": "BasicSweeper", "direction": wrong}) == []


def test_a_study_is_told_the_direction():
    for monitor, wanted in (("val/ppl", "minimize"), ("val/bleu", "maximize")):
        config = OmegaConf.create({
            "callbacks": {"checkpoints": {"monitor": monitor, "mode": None}},
            "hydra": {"sweeper": {"direction": None, "storage": None}},
        })  # fmt: skip
        Study().on_multirun_start(config)
        assert config.hydra.sweeper.direction == direction(config) == wanted


def test_told_by_the_command_before_it_starts(commands):
    told = commands("train", "callbacks.checkpoints.monitor=val/loss", "callbacks.checkpoints.mode=max",
                    "callbacks.early_stopping.monitor=mine", "scheduler=plateau", "scheduler.monitor=val/bleu",
                    "scheduler.mode=min", code=2)  # fmt: skip
    assert "3 mistakes" in told
    assert "callbacks.checkpoints.mode=max" in told
    assert "callbacks.early_stopping.monitor=mine" in told
    assert "scheduler.mode=min" in told
    told = commands("train", "scheduler=plateau", "+scheduler.make.mode=max", code=2)
    assert told == (
        "Error: scheduler.make.mode=max, and of val/loss the lower is the better: leave mode out (null), it follows "
        "from monitor\n"
    )
    told = commands("train", "-m", "hydra/sweeper=optuna", "seed=1,2", code=2)
    assert "hydra.sweeper.direction=minimize: a job returns the best val/bleu, so it has to be maximize" in told


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"scheduler": {"monitor": "val/loss"}, "trainer": {"limit_val_batches": 0}}, "nothing is validated"),
        ({"scheduler": {"monitor": "train/loss"}, "trainer": {"limit_val_batches": 0}}, None),
        ({"scheduler": {"monitor": "val/loss"}, "trainer": {"limit_val_batches": 1.0}}, None),
        ({"scheduler": None, "callbacks": {"swa": {"_target_": SWA}}}, None),
        ({"callbacks": {"swa": {"_target_": SWA}, "checkpoints": {"_target_": CHECKPOINTS}}}, "the best checkpoint be"),
        ({"callbacks": {"swa": None, "checkpoints": {"_target_": CHECKPOINTS}}}, None),
    ],
)
def test_what_comes_to_nothing_together(parts, told):
    lines = list(conflicts(OmegaConf.create(parts), {}))
    assert len(lines) == (told is not None)
    assert all(told in line for line in lines)
