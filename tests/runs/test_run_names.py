"""What a run is called by."""

from attnlab.runs import naming


def test_of_a_task_from_outside() -> None:
    assert naming.mechanism({"attention": "bahdanau", "model": "mine"}) == "bahdanau"
    assert naming.mechanism({"attention": None, "model": "mine"}) == "mine"
    assert naming.mechanism({}) == "none"
