"""Jobs are named after what varies among them, seed included."""

import pytest

from attnlab.cli.multirun.naming import apart, label, more, name

JOB = ["attention=none", "+optimizer.eps=1e-8", "seed=2", "trainer=smoke", "sweep=all_mechanisms"]


def test_what_is_constant_is_left_out():
    settings = apart(JOB, ["seed", "attention"])
    assert label(settings) == "seed=2 attention=none"
    assert name(settings, 2) == "none_seed-2"
    assert name(apart(JOB, []), 1) == "seed-1", "the seed is in every name"
    assert label(apart(JOB, None)) == "attention=none optimizer.eps=1e-8 seed=2 trainer=smoke"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"position": "none", "encoder": "gru"}, "position-none_encoder-gru_seed-1"),
        ({"attention": "bahdanau", "attention/normalizer": "entmax"}, "bahdanau_normalizer-entmax_seed-1"),
        ({"attention/window@self_attention.window": "local_m"}, "window-local_m_seed-1"),
        (
            {"encoder.hidden_dim": "8", "decoder.hidden_dim": "16"},
            "encoder.hidden_dim-8_decoder.hidden_dim-16_seed-1",
        ),
        ({"optimizer.lr": "0.0012345678901"}, "lr-0.001235_seed-1"),  # as Optuna draws them
        ({"optimizer.lr": "1e-05", "a.b": "-1", "c": "-0.123456789"}, "lr-1e-05_b--1_c--0.1235_seed-1"),
        ({"dataset.train": "[/a/long/way/my.en,/a/long/way/my.de]"}, "train-my.en-my.de_seed-1"),
        ({"optimizer.betas": "[0.9,0.99]"}, "betas-0.9-0.99_seed-1"),
        ({"data.text": "'" + "word " * 20 + "'"}, "text-word-word-word-word-wor_seed-1"),
    ],
)
def test_names_can_be_guessed(settings, expected):
    assert name(settings, 1) == expected


def test_what_a_run_in_wandb_is_called_by_besides():
    assert more({"dataset": "trec", "attention": "none", "encoder": "gru", "seed": "2"}) == "_encoder-gru"
    assert more({"attention": "none", "seed": "2"}) == more({}) == ""


def test_a_long_name_is_cut_before_its_seed():
    found = name({f"group.key_{number}": "value" for number in range(20)}, 12)
    assert found.endswith("_seed-12")
    assert len(found) <= 70
    assert not set(name({"a": "x=/ ,[]+~'\"y"}, 1)) & set("=/ ,[]+~'\"")
