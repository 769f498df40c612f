"""Folders of earlier versions."""

import pytest

from attnlab.runs.legacy import with_new_names


@pytest.mark.parametrize(("old", "new"), [
    ("attnlab.attention.luong_dot.LuongDot", "attnlab.attention.scores.luong_dot.LuongDot"),
    ("attnlab.attention.bahdanau_normed.BahdanauNormed", "attnlab.attention.scores.bahdanau_normed.BahdanauNormed"),
    ("attnlab.data.grammar.Grammar", "attnlab.data.corpora.grammar.corpus.Grammar"),
    ("attnlab.data.iwslt14.Iwslt14", "attnlab.data.corpora.iwslt14.Iwslt14"),
    ("attnlab.cli.job_return.ScoreOnly", "attnlab.cli.multirun.job_return.ScoreOnly"),
    ("attnlab.tasks.teacher_forcing.TeacherForcing", "attnlab.tasks.translation.teacher_forcing.TeacherForcing"),
    ("attnlab.callbacks.sample_translations.SampleTranslations", "attnlab.callbacks.samples.Samples"),
])  # fmt: skip
def test_a_recorded_configuration_gets_the_new_names(old: str, new: str) -> None:
    config = {"task": {"a": {"_target_": old, "b": [1, {"_target_": old}]}, "old": "old"}}
    assert with_new_names(config) == {"task": {"a": {"_target_": new, "b": [1, {"_target_": new}]}, "old": "old"}}


def test_what_is_monitored_stands_at_the_root() -> None:
    old = {"callbacks": {"checkpoints": {"monitor": "val/loss"}, "early_stopping": {"monitor": "val/bleu"}, "x": None}}
    assert with_new_names(old) == {
        "monitor": "val/loss",
        "callbacks": {"checkpoints": {"monitor": "${monitor}"}, "early_stopping": {"monitor": "val/bleu"}, "x": None},
    }
    new = {"monitor": "val/bleu", "callbacks": {"checkpoints": {"monitor": "val/loss"}}}
    assert with_new_names(new) == new
