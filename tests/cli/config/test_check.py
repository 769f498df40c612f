"""The configuration check: everything that ships passes it and can be built; every kind of mistake is told."""

from pathlib import Path

import pytest
import torch
import yaml
from omegaconf import OmegaConf

from attnlab.cli import build, folders
from attnlab.cli.app import read_flags
from attnlab.cli.commands.train import Options
from attnlab.cli.config.compose import Composer
from attnlab.cli.errors import MistakesError
from attnlab.cli.tree import print_config
from attnlab.cli.trials import trial
from attnlab.types import ConfigError

CONF = Path(__file__).resolve().parents[3] / "conf"
REQUIRED = {  # what an option cannot be without
    "search/candidates": ["search=mbr"],
    "bridge=last": ["encoder=lstm", "decoder.cell=lstm"],
    "decoder=cho": ["attention=none"],
    "decoder=sutskever": ["attention=none"],
    "bridge=none": ["decoder=transformer"],
    "position": ["encoder=transformer", "decoder=transformer"],
    "self_attention": ["encoder=transformer", "decoder=transformer"],
    "pooling": ["dataset=sst"],
    "model=classifier": ["dataset=sst"],
    "model=linear": ["dataset=sst"],
    "data=classification": ["dataset=sst"],
    "task=classification": ["dataset=sst"],
    "sentence_pooling": ["dataset=movie_reviews"],
    "sentence_encoder": ["dataset=movie_reviews"],
    "model=hierarchical": ["dataset=movie_reviews"],
    "data=documents": ["dataset=movie_reviews"],
    "task=documents": ["dataset=movie_reviews"],
    "dataset=csv_series": ["dataset.targets=[y]"],
    "data=forecasting": ["dataset=taylor"],
    "task=forecasting": ["dataset=taylor"],
    "model=forecaster": ["dataset=taylor"],
    "model=naive": ["dataset=taylor"],
    "model=seasonal_naive": ["dataset=taylor"],
    "model=ridge_lags": ["dataset=taylor"],
    "model=dlinear": ["dataset=taylor"],
    "model=decomposable": ["dataset=sick"],
    "model=word_by_word": ["dataset=sick"],
    "model=siamese": ["dataset=sick"],
    "model=overlap_linear": ["dataset=sick"],
    "data=pairs": ["dataset=sick"],
    "data=rated_pairs": ["dataset=sick", "task=relatedness"],
    "task=entailment": ["dataset=sick"],
    "task=relatedness": ["dataset=sick"],
    "model=ets": ["dataset=taylor"],
    "model=sarimax": ["dataset=taylor"],
}
LEFT_OPEN = {"source_language": "en", "target_language": "de"}  # by presets, as ???; everything else is x
CHOICES = sorted(
    f"{path.parent.relative_to(CONF)}={path.stem}"
    for path in CONF.glob("*/**/*.yaml")
    if path.relative_to(CONF).parts[0]
    not in ("hydra", "sweep", "reproduce")  # multiruns: their tests stand beside this one
)
BUILT = ("attention", "encoder", "decoder", "bridge", "model", "search", "optimizer", "experiment")
BUILT += ("position", "self_attention", "pooling", "sentence_pooling", "sentence_encoder", "task")


@pytest.fixture(autouse=True)
def _resolvers(monkeypatch, tmp_path):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    folders.register()


def composed(*arguments):
    with Composer("train", read_flags(arguments), Options) as composer:
        return composer.check()


def mistakes(*arguments):
    with pytest.raises(MistakesError) as caught:
        composed(*arguments)
    return caught.value.messages


def needed(choice):
    """What has to be said besides: a new option with ``???`` is tested without being named anywhere."""
    group, _, name = choice.partition("=")
    preset = yaml.safe_load((CONF / group / f"{name}.yaml").read_text("utf-8")) or {}
    left_open = [f"{group}.{key}={LEFT_OPEN.get(key, 'x')}" for key, value in preset.items() if value == "???"]
    return [*REQUIRED.get(choice, REQUIRED.get(group, [])), *left_open]


@pytest.mark.parametrize("choice", CHOICES)
def test_every_option_passes_and_can_be_built(choice):
    config = composed(choice, *needed(choice))
    assert config is not None
    if choice == "search=reverse":  # which takes a finished run
        with pytest.raises(Exception, match=r"search\.run is not set: name the run that translates the other way"):
            build.rehearse(config)
    elif choice.partition("=")[0] in BUILT:
        build.rehearse(config)


