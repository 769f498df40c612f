"""Folders of earlier versions."""

from hydra.utils import get_object

from attnlab.runs.legacy import TARGETS, with_new_names


def test_what_has_moved_is_there() -> None:
    for target in TARGETS.values():
        assert get_object(target).__module__ == target.rpartition(".")[0]


def test_a_recorded_configuration_gets_the_new_names() -> None:
    (old, new), *_ = TARGETS.items()
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
