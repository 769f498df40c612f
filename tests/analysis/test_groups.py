"""Runs that differ in their seed only are one configuration, named by what tells it from the others."""

import os
from typing import Any

from attnlab.analysis.groups import Grouping, group
from attnlab.analysis.runs import read_run


def grouped(*folders: Any) -> Grouping:
    return group([read_run(folder) for folder in folders])


def members(found: Grouping) -> dict[str, tuple[int | None, ...]]:
    return {item.name: item.seeds for item in found.configurations}


def test_seeds_are_put_together_and_sorted(write_run: Any) -> None:
    runs = [write_run(f"{a}{s}", attention=a, seed=s) for s in (2, 1) for a in ("none", "luong_dot")]
    found = grouped(*runs)
    assert members(found) == {"none": (1, 2), "luong_dot": (1, 2)}
    assert {d.key: d.values for d in found.differences} == {
        "attention": {"none": "none", "luong_dot": "luong_dot"},
        "attention._target_": {"none": "attnlab.attention.none", "luong_dot": "attnlab.attention.scores.luong_dot"},
    }
    assert [item.key for item in found.in_short] == ["attention"]


def test_named_by_as_little_as_tells_them_apart(write_run: Any) -> None:
    decoder = {name: {"decoder": {"_target_": name}} for name in ("Luong", "Bahdanau")}
    runs = [
        write_run("a", "bahdanau", config=decoder["Bahdanau"], choices={"decoder": "bahdanau"}),
        write_run("b", "bahdanau", config=decoder["Luong"]),
        write_run("c", "luong_dot", config=decoder["Luong"]),
    ]
    assert list(members(grouped(*runs))) == [
        "bahdanau decoder=bahdanau",
        "bahdanau decoder=luong",
        "luong_dot decoder=luong",
    ]
    assert list(members(grouped(runs[0], runs[2]))) == ["bahdanau", "luong_dot"]


def test_named_by_values(write_run: Any) -> None:
    rates = (0.1, 0.003)
    runs = [write_run(str(rate), config={"optimizer": {"lr": rate, "betas": [rate, 1]}}) for rate in rates]
    found = grouped(*runs)
    assert list(members(found)) == ["optimizer.betas=[0.1, 1]", "optimizer.betas=[0.003, 1]"]
    for run, rate in zip(runs, rates, strict=True):  # what the command line named comes first
        (run / ".hydra" / "overrides.yaml").write_text(f"- optimizer.lr={rate}\n", "utf-8")
    assert list(members(grouped(*runs))) == ["optimizer.lr=0.1", "optimizer.lr=0.003"]


def test_one_configuration_is_named_by_its_attention(write_run: Any) -> None:
    found = grouped(write_run("a", seed=1), write_run("b", seed=2))
    assert members(found) == {"luong_dot": (1, 2)}
    assert found.differences == ()


def test_what_only_watches_does_not_matter(write_run: Any) -> None:
    watching = {
        "logger": {"csv": {}},
        "tags": ["a"],
        "notes": "b",
        "compare_after": True,
        "callbacks": {"progress": None},
        "trainer": {"log_every_n_steps": 3},
    }
    found = grouped(write_run("a", seed=1), write_run("b", seed=2, config=watching))
    assert members(found) == {"luong_dot": (1, 2)}
    averaged = {"callbacks": {"weight_average": {"decay": 0.9}}}
    assert len(grouped(write_run("c"), write_run("d", config=averaged)).configurations) == 2


