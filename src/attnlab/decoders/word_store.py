"""Keys and values of the words of a search, written once and not moved when hypotheses change places.

The hypotheses of a sentence share its P places, and each has a mask that says which words are its own: of a reordered
beam only masks are reordered. Every step writes into the next places. Now and then the places that no hypothesis looks
at any more are given up; order does not matter to attention, as positions are in the words themselves. When sentences
leave, the last ones take their places, so that few are copied.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from attnlab.kernels.cpu_products import products_of
from attnlab.types import Memory

#: Places come in blocks of so many: a softmax over less than a register's numbers takes ten times as long.
BLOCK = 16
FEW = 32  #: places that are not worth a search for unused ones


@dataclass(frozen=True)
class Attends:
    """Attention by products of one query a hypothesis.

    Args:
        heads, kv_heads, head_dim: see ``Heads``; G of the axes is ``kv_heads``, R the heads that share one.
        scale: of the score.
    """

    heads: int
    kv_heads: int
    head_dim: int
    scale: float

    @cached_property
    def group_dim(self) -> int:
        """Size of the queries that share keys and values."""
        return self.heads // self.kv_heads * self.head_dim

    def mask(self, mask: Float[Tensor, "_ P"], sentences: int, width: int) -> Float[Tensor, "BG KR P"]:
        """A mask of each sentence or hypothesis, for each head and query."""
        each = mask.view(sentences, 1, -1, 1, mask.size(1))
        shape = (sentences, self.kv_heads, width, self.heads // self.kv_heads, mask.size(1))
        return each.expand(shape).reshape(sentences * self.kv_heads, -1, mask.size(1))

    def __call__(
        self,
        query: Float[Tensor, "N G Q"],
        keys: Float[Tensor, "BG E P"],
        values: Float[Tensor, "BG P E"],
        mask: Float[Tensor, "BG KR P"],
        width: int,
    ) -> tuple[Float[Tensor, "N D"], Float[Tensor, "BG KR P"]]:
        """What is found, and the weights."""
        if width > 1:
            query = query.view(-1, width, self.kv_heads, self.group_dim).transpose(1, 2)
        asked = query.reshape(mask.size(0), -1, self.head_dim)
        with products_of(asked.size(1), asked.device) if width == 1 else nullcontext():
            scores = torch.baddbmm(mask, asked, keys, alpha=self.scale)
            weights = torch.softmax(scores, -1, out=scores)
            found = torch.bmm(weights, values)
        if width > 1:
            found = found.view(-1, self.kv_heads, width, self.group_dim).transpose(1, 2)
        return found.reshape(-1, self.heads * self.head_dim), weights

    def alignment(self, weights: Float[Tensor, "BG KR P"], width: int, head: int | None) -> Float[Tensor, "N P"]:
        """The weights of a head, or else the mean over heads, by hypothesis."""
        places, shared = weights.size(2), self.heads // self.kv_heads
        each = weights.view(-1, self.kv_heads, width, shared, places)
        if head is not None:
            return each[:, head // shared, :, head % shared].reshape(-1, places)
        # A product with 1 / G, as torch's mean over few numbers takes ten times as long.
        groups = weights.new_full((1, self.kv_heads), 1 / self.kv_heads)
        mean = torch.matmul(groups, each.view(len(each), self.kv_heads, -1)).view(-1, shared, places)
        return mean.mean(1) if shared > 1 else mean.squeeze(1)


class WordStore:
    """Of all layers, words of the source and words said.

    Args:
        memories: keys and values of the source of each layer.
        own: the attention to words said.
    """

    _few = FEW

    said: list[tuple[Float[Tensor, "BG E P"], Float[Tensor, "BG P E"]]]  #: keys and values of each layer
    source: list[tuple[Float[Tensor, "BG E S"], Float[Tensor, "BG S E"]]]  #: likewise

    def __init__(self, memories: Sequence[Memory], own: Attends) -> None:
        sentences, groups, self.longest, size = memories[0].keys.shape
        like, layers, places = memories[0].keys, len(memories), rounded(self.longest)
        self.keys = like.new_empty(layers, sentences, groups, size, places)
        self.values = like.new_empty(layers, sentences, groups, places, size)
        for number, memory in enumerate(memories):
            self.keys[number, ..., : self.longest] = memory.keys.transpose(2, 3)
            self.values[number, :, :, : self.longest] = memory.values
        # What is not written is zero: a weight of zero times something that is no number would not be.
        self.keys[..., self.longest :] = self.values[..., self.longest :, :] = 0.0
        self.words = self._first(like, layers, sentences, own.kv_heads, 2 * own.head_dim)
        self.turn = 0
        self.numbers = torch.arange(sentences)
        self._at = torch.arange(sentences)  #: the place of each sentence
        self._look(sentences, BLOCK)

    def _first(self, like: Tensor, layers: int, sentences: int, groups: int, size: int) -> Tensor:
        """Places for the first words."""
        return like.new_zeros(layers, sentences, groups, BLOCK, size)

    def keep(self, numbers: Int[Tensor, " B"], turn: int) -> None:
        """Keep these sentences, in this order; of those that were kept last.

        Raises:
            RuntimeError: of a state that a step has been taken from already, its words are no longer there.
        """
        if turn != self.turn:
            raise RuntimeError("a state of a search can be gone on from once, and from this one a step has been taken")
        self.turn += 1
        if numbers is not self.numbers:
            self._keep(numbers)
            self.numbers = numbers

    def _keep(self, numbers: Int[Tensor, " B"]) -> None:
        at, here = self._at[numbers], torch.arange(len(numbers))
        moved = (at != here).nonzero().flatten()
        if len(moved):
            for part in (self.keys, self.values, self.words):
                part.index_copy_(1, moved, part.index_select(1, at[moved]))
        self._at[numbers] = here

    def make_room(self, mask: Float[Tensor, "N P"], filled: int, width: int) -> tuple[Float[Tensor, "N Q"], int]:
        """A place for a word of every hypothesis: the masks with it, and the first place of a sentence.

        The masks are written to, as their state is gone on from once.
        """
        if filled + width > mask.size(1):
            mask, filled = self._more(mask, filled, width)
        sentences, places = mask.size(0) // width, mask.size(1)
        if width == 1:
            mask.select(1, filled).fill_(0.0)
        else:
            mask.view(sentences, width, places).narrow(2, filled, width).diagonal(dim1=1, dim2=2).fill_(0.0)
        if (sentences, places) != self._viewed:
            self._look(sentences, places)
        return mask, filled

    def rows(self, first: int, width: int) -> tuple[Float[Tensor, "B G K F"] | Float[Tensor, "B G F"], ...]:
        """Where a step writes, in each layer, key and value of every head side by side; see ``by_place``."""
        return (self._rows.select(3, first) if width == 1 else self._rows.narrow(3, first, width)).unbind()

    def _more(self, mask: Float[Tensor, "N P"], filled: int, width: int) -> tuple[Float[Tensor, "N Q"], int]:
        """Places for some steps more."""
        if width > 1 and filled >= self._few:
            mask, filled = self._give_up(mask, width)
        wanted = self._wanted(filled, width)
        if wanted > self.words.size(3):
            self._grow(len(mask) // width, filled, wanted)
            self._viewed = (0, 0)
        hidden = mask.new_full((len(mask), wanted - filled), float("-inf"))
        return torch.cat([mask[:, :filled], hidden], 1), filled

    def _wanted(self, filled: int, width: int) -> int:
        return rounded(filled + max(BLOCK, 2 * width, filled // 2))

    def _grow(self, sentences: int, filled: int, wanted: int) -> None:
        layers, _, groups, _, size = self.words.shape
        words = self.words.new_empty(layers, sentences, groups, wanted, size)
        words[:, :, :, :filled] = self.words[:, :sentences, :, :filled]
        words[:, :, :, filled:] = 0.0
        self.words = words

    def _give_up(self, mask: Float[Tensor, "N P"], width: int) -> tuple[Float[Tensor, "N Q"], int]:
        """Let what some hypothesis looks at stand in the first places."""
        each = mask.view(-1, width, mask.size(1))
        seen = each.amax(1) == 0
        count = int(seen.sum(1).max())
        places = seen.byte().sort(dim=1, descending=True, stable=True).indices[:, :count]
        layers, _, groups, all_places, size = self.words.shape
        heads = (
            torch.arange(layers * self.words.size(1) * groups).view(layers, -1, groups)[:, self._kept()] * all_places
        )
        rows = heads.unsqueeze(3) + places.unsqueeze(1)
        kept = self.words.view(-1, size).index_select(0, rows.flatten()).view(*rows.shape, size)
        self.words[:, self._kept(), :, :count] = kept
        return each.gather(2, places.unsqueeze(1).expand(-1, width, -1)).flatten(0, 1), count

    def _kept(self) -> Any:
        """Where the sentences stand that are kept."""
        return slice(len(self.numbers))

    def _look(self, sentences: int, places: int) -> None:
        """Take views of so many sentences and places, which most steps share, by layer and with heads as sentences."""
        self._viewed = sentences, places
        self._rows = self.words[:, :sentences]
        keys, values = self.words[:, :sentences].flatten(1, 2)[:, :, :places].chunk(2, -1)
        self.said = list(zip(keys.transpose(2, 3), values, strict=True))
        keys, values = (part[:, :sentences].flatten(1, 2) for part in (self.keys, self.values))
        self.source = list(zip(keys, values, strict=True))


class LastingStore(WordStore):
    """The same for whoever looks sentences up by their numbers, and at nothing that is hidden: nothing is moved.

    Places that nobody looks at cost memory alone, up to ``_few`` of them.
    """

    _few = 256

    def _first(self, like: Tensor, layers: int, sentences: int, groups: int, size: int) -> Tensor:
        return like.new_empty(layers, sentences, groups, self._wanted(0, 1), size)

    def _keep(self, numbers: Int[Tensor, " B"]) -> None:
        pass

    def _wanted(self, filled: int, width: int) -> int:
        """As many words as the source has, and some more, before there is need of more; no more than are kept."""
        return max(super()._wanted(filled, width), min(self._few, rounded(width * (self.longest + BLOCK // 2))))

    def _grow(self, sentences: int, filled: int, wanted: int) -> None:
        layers, everyone, groups, _, size = self.words.shape
        words = self.words.new_empty(layers, everyone, groups, wanted, size)
        words[:, :, :, :filled] = self.words[:, :, :, :filled]
        self.words = words

    def _kept(self) -> Any:
        return self.numbers


def by_place(word: Float[Tensor, "N G F"], width: int) -> Float[Tensor, "B G K F"] | Float[Tensor, "N G F"]:
    """Hypotheses of a sentence side by side, as its places are."""
    return word if width == 1 else word.view(-1, width, word.size(1), word.size(2)).transpose(1, 2)


def rounded(count: int) -> int:
    """Up to whole blocks."""
    return -(-count // BLOCK) * BLOCK
