"""What a run is called by."""

import doctest

from attnlab.runs import naming


def test_examples() -> None:
    found = doctest.testmod(naming)
    assert found.attempted == 7
    assert found.failed == 0


def test_of_a_task_from_outside() -> None:
    assert naming.mechanism({"attention": "bahdanau", "model": "mine"}) == "bahdanau"
    assert naming.mechanism({"attention": None, "model": "mine"}) == "mine"
    assert naming.mechanism({}) == "none"
