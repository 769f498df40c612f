"""What runs are called beside one another: by what sets them apart."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from attnlab.cli.viewing.collecting import names_of


def run(name, seed=1, **labels):
    labels = {"attention": "markov", "model": "seq2seq", "encoder": "lstm"} | labels
    return SimpleNamespace(folder=Path(name), name=name, seed=seed, labels=labels, mechanism=labels["attention"])


@pytest.mark.parametrize(
    ("runs", "called"),
    [
        ([run("a"), run("b", attention="bahdanau")], ["markov", "bahdanau"]),
        ([run("a"), run("b", model="latent")], ["markov, seq2seq", "markov, latent"]),
        ([run("a"), run("b", model="latent"), run("c", attention="cosine")],
         ["markov, seq2seq", "markov, latent", "cosine"]),
        ([run("a"), run("b", seed=2)], ["markov, seed 1", "markov, seed 2"]),
        ([run("a"), run("b", seed=2, encoder="gru")], ["markov, lstm", "markov, gru"]),
        ([run("a"), run("b", seed=2), run("c", seed=2, model="latent")],
         ["markov, seq2seq, seed 1", "markov, seq2seq, seed 2", "markov, latent"]),
        ([run("a"), run("b")], ["a", "b"]),
    ],
)  # fmt: skip
def test_runs_are_called_by_what_sets_them_apart(runs, called):
    assert list(names_of(runs).values()) == called
