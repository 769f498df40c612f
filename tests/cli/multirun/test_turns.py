"""Jobs that take turns: in which order, what is whose, and what becomes of them when one ends otherwise than well."""

import random
import sys

import numpy as np
import pytest
import torch

from attnlab.cli.multirun.turns import TURNS, Turns, by_turns, callback, end_turn, taking
from attnlab.interruption import LISTENER, Interrupted


def test_order():
    steps = []

    def job(name, turns):
        for number in range(turns):
            steps.append(f"{name}{number}")
            end_turn()
        return name

    found = by_turns([lambda: job("a", 1), lambda: job("b", 3), lambda: job("c", 2)], at_once=2)
    assert found == ["a", "b", "c"]
    assert " ".join(steps) == "a0 b0 c0 b1 c1 b2"


def test_every_job_has_its_own_random_numbers_and_streams():
    def draw(seed, turn):
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)
        sys.stdout = own = object()
        drawn = []
        for _ in range(4):
            drawn.append((random.random(), np.random.rand(), torch.rand(()).item()))  # noqa: NPY002
            turn()
            assert sys.stdout is own
        return drawn

    before = sys.stdout
    torch.manual_seed(7)
    state = torch.get_rng_state()
    found = by_turns([lambda: draw(1, end_turn), lambda: draw(2, end_turn)], at_once=2)
    assert sys.stdout is before
    assert torch.equal(torch.get_rng_state(), state)
    expected = [draw(seed, lambda: None) for seed in (1, 2)]
    sys.stdout = before
    assert found == expected


def test_a_signal_comes_to_all_that_are_under_way():
    ended = []

    def job(name):
        try:
            end_turn()
            if name == "a":
                raise Interrupted(2)
            end_turn()
        finally:
            ended.append(name)

    try:
        with pytest.raises(Interrupted):
            by_turns([lambda: job("a"), lambda: job("b"), lambda: job("c")], at_once=2)
        assert LISTENER.pending == 2
    finally:
        LISTENER.pending = None
    assert ended == ["a", "b"], "the third does not begin"


def test_what_nobody_catches_ends_the_others():
    ended = []

    def waits():
        try:
            end_turn()
        finally:
            ended.append("waits")

    def breaks():
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        by_turns([waits, breaks], at_once=2)
    assert ended == ["waits"]


def test_outside_of_turns_nothing_happens():
    end_turn()
    assert callback() is None
    with taking(Turns(3)):
        assert callback().batches == 3
    assert not TURNS
