"""Words that people try first: each is answered with something that is there."""

import re

import pytest

from attnlab.cli import app, folders
from attnlab.cli.commands.train import Options
from attnlab.cli.config.compose import Composer
from attnlab.cli.config.places import names_at
from attnlab.cli.config.words import INSTEAD, OPTIONAL, OPTIONS, SETTINGS, elsewhere, meant, option
from attnlab.cli.errors import MistakesError

WRITTEN = re.compile(r"([\w/.]+)=([\w.]+)")


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    folders.register()


def answer(line):
    with Composer("train", app.read_flags(line.split()), Options) as composer, pytest.raises(MistakesError) as told:
        composer.check()
    return told.value.messages


@pytest.fixture(scope="module")
def composed():
    """The default run and a classification, and the groups."""
    folders.register()
    found = []
    for line in ([], ["dataset=sst", "tokenizer=bpe"]):
        with Composer("train", app.read_flags(line), Options) as composer:
            found.append(composer.compose(line))
            groups = {group: set(composer.groups.options(group)) for group in composer.groups.all}
    return found, groups


@pytest.mark.parametrize("group", OPTIONS)
def test_an_answer_names_options_that_there_are_and_no_word_is_one(group, composed):
    _, groups = composed
    for word, text in OPTIONS[group].items():
        assert word not in groups[group], f"{group}={word} is an option"
        chosen = WRITTEN.findall(text)
        assert chosen, text
        assert all(value in groups[key] for key, value in chosen if key in groups), text


def test_a_word_that_is_answered_is_no_name_of_a_setting(composed):
    configs, _ = composed
    assert not any(set(INSTEAD) & set(map(str, config)) for config in configs)
    assert not set(SETTINGS) & set(INSTEAD)


@pytest.mark.parametrize("word", SETTINGS)
def test_a_setting_stands_where_the_answer_says(word, composed):
    configs, _ = composed
    texts = [text for config in configs if (text := elsewhere(config, word, "7"))]
    assert texts, f"nothing has {SETTINGS[word]}"
    for config in configs:
        for place, value in re.findall(r"([\w.]+)=(\w+)", elsewhere(config, word, "7") or ""):
            parent, _, name = place.rpartition(".")
            assert SETTINGS[word] not in OPTIONAL or value
            assert value != "7" or SETTINGS[word] in OPTIONAL or name in names_at(config, parent)


@pytest.mark.parametrize(
    ("line", "expected"),
    {
        "attention=local": "attention=local: no such option; write attention=luong_local_p",
        "attention=Dot": "attention=Dot: no such option; write attention=luong_dot",
        "attention=additive": "attention=additive: no such option; write attention=bahdanau",
        "attention=multiplicative": "attention=multiplicative: no such option; write attention=luong_general",
        "attention=self": "attention=self: no such option; write attention=multi_head",
        "attention=transformer": "attention=transformer: no such option; write attention=multi_head",
        "-m attention=local,none": "attention=local: no such option; write attention=luong_local_p",
        "debug=true": "debug=True: no such option; write debug=default",
        "lr=0.1": "lr: unknown key; write optimizer.lr=0.1",
        "learning_rate=0.1": "learning_rate: unknown key; write optimizer.lr=0.1",
        "optimizer.learning_rate=0.1": "optimizer.learning_rate: unknown key; did you mean lr?",
        "+optimizer.learning_rate=0.1": "optimizer.learning_rate: Adam has no such setting; did you mean lr?",
        "batch_size=3": "batch_size: unknown key; write data.batch_size=3",
        "epochs=3": "epochs: unknown key; write trainer.max_epochs=3",
        "trainer.epochs=3": "trainer.epochs: unknown key; did you mean max_epochs?",
        "dropout=0.2": "dropout: unknown key; write model.dropout=0.2 or encoder.dropout=0.2",
        "beam_size=4": "beam_size: unknown key; write search=beam search.beam=4",
        "search=beam beam_size=4": "beam_size: unknown key; write search.beam=4",
        "gpus=2": "gpus: unknown key; write trainer=gpu trainer.devices=2",
        "random_seed=2": "random_seed: unknown key; write seed=2",
        "window=local_m": "window: unknown key; write attention/window=local_m",
        "tags=paper": "tags: came 'paper', expected a list, each text: write tags=[paper]",
        "tags=a,b": "tags: several values need the flag -m (--multirun); a list is written tags=[a,b]",
        "attention.heads=2": "attention.heads: unknown key; write attention=multi_head attention.heads=2",
        "debug=null": "debug=null: null is no option; leave debug out",
        "hparams_search=optuna": "hparams_search: unknown key; write -m sweep=tune",
        "test=false": "test: unknown key; leave it out",
        "logger=False": "logger=False: no such option; write logger=none",
        "monitor=bleu": "monitor=bleu: expected the split with it; write monitor=val/bleu",
    }.items(),
)
def test_on_the_command_line(line, expected):
    (told,) = answer(line)
    assert told.startswith(expected)


def test_what_nobody_knows_is_answered_with_the_names_there_are():
    assert option("attention", "luong_dto", ["luong_dot", "none"]) == "did you mean luong_dot?"
    assert meant("hiden_dim", ["hidden_dim"]) == "did you mean hidden_dim?"
    assert meant("hidden_size", ["units"]) == "there is units"


def test_words_of_the_tutorial_on_translation():
    told = answer("encoder=GRU dataset=eng-fra teacher_forcing_ratio=0.5 dropout_p=0.1 lang1=eng")
    assert told == [
        "encoder=GRU: no such option; did you mean gru?",
        "dataset=eng-fra: no such option; write dataset=tatoeba dataset.source_language=fr dataset.target_language=en",
        "teacher_forcing_ratio: unknown key; write task.teacher_forcing.probability=0.5",
        "dropout_p: unknown key; write model.dropout=0.1",
        "lang1: unknown key; write dataset.source_language=eng, of two letters",
    ]
