"""Two alignments of the same words, one from each direction, made one.

Koehn, Och and Marcu 2003, "Statistical phrase-based translation", section 4.5, and Koehn et al. 2005, "Edinburgh system
description for the 2005 IWSLT speech translation evaluation", section 2.1. Their text leaves open in which order links
are looked at; here it is that of their program and of all later ones: source word by source word, and in it target
word by target word.
"""

from collections.abc import Callable, Iterable, Iterator

Link = tuple[int, int]  #: (source word, target word), 0-based
Links = frozenset[Link]

STRAIGHT = ((-1, 0), (0, -1), (1, 0), (0, 1))
DIAGONAL = (*STRAIGHT, (-1, -1), (-1, 1), (1, -1), (1, 1))


def intersection(forward: Links, backward: Links) -> Links:
    """What both directions link."""
    return forward & backward


def union(forward: Links, backward: Links) -> Links:
    """What either links."""
    return forward | backward


def grow_diag(forward: Links, backward: Links) -> Links:
    """The intersection, and what of the union is beside a link of it, or of what was taken, and has a free word."""
    taken, offered = set(forward & backward), forward | backward
    grown = True
    while grown:
        before = len(taken)
        for link in sorted(offered):  # what is taken on the way is looked at in its turn, too
            if link in taken:
                for new in beside(link, taken, offered):
                    taken.add(new)
        grown = len(taken) > before
    return frozenset(taken)


def beside(link: Link, taken: set[Link], offered: Links) -> Iterator[Link]:
    """What of the offered links lies beside one, and has a free word when its turn comes."""
    for down, right in DIAGONAL:
        new = link[0] + down, link[1] + right
        if new in offered and new not in taken and any(free(new, taken)):
            yield new


def grow_diag_final(forward: Links, backward: Links) -> Links:
    """Then also what either direction links, wherever one of the two words is still free."""
    return finish(grow_diag(forward, backward), (forward, backward), any)


def grow_diag_final_and(forward: Links, backward: Links) -> Links:
    """Then also what either direction links, wherever both words are still free."""
    return finish(grow_diag(forward, backward), (forward, backward), all)


def finish(taken: Iterable[Link], directions: Iterable[Links], which: Callable[[Iterable[bool]], bool]) -> Links:
    found = set(taken)
    for links in directions:
        for link in sorted(links):
            if which(free(link, found)):
                found.add(link)
    return frozenset(found)


def free(link: Link, taken: Iterable[Link]) -> tuple[bool, bool]:
    """Whether the source word, and whether the target word of a link has none yet."""
    return all(source != link[0] for source, _ in taken), all(target != link[1] for _, target in taken)


METHODS: dict[str, Callable[[Links, Links], Links]] = {
    method.__name__: method for method in (intersection, union, grow_diag, grow_diag_final, grow_diag_final_and)
}
