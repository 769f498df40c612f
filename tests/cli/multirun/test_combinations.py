"""Which jobs of a multirun are looked at before the first one starts."""

from attnlab.cli.multirun.combinations import MOST, combinations


def test_every_combination_occurs_once_whatever_the_seeds() -> None:
    jobs = combinations(
        {"a": ["a=1", "a=2"], "seed": ["seed=1", "seed=2", "seed=3"], "b": ["b=1", "b=2"], "c": ["c=0"]}
    )
    without = [tuple(text for text in job if not text.startswith("seed")) for job in jobs]
    assert sorted(without) == [(f"a={a}", f"b={b}", "c=0") for a in (1, 2) for b in (1, 2)]
    assert {text for job in jobs for text in job if text.startswith("seed")} == {"seed=1", "seed=2", "seed=3"}


def test_every_seed_occurs_where_nothing_else_is_swept() -> None:
    assert combinations({"a": ["a=1"], "seed": ["seed=1", "seed=2"]}) == [["a=1", "seed=1"], ["a=1", "seed=2"]]
    assert combinations({}) == [[]]


def test_of_too_many_every_value_occurs() -> None:
    choices = {key: [f"{key}={value}" for value in range(20)] for key in "abc"}
    jobs = combinations(choices)
    assert len(jobs) < MOST
    assert {text for job in jobs for text in job} == {text for values in choices.values() for text in values}
