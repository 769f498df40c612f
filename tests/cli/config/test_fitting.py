"""What fits at a glance fits by pydantic, too; and a mistake in a group's option needs neither pydantic nor torch."""

import subprocess
import sys
import typing
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Interval
from hypothesis import given
from hypothesis import strategies as st

from attnlab.cli.commands import compare, evaluate, export, predict, train, translate
from attnlab.cli.config.annotations import COMPONENT, Component, Made, describe
from attnlab.cli.config.fitting import at_once, fits, judged
from attnlab.ranges import FileName, Fraction, PathText, Positive, Probability, Seed

KINDS = [
    PathText, FileName | None, list[PathText], Any, bool, int, float, str, None, str | None,
    Seed, Seed | None, Fraction, Probability, list[str], list[Seed] | str,
    Literal["a", 1, True], Literal[-1] | Seed, tuple[Fraction, Fraction], dict[str, int | None], Component,
    Annotated[Component, Made("torch.nn.modules.module.Module", False)] | None, list[list[Positive]],
    Annotated[int, Interval(gt=1, lt=4)], Annotated[float, Interval(gt=-1, le=2.5)],
]  # fmt: skip
numbers = st.one_of(
    st.integers(), st.floats(allow_subnormal=False), st.integers(-3, 5), st.just(2**53 + 1), st.just(10**400)
)
leaves = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=3), st.just(COMPONENT), st.just("\ud800"))
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner))


@given(values, st.sampled_from(KINDS))
def test_a_glance_accepts_nothing_that_pydantic_refuses(value, kind):
    assert not at_once(value, kind) or judged(value, kind)
    assert fits(value, kind) == judged(value, kind)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(1, float), (0.5, Fraction), (None, str | None), (["a"], list[str]), ([0.9, 0.98], tuple[Fraction, Fraction]),
     (COMPONENT, Component), ({"a": 1}, dict[str, int | None]), ("a", Literal["a", 1]), (True, Any)],
)  # fmt: skip
def test_what_is_plain_needs_no_closer_look(value, kind):
    assert at_once(value, kind)


def test_an_option_that_is_misspelt_is_told_without_what_is_slow_to_import(project_root):
    code = "import sys; from attnlab.cli.commands.train import main\ntry: main()\nfinally: print(sorted(sys.modules))"
    command = [sys.executable, "-c", code, "attention=typo", "optimizer.lr=1e-3"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=project_root)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("Error: attention=typo: no such option")
    slow = {"torch", "pydantic", "pytorch_lightning", "numpy", "wandb", "rich"}
    assert not [name for name in slow if f"'{name}'" in done.stdout]


@pytest.mark.parametrize("command", [compare, evaluate, export, predict, train, translate])
def test_no_path_of_a_command_is_empty(command):
    hints = typing.get_type_hints(command.Options, include_extras=True)
    paths = [name for name, kind in hints.items() if "a path" in describe(kind)]
    assert paths
    for name in paths:
        assert not any(fits(value, hints[name]) for value in ("", "  ", "a\0b", ["a", ""]))
        assert fits("a b/../c", hints[name])


def test_results_of_an_evaluation_take_no_place_of_another_file():
    kind = typing.get_type_hints(evaluate.Options, include_extras=True)["name"]
    assert not any(fits(value, kind) for value in ("../metrics", "a/b", "..", ".", "", ".x", "x ", -1))
    assert all(fits(value, kind) for value in ("beam-10", "ünï", 3))