def test_the_lists_are_not_empty():
    assert {choice.partition("=")[0] for choice in CHOICES} >= {
        "dataset",
        "trainer",
        "attention/window",
        *BUILT,
    }


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("attention=luong_dto", "attention=luong_dto: no such option; did you mean luong_dot"),
        ("encoder.hiden_dim=3", "encoder.hiden_dim: unknown key; did you mean hidden_dim?"),
        ("atention=none", "atention: unknown key; did you mean attention"),
        ("encoder.hidden_dim=4.5", "encoder.hidden_dim: came 4.5, expected a whole number"),
        ("optimizer.lr='3'", "optimizer.lr: came '3', expected a number"),
        ("model.tie=al", "model.tie: came 'al', expected one of none, decoder, all"),
        ("+optimizer.foo=1", "optimizer.foo: Adam has no such setting"),
        (
            "+encoder.hiden_dim=1",
            "encoder.hiden_dim: Recurrent has no such setting; did you mean hidden_dim?",
        ),
        (
            "trainer.overfit_batches=1",
            "trainer.overfit_batches: unknown key; add it with +trainer.overfit_batches=1",
        ),
        ("+paths.rot=x", "paths.rot: unknown key; did you mean root?"),
        ("+sed=1", "sed: unknown key; did you mean seed?"),
        ("seed=x", "seed: came 'x', expected a whole number"),
        ("~seed", "seed: missing"),
        ("~tokenizer", "~tokenizer: tokenizer cannot be left out; there is bpe, char"),
        (
            "attention.window=all",
            "attention.window: came 'all', expected an option of the group attention/window",
        ),
        ("encoder._target_=attnlab.encoders.recurrent.Recurent", "did you mean Recurrent?"),
        ("+callbacks.x=3", "callbacks.x: came 3, expected a component"),
        ("optimizer={lr:x}", "optimizer.lr: came 'x', expected a number"),
        ("search=4", "search=4: no such option; there is beam, greedy, mbr, reverse, sampling"),
        ("seed=[1", "'seed=[1' cannot be read (no viable alternative at input '[1')"),
        ("seed", "'seed' cannot be read (missing EQUAL"),
        ("seed=1,2", "seed: several values need the flag -m"),
        ("attention=none,bahdanau", "attention: several values need the flag -m"),
        ("dataset=huggingface", "dataset.path: a value is required (a path): set dataset.path=…"),
        ("task.search=null", "task.search: came null, expected a component"),
        ("search.max_ratio=${nowhere}", "Interpolation key 'nowhere' not found"),
    ],
)
def test_one_mistake(override, expected):
    assert expected in "\n".join(mistakes(override))


def test_a_value_that_others_refer_to_is_told_of_once():
    assert mistakes("seed=x") == ["seed: came 'x', expected a whole number from 0 to 2^32 - 1"]  # data.seed is ${seed}
    assert len(mistakes("data.seed=x")) == 1


@pytest.mark.parametrize("option", ["position=rotary", "self_attention=scaled_dot"])
def test_a_part_that_nothing_takes_is_a_mistake(option):
    told = mistakes(option)
    assert [text.partition(":")[0] for text in told] == [option]
    assert "encoder=transformer" in told[0]
    for taker in ("encoder=transformer", "decoder=transformer"):
        assert composed(option, taker) is not None
    assert composed("position=none") is not None


@pytest.mark.parametrize(
    ("overrides", "advice"),
    [
        (["attention=coverage", "decoder=transformer"], "Take decoder=bahdanau"),
        (["attention=none", "decoder=transformer"], "Take attention=uniform"),
        (["decoder=transformer", "bridge=learned"], "take bridge=none"),
        (["bridge=none"], "take bridge=learned"),
        (["encoder=convolutional", "position=shaw"], "Take position=learned"),
        (["encoder=transformer", "decoder=transformer", "encoder.layer.heads=5"], "number of heads that divides"),
        (["encoder=transformer", "attention=bahdanau", "self_attention=same", "position=rotary"], "position=t5"),
    ],
)
def test_a_combination_that_cannot_exist_is_refused_with_the_nearest_that_can(overrides, advice):
    with pytest.raises(ConfigError, match=advice):
        build.rehearse(composed(*overrides))


def test_all_mistakes_at_once():
    wrong = [
        "optimizer=adma",
        "encoder.hiden_dim=3",
        "optimizer.lr=x",
        "seed=[",
        "data.batch_size=many",
        "+foo=1",
    ]
    told = mistakes(*wrong)
    assert len(told) == len(wrong)
    for start in (
        "optimizer=adma",
        "encoder.hiden_dim",
        "optimizer.lr",
        "'seed=['",
        "data.batch_size",
        "foo",
    ):
        assert sum(text.startswith(start) for text in told) == 1


