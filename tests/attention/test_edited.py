"""Links changed by hand, against loops over numbers."""

import pytest
import torch

from attnlab.attention.edited import ByCall, ByRow, Changes, InOrder, Marked, changed
from attnlab.types import ConfigError


def by_loops(weights, mask, forbidden, forced):
    """One row."""
    if any(forced):
        return [1 / sum(forced) if one else 0.0 for one in forced]
    left = sum(weight for weight, out in zip(weights, forbidden, strict=True) if not out)
    free = sum(real and not out for real, out in zip(mask, forbidden, strict=True))
    found = []
    for weight, real, out in zip(weights, mask, forbidden, strict=True):
        if out or not real:
            found.append(0.0)
        elif left > 0:
            found.append(weight * sum(weights) / left)
        else:
            found.append(sum(weights) / free)
    return found


def test_changed_weights_are_those_of_loops():
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]).bool()
    weights = torch.rand(2, 6, 4, dtype=torch.float64) * mask.unsqueeze(1)
    weights[:, 4] = torch.tensor([0.0, 0.9, 0.0, 0.0])  # all of it on one word: nothing is left where that is forbidden
    weights[:, 5] = 0
    forbidden = torch.rand(2, 6, 4) < 0.4
    forbidden[:, :, 2] = False
    forbidden[:, 4, 1] = True
    forced = torch.rand(2, 6, 4) < 0.2
    forced[:, 3:] = False
    forced &= mask.unsqueeze(1)
    found = changed(weights, mask, Marked(forbidden, forced))
    for b in range(2):
        for t in range(6):
            row = by_loops(*(part[b, t].tolist() for part in (weights,)), mask[b].tolist(), forbidden[b, t].tolist(),
                           forced[b, t].tolist())  # fmt: skip
            assert found[b, t].tolist() == pytest.approx(row)


def test_what_is_not_changed_stays_to_the_last_bit():
    weights = torch.rand(2, 3, 4).softmax(-1)
    nothing = torch.zeros(1, 1, 4).bool()
    assert torch.equal(changed(weights, torch.ones(2, 4).bool(), Marked(nothing, nothing)), weights)


CHANGES = Changes(frozenset({(None, 0), (2, 1)}), frozenset({(1, 3)}))
FORBIDDEN = [[1, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0]]
FORCED = [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]


def told(marked):
    return [part[0].int().tolist() for part in marked]


def test_every_call_of_a_search_is_a_step_and_rows_are_counted():
    by_call = ByCall(CHANGES, 4)
    assert [told(by_call(5)) for _ in range(4)] == [
        [[FORBIDDEN[t]], [FORCED[t]]] if t < 3 else [[[1, 0, 0, 0]], [[0, 0, 0, 0]]] for t in range(4)
    ]
    by_row = ByRow(CHANGES, 3, 4)
    assert told(by_row(3)) == [FORBIDDEN, FORCED]
    assert [told(by_row(1)) for _ in range(3)] == [[[FORBIDDEN[t]], [FORCED[t]]] for t in range(3)]
    assert told(by_row(2)) == [FORBIDDEN[:2], FORCED[:2]]
    first, second = CHANGES.marked(0, 1, 4), CHANGES.marked(2, 1, 4)
    in_order = InOrder([first, second])
    assert [in_order(1) for _ in range(3)] == [first, second, first]


@pytest.mark.parametrize(
    ("forbidden", "forced", "message"),
    [
        ({(None, 4)}, set(), "no link None, 4 between 3 rows and 4 columns"),
        (set(), {(3, 0)}, "no link 3, 0"),
        (set(), {(-1, 0)}, "no link -1, 0"),
        ({(None, 0), (None, 1), (1, 2), (1, 3)}, set(), "every word is forbidden"),
        ({(None, column) for column in range(4)}, set(), "every word is forbidden"),
    ],
)
def test_links_that_there_are_not(forbidden, forced, message):
    with pytest.raises(ConfigError, match=message):
        Changes(frozenset(forbidden), frozenset(forced)).check(3, 4)
    Changes(frozenset({(9, 0)})).check(None, 4)  # of a translation nobody knows yet how long it is
