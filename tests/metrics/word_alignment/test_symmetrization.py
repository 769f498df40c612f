"""One alignment of two directions, against the pseudo-code of the paper and its defining properties."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnlab.metrics.word_alignment.symmetrization import (
    METHODS,
    grow_diag,
    grow_diag_final,
    grow_diag_final_and,
    intersection,
    union,
)

LINKS = st.frozensets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=9)
NEIGHBOURS = ((-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))


def by_the_paper(forward, backward, last):
    """Koehn et al. 2005, figure 1, word by word; ``last`` is OR of GROW-DIAG-FINAL, AND of GROW-DIAG-FINAL-AND."""
    size = 1 + max(itertools.chain([0], *forward, *backward))
    alignment = {link for link in forward if link in backward}

    def aligned(side, word):
        return any(link[side] == word for link in alignment)

    added = True
    while added:
        added = False
        for e in range(size):
            for f in range(size):
                if (e, f) not in alignment:
                    continue
                for de, df in NEIGHBOURS:
                    new = (e + de, f + df)
                    wanted = not aligned(0, new[0]) or not aligned(1, new[1])
                    if new not in alignment and wanted and (new in forward or new in backward):
                        alignment.add(new)
                        added = True
    for direction in (forward, backward) if last else ():
        for e in range(size):
            for f in range(size):
                new = (e, f)
                free = (not aligned(0, e), not aligned(1, f))
                if new in direction and (any(free) if last == "or" else all(free)):
                    alignment.add(new)
    return alignment


@given(LINKS, LINKS)
def test_the_pseudo_code(forward, backward):
    assert grow_diag_final(forward, backward) == by_the_paper(forward, backward, "or")
    assert grow_diag_final_and(forward, backward) == by_the_paper(forward, backward, "and")
    assert grow_diag(forward, backward) >= forward & backward


@given(LINKS, LINKS)
def test_each_lies_between_intersection_and_union(forward, backward):
    less, more = intersection(forward, backward), union(forward, backward)
    found = {name: method(forward, backward) for name, method in METHODS.items()}
    assert all(less <= links <= more for links in found.values())
    assert found["grow_diag"] <= found["grow_diag_final_and"]
    assert found["grow_diag"] <= found["grow_diag_final"]


@pytest.mark.parametrize(
    ("forward", "backward", "expected"),
    [
        # A link beside the diagonal whose source word is free is taken; one whose words are both taken is not.
        ("0-0 1-1 1-2", "0-0 1-1", "0-0 1-1 1-2"),
        ("0-0 1-1 0-1", "0-0 1-1", "0-0 1-1"),
        # Far from any link: only the final step takes it, as both of its words are free.
        ("0-0 3-3", "0-0", "0-0 3-3"),
        ("0-0 3-3", "0-0 3-0", "0-0 3-3"),
        ("", "", ""),
    ],
)
def test_grow_diag_final_and(forward, backward, expected):
    links = [frozenset(tuple(map(int, link.split("-"))) for link in text.split()) for text in (forward, backward)]
    assert " ".join(f"{e}-{f}" for e, f in sorted(grow_diag_final_and(*links))) == expected
