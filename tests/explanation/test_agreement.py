"""Whether two runs look at the same."""

import math

import pytest

from attnlab.errors import DataError
from attnlab.explanation.agreement import agreement, by_key


def line(attention, number=0, words="a b c"):
    return {"number": number, "input": words, "positions": words.split(), "rankings": {"attention": attention}}


def test_what_is_alike_and_what_is_not():
    here = line([1, 0, 0])
    assert agreement(here, [by_key([line([1, 0, 0])])]) == (0, pytest.approx(1))
    found = agreement(here, [by_key([line([0, 0.5, 0.5])])])
    assert found.divergence == pytest.approx(math.log(2))
    assert found.tau == pytest.approx(-1)
    both = agreement(here, [by_key([line([1, 0, 0])]), by_key([line([0, 0.5, 0.5])])])
    assert both == (pytest.approx(math.log(2) / 2), pytest.approx(0))
    assert math.isnan(agreement(here, [by_key([line([1 / 3] * 3)])]).tau)


def test_other_instances_are_refused():
    for other in (line([1, 0, 0], number=1), line([1, 0, 0], words="a b d")):
        with pytest.raises(DataError, match="the same items, steps and tokenizer"):
            agreement(line([1, 0, 0]), [by_key([other])])
