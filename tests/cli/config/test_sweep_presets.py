"""Every preset of a sweep: each value that it sweeps composes, passes the check and gives a model."""

from pathlib import Path

import pytest
from hydra.types import RunMode

from attnlab.cli import build, folders
from attnlab.cli.app import read_flags
from attnlab.cli.commands.train import Options
from attnlab.cli.config.compose import Composer
from attnlab.cli.config.parsing import parse

PRESETS = sorted(path.stem for path in (Path(__file__).resolve().parents[3] / "conf" / "sweep").glob("*.yaml"))


@pytest.fixture(autouse=True)
def _resolvers(monkeypatch, tmp_path):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    folders.register()


# Values of these are composed by the others and by the tests of each group, too.
LONG = ("all_mechanisms", "encoders_attention", "luong_table", "transformer_ablations")


@pytest.mark.parametrize("preset", [pytest.param(name, marks=[pytest.mark.long] * (name in LONG)) for name in PRESETS])
def test_every_value_can_be_run(preset):
    arguments = read_flags([f"sweep={preset}"])
    with Composer("train", arguments, Options) as composer:
        assert composer.compose(arguments.overrides).hydra.mode is RunMode.MULTIRUN
        for job in composer.jobs(parse(arguments.overrides)[0]):
            config = composer.check_job(job)
            assert config.sweep_name == preset
            build.rehearse(config)
        assert not composer.mistakes


def test_there_are_the_comparisons():
    assert set(PRESETS) >= {
        "attention_types", "bahdanau_figure", "encoders_attention", "luong_table", "transformer_ablations",
        "transformer_positions", "tune", "tutorial",
    }  # fmt: skip


def test_the_command_line_wins():
    arguments = read_flags(["-m", "sweep=attention_types", "attention=none,last", "trainer.max_epochs=9"])
    with Composer("train", arguments, Options) as composer:
        jobs = composer.jobs(parse(arguments.overrides)[0])
        assert {line for job in jobs for line in job if line.startswith("attention=")} == {
            "attention=none",
            "attention=last",
        }
        assert composer.check_job(jobs[0]).trainer.max_epochs == 9
