"""``train.py`` as a user calls it, from a folder that is not the project's."""

import json

import pytest

from attnlab.cli import folders
from attnlab.cli.app import prepared, read_flags
from attnlab.cli.commands.train import COMMAND
from attnlab.cli.weights import load_weights
from attnlab.types import ConfigError

TINY_DATA = ("dataset.train_size=200", "dataset.val_size=20", "dataset.test_size=20")


def test_a_run_leaves_its_files(run):
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    assert metrics["attention"] == "luong_general"
    assert {"test/bleu", "test/ppl", "test/aer", "test_long/bleu", "params", "seed"} <= set(metrics)
    for name in (".hydra/config.yaml", "tokenizer/source.json", "checkpoints/best.ckpt", "test.jsonl", "train.log"):
        assert (run / name).is_file(), name


def test_help_lists_groups_options_and_examples(commands):
    told = commands("train", "--help")
    assert "python train.py attention=bahdanau" in told
    assert "  encoder: convolutional, embedding, gru, lstm, rnn, tcn, transformer" in told
    assert "  monitor=val/bleu: of checkpoints and early stopping" in told
    assert "hydra/" not in told


def test_mistakes_are_told_at_once_and_leave_nothing_behind(commands):
    before = set(commands.root.rglob("*"))
    told = commands("train", "attention=luong_dto", "encoder.hiden_dim=3", "optimizer.lr=fast", code=2)
    assert told.startswith("3 mistakes in the configuration:\n")
    assert set(commands.root.rglob("*")) == before


def test_flags_that_exclude_each_other(commands):
    told = commands("train", "-m", "--cfg", "job", "seed=1,2", code=2)
    assert told == "Error: --multirun and --cfg came together; expected one of them\n"


def test_an_impossible_combination_is_told_before_data_are_read(commands):
    before = set(commands.root.rglob("*"))
    told = commands("train", "decoder=sutskever", "attention=bahdanau", "dataset=multi30k", code=2)
    assert told.count("\n") == 1
    assert "sutskever" in told
    assert set(commands.root.rglob("*")) == before


def test_validations_further_apart_than_an_epoch_is_long(commands, tiny):
    """Only Lightning knows how many batches there are; it tells of it as of a bug."""
    told = commands("train", *tiny, "trainer.val_check_interval=1000000", code=2)
    assert told.count("\n") == 1
    assert told.startswith("Error: trainer.val_check_interval=1000000: an epoch has 2 batches, so no validation would")


def test_a_missing_checkpoint(commands):
    assert "there is no file nowhere.ckpt" in commands("train", "ckpt_path=nowhere.ckpt", code=2)


def test_data_that_are_not_there_are_told_without_a_traceback(commands):
    told = commands(
        "train", "logger=none", "dataset=parallel", "dataset.train=[none.en,none.de]",
        "dataset.source_language=en", "dataset.target_language=de", code=2,
    )  # fmt: skip
    assert "none.en" in told


def test_a_configuration_that_is_shown_is_checked(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    folders.register()
    prepared(COMMAND, read_flags(["--cfg", "job", "encoder.hidden_dim=-3"]))
    assert (
        capsys.readouterr().err
        == "would not run: encoder.hidden_dim: came -3, expected a whole number from 1 to 2^24\n"
    )


def test_a_multirun_of_which_a_job_cannot_work_does_not_begin(commands, run):
    told = commands(
        "train", "-m", "attention=none,luong_dot", "seed=1,2", "trainer=smoke", "logger=none", *TINY_DATA,
        "encoder.hidden_dim=8", "decoder.hidden_dim=20", "model.embedding_dim=8", "sweep_name=never", code=2,
    )  # fmt: skip
    assert "decoder.hidden_dim=16" in told, "what to change is missing"
    assert "(of the job attention=luong_dot seed=2)" in told, "what all jobs have is no news"
    assert not (commands.root / "sweeps" / "never").exists()


def test_a_failing_job_of_a_multirun_does_not_stop_the_others(commands, run):
    told = commands(
        "train", "-m", "data.max_length=1,100", "attention=none", "trainer=smoke", "logger=none", *TINY_DATA,
        "encoder.hidden_dim=8", "decoder.hidden_dim=20", "model.embedding_dim=8", "sweep_name=grid", code=1,
    )  # fmt: skip
    assert "\n1 job failed:\n  " in told
    assert "raise max_length" in told, "what to change is missing"
    sweep = commands.root / "sweeps" / "grid" / "latest"
    (finished,) = sweep.glob("*/finished.json")
    assert json.loads((finished.parent / "metrics.json").read_text("utf-8"))["attention"] == "none"
    assert len(list(sweep.glob("*/.hydra"))) == 2


def test_the_same_numbers_from_fresh_and_from_cached_data(commands, run, tiny):
    commands("train", *tiny, f"hydra.run.dir={commands.root}/again")
    first, again = (
        json.loads((folder / "metrics.json").read_text("utf-8")) for folder in (run, commands.root / "again")
    )
    names = [name for name in first if name.startswith(("val/", "test")) and not name.endswith("per_second")]
    assert names
    assert {name: again[name] for name in names} == {name: first[name] for name in names}


def test_going_on_from_a_run(commands, run, tiny):
    output = commands(
        "train", *tiny, "trainer.max_epochs=2", f"ckpt_path={run}", f"hydra.run.dir={commands.root}/second"
    )
    assert f"files: {commands.root}/second" in output
    metrics = json.loads((commands.root / "second" / "metrics.json").read_text("utf-8"))
    assert metrics["train/epochs"] == 2
    assert metrics["train/steps"] == 4, "two of them are those of the first run"


def test_weights_of_another_model_are_refused(run, make_model):
    with pytest.raises(ConfigError, match="of another model"):
        load_weights(make_model(), run / "checkpoints" / "best.ckpt", run)
