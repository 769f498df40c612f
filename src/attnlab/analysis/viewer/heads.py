r"""What heads do, over many items: how far they look, how spread, what they are called by it, how far two are apart.

The mean distance is $\sum_{ts} a_{ts} |s - d_t| / \sum_{ts} a_{ts}$ (Vig and Belinkov 2019, "Analyzing the structure of
attention in a Transformer language model", section 4.2), in columns. $d_t$ is the place of the row itself where rows
and columns are the same words; else that of the diagonal, $t (S-1)/(T-1)$. The entropy of a row is in bits.

A head is named by what it does in at least half of all rows (:data:`NAMED`); of several names it gets the one that is
true of most. Names go by the column with the largest weight, as in Voita et al. 2019, "Analyzing multi-head
self-attention", section 5.1, who ask for nine tenths; ``sink`` by the weight itself.

==========  ============================================================================================
previous    it is the word before the row's own (rows that have one); of two texts: before the diagonal
next        it is the word behind it, likewise
diagonal    it is the row's own word; of two texts: the column nearest to the diagonal
position    it is one and the same column in the rows of an item, neither the first nor the last
sink        the first and the last column together have so much of all weight
induction   it is the word that came after an earlier occurrence of the row's own word (Olsson et al. 2022,
            "In-context learning and induction heads"), of rows whose word has occurred before; these are counted
==========  ============================================================================================

Jensen-Shannon divergence, in bits from 0 to 1: $H(\frac{p+q}{2}) - \frac{H(p)+H(q)}{2}$, the mean over rows. Of signed
weights all this is told by their size.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from attnlab.analysis.viewer.collected import Look

NAMED = 0.5  #: what is true of so large a share of rows gives a head its name
NAMES = ("previous", "next", "diagonal", "position", "sink", "induction")
FEWEST = 20  #: rows that a share is told of


class Heads:
    """Sums over items, by layer and head.

    Args:
        same: whether rows and columns are the same words.
        placed: whether rows and columns have places that can be far apart; else only the entropy is of use.
    """

    def __init__(self, same: bool, placed: bool = True) -> None:
        self.same, self.placed = same, placed
        self.rows = 0
        self.moved: Float[np.ndarray, "L H"] | None = None
        self.mass: Float[np.ndarray, "L H"] | None = None
        self.entropies: Float[np.ndarray, "L H"] | None = None
        self.true: dict[str, Float[np.ndarray, "L H"]] = {}
        self.of: dict[str, int] = dict.fromkeys(NAMES, 0)

    def add(self, look: Look) -> None:
        """Count an item."""
        weights = np.abs(np.asarray(look.weights, np.float64))
        rows, columns = weights.shape[2:]
        self.rows += rows
        self.entropies = added(self.entropies, entropy(weights).sum(2))
        if not self.placed:
            return
        at = np.arange(rows) if self.same else diagonal(rows, columns)
        away = np.abs(np.arange(columns) - at[:, None])
        self.moved = added(self.moved, (weights * away).sum((2, 3)))
        self.mass = added(self.mass, weights.sum((2, 3)))
        self._name(weights, np.rint(at).astype(int))
        if self.same:
            self._behind(weights.argmax(3), followers(look.rows))

    def _name(self, weights: Float[np.ndarray, "L H T S"], near: Int[np.ndarray, " T"]) -> None:
        """Count the rows of an item that each name is true of."""
        rows, columns = weights.shape[2:]
        most = weights.argmax(3)
        for name, step in (("previous", -1), ("next", 1), ("diagonal", 0)):
            self._note(name, most == near + step, (near + step >= 0) & (near + step < columns))
        usual = np.stack([(most == place).sum(2) for place in range(1, columns - 1)] or [most.sum(2) * 0]).max(0)
        self._sum("position", usual.astype(float), rows)
        ends = weights[..., 0] + (weights[..., -1] if columns > 1 else 0)
        self._sum("sink", (ends / total(weights)).sum(2), rows)

    def _behind(self, most: Int[np.ndarray, "L H T"], after: Bool[np.ndarray, "T T"]) -> None:
        places = np.broadcast_to(after, (*most.shape, after.shape[1]))
        hit = np.take_along_axis(places, most[..., None], 3)[..., 0]
        self._note("induction", hit, np.asarray(after.any(1)))

    def _note(self, name: str, hit: Bool[np.ndarray, "L H T"], counted: Bool[np.ndarray, " T"]) -> None:
        self._sum(name, (hit & counted).sum(2).astype(float), int(counted.sum()))

    def _sum(self, name: str, true: Float[np.ndarray, "L H"], of: int) -> None:
        self.true[name] = added(self.true.get(name), true)
        self.of[name] += of

    @property
    def distance(self) -> Float[np.ndarray, "L H"]:
        """The mean distance, in columns."""
        assert self.moved is not None
        assert self.mass is not None
        return self.moved / np.where(self.mass > 0, self.mass, 1.0)

    @property
    def entropy(self) -> Float[np.ndarray, "L H"]:
        """The mean over rows, in bits."""
        assert self.entropies is not None
        return self.entropies / self.rows

    @property
    def shares(self) -> dict[str, Float[np.ndarray, "L H"]]:
        """Of how many rows each name is true, by layer and head; of names that there were enough rows for."""
        return {name: true / self.of[name] for name, true in self.true.items() if self.of[name] >= FEWEST}

    def names(self) -> list[list[str]]:
        """What each head is called; empty of one that no name is true of."""
        shares = self.shares
        if not shares:
            return []
        stacked = np.stack(list(shares.values()))
        best, share = stacked.argmax(0), stacked.max(0)
        return [
            [list(shares)[best[layer, head]] if share[layer, head] >= NAMED else "" for head in range(best.shape[1])]
            for layer in range(best.shape[0])
        ]


def total(weights: Float[np.ndarray, "*N S"]) -> Float[np.ndarray, "*N"]:
    """Of each row, and never 0: a row may look nowhere."""
    found: np.ndarray = weights.sum(-1)
    return np.where(found > 0, found, 1.0)


def entropy(weights: Float[np.ndarray, "*N S"]) -> Float[np.ndarray, "*N"]:
    """Of each row, in bits, its weights taken as shares of their sum."""
    shares = weights / total(weights)[..., None]
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    found: np.ndarray = -(shares * logs).sum(-1)
    return found


def divergence(a: Look, b: Look) -> Float[np.ndarray, "L H"] | None:
    """Jensen-Shannon, by layer and head, summed over rows; None of looks whose words or heads are not the same ones.

    One without heads is held against every head of the other.
    """
    if tuple(a.rows) != tuple(b.rows) or tuple(a.columns) != tuple(b.columns):
        return None
    p, q = (np.abs(np.asarray(look.weights, np.float64)) for look in (a, b))
    if any(one != other and 1 not in (one, other) for one, other in zip(p.shape[:2], q.shape[:2], strict=True)):
        return None
    p, q = (one / total(one)[..., None] for one in (p, q))
    found: np.ndarray = (entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2).sum(2)
    return found.clip(min=0)


def apart(pairs: Iterable[tuple[Look, Look]]) -> Float[np.ndarray, "L H"] | None:
    """The mean divergence over the rows of all items in which two runs can be compared; None where there is none."""
    summed, rows = None, 0
    for a, b in pairs:
        found = divergence(a, b)
        if found is not None and (summed is None or summed.shape == found.shape):
            summed, rows = added(summed, found), rows + len(a.rows)
    return None if summed is None else summed / rows


def diagonal(rows: int, columns: int) -> Float[np.ndarray, " T"]:
    """Where each row would look if both texts ran evenly."""
    return np.linspace(0, columns - 1, rows) if rows > 1 else np.zeros(1)


def followers(words: Sequence[str]) -> Bool[np.ndarray, "T T"]:
    """Which places come after an earlier occurrence of each word."""
    found = np.zeros((len(words), len(words)), bool)
    for row, word in enumerate(words):
        for earlier in range(row):
            found[row, earlier + 1] |= words[earlier] == word and earlier + 1 < row
    return found


def added(before: Float[np.ndarray, "L H"] | None, more: Float[np.ndarray, "L H"]) -> Float[np.ndarray, "L H"]:
    return more if before is None else before + more
