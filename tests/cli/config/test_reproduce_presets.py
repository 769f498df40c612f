"""Presets of published tables: each composes, makes the runs that were published, and cites what there is."""

from pathlib import Path

import pytest
from hydra.types import RunMode
from omegaconf import OmegaConf

from attnlab.analysis.paper.citations import entries
from attnlab.cli import folders
from attnlab.cli.app import read_flags
from attnlab.cli.commands.train import Options
from attnlab.cli.config.compose import Composer
from attnlab.cli.config.parsing import parse

CONF = Path(__file__).resolve().parents[3] / "conf"
PRESETS = sorted(path.stem for path in (CONF / "reproduce").glob("*.yaml"))


@pytest.fixture(autouse=True)
def _resolvers(monkeypatch, tmp_path):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    folders.register()


@pytest.mark.parametrize("preset", PRESETS)
def test_what_was_published_is_run(preset):
    arguments = read_flags([f"reproduce={preset}"])
    with Composer("train", arguments, Options) as composer:
        config = composer.compose(arguments.overrides)
        assert config.hydra.mode is RunMode.MULTIRUN
        assert config.sweep_name == preset
        swept = {key: str(value).split(",") for key, value in config.hydra.sweeper.params.items()}
        chosen = dict(config.hydra.runtime.choices)
        for row in config.published.rows:
            assert row["values"]
            for group, option in row.when.items():
                assert option in swept.get(group, [chosen.get(group)]), (group, option)
        jobs = composer.jobs(parse(arguments.overrides)[0])
        assert composer.check_job(jobs[0]).published == config.published
        assert not composer.mistakes
    assert config.published.cite in entries()


def test_both_models_of_bahdanau_2015_have_the_gru_of_the_paper():
    arguments = read_flags(["reproduce=bahdanau_2015_figure_2"])
    with Composer("train", arguments, Options) as composer:
        for job in composer.jobs(parse(arguments.overrides)[0])[::3]:
            config = composer.check_job(job)
            assert (config.encoder.cell, config.decoder.cell) == ("gru_reset_before", "gru_reset_before")
        assert not composer.mistakes


def test_there_are_the_tables():
    assert set(PRESETS) >= {"luong_2015_table_4", "bahdanau_2015_figure_2", "vaswani_2017_table_3_e"}


def test_the_figures_of_luong_2015_agree_with_the_gains_that_it_prints():
    """Table 4: BLEU before, after replacing unknown words, and the gain; of local-p (dot) 18.0, 19.6 and +1.9."""
    rows = OmegaConf.load(CONF / "reproduce" / "luong_2015_table_4.yaml").published.rows
    gains = {
        (row.when.attention, row.when["attention/window"]): round(row["values"][after] - row["values"].bleu, 1)
        for row in rows for after in row["values"] if after.startswith("BLEU")
    }  # fmt: skip
    assert gains == {
        ("luong_location", "all"): 1.2, ("luong_dot", "all"): 1.9, ("luong_general", "all"): 1.8,
        ("luong_general", "local_m"): 1.8, ("luong_dot", "local_p"): 1.6, ("luong_general", "local_p"): 1.9,
    }  # fmt: skip


@pytest.mark.parametrize("wrong", ["3", "{sorce: x}", "{rows: [{whn: {}}]}", "{rows: [{when: 3}]}"])
def test_what_cannot_be_published_is_refused(wrong):
    arguments = read_flags([f"published={wrong}"])
    with Composer("train", arguments, Options) as composer:
        composer.check_job(arguments.overrides)
        assert [text.partition(":")[0] for text in composer.mistakes] == ["published"]
