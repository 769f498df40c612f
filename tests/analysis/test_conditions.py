"""Whether what is compared is all that differs: said of every kind of setting, and not said of what it brings along."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from attnlab.analysis.conditions import unequal
from attnlab.analysis.groups import group
from attnlab.analysis.runs import read_run

TRAINER = {"_target_": "Trainer", "max_epochs": 10}


def told(*folders: Path) -> list[str]:
    return list(unequal(group([read_run(folder) for folder in folders])))


@pytest.fixture
def two(write_run: Any) -> Any:
    """Two runs of other attention, the second with these settings, options and words of its command line."""

    def make(config: dict[str, Any], choices: dict[str, str], words: tuple[str, ...]) -> list[str]:
        base = {"trainer": TRAINER, "decoder": {"_target_": "Luong", "layers": 1}}
        first = write_run("1", "none", config=base, choices={"optimizer": "adam"})
        second = write_run("2", "bahdanau", config=base | config, choices={"optimizer": "adam"} | choices)
        path = second / ".hydra" / "overrides.yaml"
        path.write_text(yaml.safe_dump([*yaml.safe_load(path.read_text("utf-8")), *words]), "utf-8")
        return told(first, second)

    return make


@pytest.mark.parametrize(
    ("config", "choices", "words", "expected"),
    [
        ({"trainer": TRAINER | {"max_epochs": 20}}, {}, (), "trainer.max_epochs 10 (none), 20 (bahdanau)"),
        ({"trainer": TRAINER | {"overfit_batches": 2}}, {}, (), "trainer.overfit_batches unset (none), 2 (bahdanau)"),
        ({"dataset": {"train_size": 500}}, {}, (), "dataset.train_size unset (none), 500 (bahdanau)"),
        ({"data": {"batch_size": 64, "seed": "${seed}"}}, {}, (), "data.batch_size unset (none), 64 (bahdanau)"),
        ({"optimizer": {"lr": 0.1}}, {}, (), "optimizer.lr 0.001 (none), 0.1 (bahdanau)"),
        (
            {"optimizer": {"lr": 0.1, "momentum": 0.9, "_target_": "SGD"}},
            {"optimizer": "sgd"},
            (),
            "optimizer adam (none), sgd (bahdanau); optimizer.lr 0.001 (none), 0.1 (bahdanau)",
        ),
        # A decoder that comes along is of what is compared; one that was asked for is not, nor are its settings.
        ({"decoder": {"_target_": "Bahdanau", "layers": 2}}, {"decoder": "bahdanau"}, (), ""),
        (
            {"decoder": {"_target_": "Cho"}},
            {"decoder": "cho"},
            ("decoder=cho",),
            "decoder luong (none), cho (bahdanau)",
        ),
        ({"decoder": {"_target_": "Luong", "layers": 2}}, {}, (), "decoder.layers 1 (none), 2 (bahdanau)"),
        ({"attention": {"_target_": "b", "width": 3}}, {}, (), ""),
        ({"tags": ["a"], "notes": "b", "logger": {"csv": {}}}, {"logger": "csv"}, (), ""),
        ({"dataset": {"fold": None}}, {}, (), ""),  # a setting that the other version did not have
    ],
)
def test_what_is_said(two: Any, config: Any, choices: Any, words: Any, expected: str) -> None:
    assert two(config, choices, words) == ([f"Not alike but for attention: {expected}."] if expected else [])


def test_what_is_varied_on_purpose_is_compared(write_run: Any) -> None:
    runs = [
        write_run(f"{attention}{rate}", attention, config={"optimizer": {"lr": rate}})
        for attention in ("none", "luong_dot")
        for rate in (0.1, 0.2)
    ]
    assert told(*runs) == []  # the rows are named by both
    assert told(runs[0], runs[3]) == ["Not alike but for attention: optimizer.lr 0.1 (none), 0.2 (luong_dot)."]


def test_one_among_many_is_named(write_run: Any) -> None:
    names = ("none", "luong_dot", "bahdanau", "cosine", "last", "uniform")
    epochs = {"cosine": 3}
    runs = [write_run(name, name, config={"trainer": {"max_epochs": epochs.get(name, 9)}}) for name in names]
    assert told(*runs) == ["Not alike but for attention: trainer.max_epochs 3 (cosine), 9 (the others)."]


def test_a_linear_model_lacks_what_trains_others(write_run: Any) -> None:
    settings = {"optimizer": None, "model": {"_target_": "Linear"}}
    runs = [write_run("a"), write_run("b", "none", config=settings, choices={"optimizer": "null", "model": "linear"})]
    assert told(*runs) == []


def test_other_files_with_the_same_settings(write_run: Any) -> None:
    runs = [write_run(str(seed), seed=seed) for seed in (1, 2)]
    for run, text in zip(runs, ("a", "a"), strict=True):
        (run / "data.json").write_text(json.dumps({"corpus": "parallel", "fingerprint": text}), "utf-8")
    assert told(*runs) == []
    (runs[1] / "data.json").write_text(json.dumps({"corpus": "parallel", "fingerprint": "b"}), "utf-8")
    assert told(*runs) == [
        "Not alike: the data that 1 and 2 were trained on, in spite of the same settings; "
        "have files changed, or versions?"
    ]