def test_a_run_says_which_of_its_callbacks_only_watch(write_run: Any) -> None:
    rates = {"callbacks": {"rates": {"_target_": "pytorch_lightning.callbacks.LearningRateMonitor"}}}
    said = {"watching": "history,rates"}
    runs = [
        write_run("without", seed=1, metrics={"watching": ""}),
        write_run("with", seed=2, config=rates, metrics=said),
        write_run("off", seed=3, config={"callbacks": {"rates": None}}, metrics={"watching": "history"}),
        write_run("old", seed=4, config={"callbacks": {"history": {"path": "x"}}}),
    ]
    assert members(grouped(*runs)) == {"luong_dot": (1, 2, 3, 4)}
    unsaid = write_run("unsaid", seed=5, config=rates, metrics={"watching": "history"})
    assert len(grouped(*runs, unsaid).configurations) == 2
    averaged = {"callbacks": {"weight_average": {"decay": 0.9}}}
    assert len(grouped(*runs, write_run("e", seed=6, config=averaged, metrics=said)).configurations) == 2


def test_a_seed_run_twice_counts_once(write_run: Any) -> None:
    old, new, other = write_run("old"), write_run("new"), write_run("other", seed=2)
    os.utime(old / "metrics.json", (1, 1))
    found = grouped(new, old, other)
    assert [run.name for run in found.configurations[0].runs] == ["new", "other"]
    (line,) = found.repeated
    assert line == f"{old}: same configuration and seed as {new}, which is newer"


def classified(write_run: Any, name: str, **settings: Any) -> Any:
    """A run of a task with poolings; what a linear one lacks is null."""
    linear = settings.get("features")
    own = {
        "optimizer": None if linear else {"_target_": "AdamW", "lr": settings.get("lr", 0.1)},
        "model": {"_target_": "x.Linear", "features": linear}
        if linear
        else {"_target_": "x.Classifier", "dropout": 0.5},
        "data": {"ngrams": None if linear else {"_target_": "x.Ngrams", "buckets": settings.get("buckets", 9)}},
        "trainer": {"max_epochs": settings.get("epochs", 4)},
    }
    pooling = settings.get("pooling")
    if pooling:
        own["pooling"] = {"_target_": f"x.{pooling}", "looks": 4}
    choices = {"model": "linear" if linear else "classifier", "decoder": None, "pooling": pooling}
    choices["optimizer"] = None if linear else "adamw"
    return write_run(name, "none", config=own, choices=choices)


def differences_of(found: Grouping) -> dict[str, set[str]]:
    return {item.key: set(item.values.values()) for item in found.in_short}


def test_a_part_that_is_another_one_is_told_once(write_run: Any) -> None:
    runs = [classified(write_run, name, pooling=name) for name in ("mean", "max")]
    found = grouped(*runs, classified(write_run, "linear", features="nb"))
    assert list(members(found)) == ["pooling=mean", "pooling=max", "model=linear"]
    assert list(differences_of(found)) == ["pooling", "model", "optimizer", "data.ngrams"]
    assert differences_of(found)["data.ngrams"] == {"Ngrams", "null"}
    assert differences_of(found)["optimizer"] == {"adamw", "-"}


def test_what_else_was_set_is_told_within_a_part_too(write_run: Any) -> None:
    runs = [classified(write_run, name, pooling=name) for name in ("mean", "max")]
    slow = classified(write_run, "slow", pooling="max", lr=0.5, epochs=9)
    found = grouped(*runs, slow, classified(write_run, "linear", features="nb"))
    assert {"optimizer.lr", "trainer.max_epochs"} <= differences_of(found).keys()  # in runs with the same optimizer
    assert "model.dropout" not in differences_of(found)
    (slow / ".hydra" / "overrides.yaml").write_text("- optimizer.lr=0.5\n", "utf-8")
    alone = grouped(slow, classified(write_run, "another", features="nb"))
    assert "optimizer.lr" in differences_of(alone)  # the command line named it


def test_linear_models_are_told_apart(write_run: Any) -> None:
    runs = [classified(write_run, name, features=name) for name in ("nb", "tfidf")]
    assert list(members(grouped(*runs))) == ["model.features=nb", "model.features=tfidf"]
    with_mean = grouped(*runs, classified(write_run, "mean", pooling="mean"))
    assert list(members(with_mean)) == [
        "model=linear model.features=nb",
        "model=linear model.features=tfidf",
        "pooling=mean",
    ]
    assert list(members(grouped(runs[0]))) == ["linear"]
