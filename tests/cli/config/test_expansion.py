"""What a configuration stands for is bounded before it is resolved; what a file is that has no keys is told."""

import pytest
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf

from attnlab.cli.config.expansion import Expansion, References, check_expansion


def chain(levels, text="${a.b%d}${a.b%d}"):
    return {"a": {"b0": "x", **{f"b{i}": text.replace("%d", str(i - 1)) for i in range(1, levels)}}}


LONG = {"a": dict(reversed(chain(70, "${a.b%d}")["a"].items()))}


@pytest.mark.parametrize(
    "config",
    [chain(30), chain(30, "${.b%d}${.b%d}"), chain(30, "${oc.select:a.b%d,${a.b%d}}"), LONG,
     chain(20, "${a[b%d]}${oc.env:HOME,${a.b%d}}"), {"a": "x" * 64_000, "b": ["${a}"] * 40}],
    ids=["absolute", "relative", "resolver", "long", "brackets", "text"],
)  # fmt: skip
def test_a_few_lines_that_stand_for_too_much_are_refused(config):
    with pytest.raises(ConfigCompositionException, match=r"stand for more than 20,000 values, or lead through more"):
        check_expansion(OmegaConf.create(config))


def test_sizes_are_those_of_what_is_written_out():
    config = {
        "a": {"x": 1, "y": "${b}"},
        "b": [1, 2, 3],
        "c": "${a} ${hydra:job.name}",
        "hydra": {"job": {"name": "n"}},
    }
    size = Expansion(config)
    assert size.of(("b",)) == 1 + 3
    assert size.of(("a", "y")) == 1 + 4
    assert size.of(("a",)) == 1 + 1 + 5
    assert size.of(("c",)) == 1 + 7 + 1


def test_circles_and_what_is_not_there_are_left_to_others():
    check_expansion(OmegaConf.create({"a": "${b}", "b": "${a}", "c": "${nothing.there}", "d": "${oc.env:HOME}"}))
    check_expansion(OmegaConf.create(chain(12)))


def test_what_is_behind_a_value():
    config = {"a": "${b.c}/${hydra:x.y}", "b": {"c": "${.d}", "d": 1}, "hydra": {"x": {"y": "${f:${e},1}"}}, "e": 2}
    names = {".".join(place) for place in References(config).behind(("a",))}
    assert names == {"b.c", "b.d", "hydra.x.y", "e"}
    assert References({"a": "${b}", "b": ["${a}"]}).behind(("a",)) == {("a",), ("b",)}  # a circle ends