def test_a_multirun_is_checked_value_by_value():
    assert composed("-m", "attention=none,bahdanau", "seed=1,2,3", "optimizer.lr=1e-3,1e-2") is None
    told = mistakes("-m", "attention=none,bahdana", "seed=1,x", "optimizer.lr=1e-3,fast")
    assert {text.partition(":")[0] for text in told} >= {"attention=bahdana", "optimizer.lr", "seed"}


def test_settings_of_a_sweep_in_a_file_are_found(tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "grid.yaml").write_text(
        "# @package _global_\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      attention: none,bahdana\n",
        "utf-8",
    )
    told = mistakes("--config-dir", str(tmp_path), "experiment=grid")
    assert len(told) == 1
    assert told[0].startswith("attention=bahdana: no such option; did you mean bahdanau")


def test_a_second_folder_of_configurations(tmp_path):
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "mine.yaml").write_text("defaults: [gru, _self_]\nhidden_dm: 3\n", "utf-8")
    for flags in (["--config-dir", str(tmp_path)], [f"hydra.searchpath=[file://{tmp_path}]"]):
        assert mistakes(*flags, "encoder=mine") == [
            "encoder.hidden_dm: Recurrent has no such setting; did you mean hidden_dim?"
        ]


def test_local_settings_come_last_and_make_no_other_job(tmp_path):
    """conf/local is of this machine: it wins over experiments, and the command line over it."""
    plain = composed("experiment=tutorial")
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "default.yaml").write_text("trainer:\n  max_epochs: 7\n", "utf-8")
    (tmp_path / "local" / "paths.yaml").write_text("data: /data/corpora\n", "utf-8")
    there = ("--config-dir", str(tmp_path), "experiment=tutorial")
    found = composed(*there)
    assert (found.trainer.max_epochs, found.paths.data) == (7, "/data/corpora")
    same = composed(*there, "trainer.max_epochs=10", "tags=[a,b]", "notes=c", "print_config=true", "logger=[wandb,csv]")
    assert plain.trainer.max_epochs == same.trainer.max_epochs == 10
    assert folders.identity(same) == folders.identity(plain) != folders.identity(found)
    assert list(same.logger) == ["wandb", "csv"]
    assert (same.logger.wandb.more_tags, same.logger.wandb.notes) == (["a", "b"], "c")
    assert mistakes("notes=[a]")[0].startswith("notes: came ['a'], expected")


def test_a_mistake_in_local_settings_is_told_with_their_file(tmp_path):
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "default.yaml").write_text("nope: 3\noptimizer:\n  lr: fast\n", "utf-8")
    told = mistakes("--config-dir", str(tmp_path), "encoder.hidden_dim=x")
    assert [line.endswith(" (local/default.yaml, in conf/)") for line in told] == [
        line.startswith(("nope:", "optimizer.lr:")) for line in told
    ]
    assert len(told) == 3
    (typed,) = (line for line in mistakes("--config-dir", str(tmp_path), "optimizer.lr=slow") if "slow" in line)
    assert "local" not in typed


@pytest.mark.parametrize("option", [path.stem for path in (CONF / "debug").glob("*.yaml")])
def test_debug_settings_make_a_trial(option):
    for task in (("experiment=tutorial",), ("dataset=trec", "pooling=last_state")):
        config = composed(f"debug={option}", *task)
        assert trial(config.trainer) is not None
        assert not config.logger.get("wandb")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(("option", "instead"), [("gpu", "trainer=default"), ("ddp", "trainer=ddp_cpu")])
def test_a_gpu_that_is_not_there_is_one_line(option, instead, monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=f"PyTorch finds no GPU here; take {instead}"):
        build.rehearse(composed(f"trainer={option}"))


def test_the_configuration_is_shown_as_a_tree(tmp_path, capsys):
    config = OmegaConf.create({"seed": 3, "optimizer": {"lr": 0.1, "betas": [0.9, "${seed}"], "x": None}})
    print_config(config, tmp_path)
    told = capsys.readouterr().out
    assert [line.rstrip() for line in told.splitlines()] == [
        line.rstrip() for line in (tmp_path / "config_tree.log").read_text("utf-8").splitlines()
    ]
    for line in ("├── seed: 3", "└── optimizer", "├── lr: 0.1", "│   ├── 0: 0.9", "└── 1: 3", "└── x: null"):
        assert line in told


def test_a_companion_gives_way_to_the_command_line():
    decoder = "attnlab.decoders.{}".format
    assert composed("attention=bahdanau").decoder._target_.startswith(decoder("bahdanau"))
    assert composed("attention=bahdanau", "decoder=luong").decoder._target_.startswith(decoder("luong"))
    assert composed("decoder=luong", "attention=bahdanau").decoder._target_.startswith(decoder("luong"))
