"""Wrong options are refused with name, value and what was expected; the YAML files fit the classes."""

import importlib
import inspect
import math

import pytest
import yaml

from attnlab.search.base import Search
from attnlab.search.beam import Beam
from attnlab.search.greedy import Greedy
from attnlab.search.options import flag, number, whole
from attnlab.search.sampling import Sampling
from attnlab.types import ConfigError


@pytest.mark.parametrize(
    ("search", "options", "message"),
    [
        (Greedy, {"min_length": -1}, "min_length=-1: expected a whole number, at least 0"),
        (Greedy, {"max_length": 0}, "max_length=0: expected a whole number, at least 1"),
        (Greedy, {"max_ratio": math.nan}, "max_ratio=nan: expected a number, at least 0"),
        (Greedy, {"max_extra": -2}, "max_extra=-2: expected a whole number, at least 0"),
        (Greedy, {"min_length": 9, "max_length": 9}, "min_length=9: expected less than max_length=9"),
        (Beam, {"beam": 0}, "beam=0: expected a whole number, at least 1"),
        (Beam, {"n_best": 0}, "n_best=0: expected a whole number, at least 1"),
        (Beam, {"beam": 3, "n_best": 4}, "n_best=4: expected at most 3"),
        (Beam, {"n_best": 4, "patience": 0.5}, "n_best=4: expected at most 3"),
        (Beam, {"patience": 0.0}, "patience=0.0: expected a number, above 0"),
        (Beam, {"length_penalty": -0.1}, "length_penalty=-0.1: expected a number, at least 0"),
        (Beam, {"coverage_penalty": math.inf}, "coverage_penalty=inf: expected a number, at least 0"),
        (Sampling, {"samples": 0}, "samples=0: expected a whole number, at least 1"),
        (Sampling, {"temperature": 0.0}, "temperature=0.0: expected a number, above 0"),
        (Sampling, {"top_k": 0}, "top_k=0: expected a whole number, at least 1"),
        (Sampling, {"top_p": 0.0}, "top_p=0.0: expected a number, above 0 and at most 1"),
        (Sampling, {"top_p": 1.5}, "top_p=1.5: expected a number, above 0 and at most 1"),
        (Sampling, {"seed": -1}, "seed=-1: expected a whole number, at least 0"),
    ],
)
def test_wrong_values(search, options, message):
    with pytest.raises(ConfigError) as error:
        search(**options)
    assert message in str(error.value)


def test_wrong_types():
    for check, value, message in (
        (lambda: whole("beam", "5", 1), "'5'", "whole number"),
        (lambda: whole("beam", True, 1), "True", "whole number"),
        (lambda: whole("beam", 2.0, 1), "2.0", "whole number"),
        (lambda: number("top_p", "half", 0.0), "'half'", "a number"),
        (lambda: number("top_p", False, 0.0), "False", "a number"),
        (lambda: flag("forbid_unknown", 1), "1", "true or false"),
    ):
        with pytest.raises(ConfigError, match=f"={value}: expected .*{message}"):
            check()
    assert number("length_penalty", 1, 0.0) == 1.0


@pytest.mark.parametrize("name", ["greedy", "beam", "sampling"])
def test_yaml_holds_the_constructors_options_and_defaults(project_root, name):
    values = yaml.safe_load((project_root / "conf" / "search" / f"{name}.yaml").read_text("utf-8"))
    module, _, cls = values.pop("_target_").rpartition(".")
    search = getattr(importlib.import_module(module), cls)
    signature = inspect.signature(search).parameters
    assert values == {option: parameter.default for option, parameter in signature.items()}
    built = search(**values)
    assert isinstance(built, Search)
    assert built.replace_unknown is False
    assert search(replace_unknown=True).replace_unknown is True
