r"""Decomposable attention: each word is held against what the other sentence has of its kind; what is found adds up.

    e_ij = score(F(a_i), F(b_j))                             (1)   the paper's score is the dot product
    beta_i = sum_j softmax_j(e_ij) b_j,  alpha_j likewise    (2)   attend
    v_1i = G([a_i, beta_i]),  v_2j = G([b_j, alpha_j])       (3)   compare
    v_1 = sum_i v_1i,  v_2 = sum_j v_2j                      (4)   aggregate
    z = [v_1, v_2]                                           (5)   the classifier's H tells the class of it

with the option that each word brings along what its own sentence has of it (intra-sentence attention):

    f_ij = F_intra(a_i)^T F_intra(a_j)                       (6)
    a_i <- [a_i, sum_j softmax_j(f_ij + d_{i - j}) a_j]      (7)   d: a bias a distance, one beyond ten words

Parikh, Täckström, Das and Uszkoreit 2016, "A decomposable attention model for natural language inference". Any
mechanism stands in (1) and (2), with its score, window and normalizer; it asks with each side in turn, so that e of the
way back is the transpose where the score does not mind who asks (dot, scaled_dot, cosine), and the same function of
(b_j, a_i) where it does (general, additive). What deviates: a_i and b_j are what an encoder makes of the words,
embeddings alone in the paper (``encoder=embedding``); ``differences`` adds |a - beta| and a * beta to (3), as Chen et
al. 2017 do.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.attention.multi_head import Heads
from attnlab.encoders.base import Encoder
from attnlab.models.matching import Embedded, Matched, Matching, compared, context_dim, feed_forward, look, past
from attnlab.ranges import Fraction, Width, ZeroOrMore
from attnlab.types import ConfigError, Encoded


class Decomposable(Matching):
    """Attend, compare, aggregate.

    Args:
        embedding_dim: size of the embedded words.
        encoder: what a_i and b_j are.
        attention: called with the sizes of query, key and summary.
        hidden_dim: of G.
        attend_layers: of F, each of the size of a_i, so that keys and values have one size; 0 compares a_i as it is.
        compare_layers: of G.
        intra_attention: let each word look at its own sentence first.
        distance: words beyond which all share a bias d.
        differences: give G what a word and its like differ in, too.
        dropout: before each layer of F and G.
        state_dropout: on a_i and b_j.

    Raises:
        ConfigError: a mechanism that looks back at its own weights.
    """

    attention: nn.Module

    def __init__(
        self,
        embedding_dim: int,
        encoder: Callable[..., Encoder],
        attention: Callable[..., nn.Module],
        hidden_dim: Width = 200,
        attend_layers: ZeroOrMore = 2,
        compare_layers: Width = 2,
        intra_attention: bool = False,
        distance: ZeroOrMore = 10,
        differences: bool = False,
        dropout: Fraction = 0.0,
        state_dropout: Fraction = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder(embedding_dim=embedding_dim)
        self.state_dropout = nn.Dropout(state_dropout)
        size, summary = self.encoder.dims.states, self.encoder.dims.summary
        self.intra = IntraSentence(size, attend_layers, distance, dropout) if intra_attention else None
        if intra_attention:
            size, summary = 2 * size, 2 * size
        self.F = feed_forward(size, size, attend_layers, dropout)
        self.attention = attention(query_dim=size, key_dim=size, summary_dim=summary)
        require_no_way_back(self.attention)
        found = context_dim(self.attention)
        if differences and found != size:
            raise ConfigError(
                f"model.matching.differences: a word has {size} numbers and what it finds has {found}, so they have no "
                "difference; take an attention whose values are whole annotations, or differences=false"
            )
        self.differences = differences
        self.G = feed_forward(size + found + 2 * size * differences, hidden_dim, compare_layers, dropout)
        self.output_dim = 2 * hidden_dim

    def read(self, side: Embedded) -> Encoded:
        encoded: Encoded = self.encoder(side.words, side.mask)
        encoded = encoded._replace(states=self.state_dropout(encoded.states))
        return encoded if self.intra is None else self.intra(encoded)

    def forward(self, premise: Embedded, hypothesis: Embedded) -> Matched:
        a, b = self.read(premise), self.read(hypothesis)
        f_a, f_b = (side._replace(states=self.F(side.states), values=side.states) for side in (a, b))
        beta, drawn = look(self.attention, f_a.states, f_b, a.mask)
        alpha, drawn_back = look(self.attention, f_b.states, f_a, b.mask)
        v_1, v_2 = self.compare(a, beta.context), self.compare(b, alpha.context)
        return Matched(torch.cat([v_1, v_2], -1), alpha.weights, beta.weights, (*drawn, *drawn_back))

    def both_ways(self, seen: Sequence[Tensor], words: int) -> tuple[Tensor, Tensor]:
        return seen[1], seen[0]  # the premise looks first

    def calls(self, forth: Float[Tensor, "M T S"], back: Float[Tensor, "M _ T"]) -> list[Tensor]:
        return [back, forth]

    @torch.no_grad()
    def weights_by_head(self, premise: Embedded, hypothesis: Embedded) -> Float[Tensor, "B L H T S"] | None:
        if not isinstance(self.attention, Heads):
            return None
        a, b = self.read(premise), self.read(hypothesis)
        asked, query = a._replace(states=self.F(a.states), values=a.states), self.F(b.states)
        return self.attention.by_head(query, *past(self.attention, asked, query.size(1)))[1].unsqueeze(1)

    def compare(self, side: Encoded, found: Float[Tensor, "B S C"]) -> Float[Tensor, "B H"]:
        """v_1 or v_2: what each word says beside what it has found, summed over the words that there are."""
        more = compared(side.states, found) if self.differences else []
        told: Tensor = self.G(torch.cat([side.states, found, *more], -1))
        return (told * side.mask.unsqueeze(-1)).sum(1)


class IntraSentence(nn.Module):
    """Each word with what its own sentence has of it.

    Args:
        size: of a word.
        layers: of F_intra.
        distance: words beyond which all share a bias.
        dropout: before each layer of F_intra.
    """

    def __init__(self, size: int, layers: int, distance: int, dropout: float) -> None:
        super().__init__()
        self.distance = distance
        self.F_intra = feed_forward(size, size, layers, dropout)
        self.d = nn.Parameter(torch.zeros(2 * distance + 3))  # of i - j from -distance - 1 to distance + 1

    def initialize(self) -> None:
        """No distance is nearer at the beginning, whatever the model's initialisation."""
        nn.init.zeros_(self.d)

    def forward(self, encoded: Encoded) -> Encoded:
        states, mask = encoded.states, encoded.mask
        told = self.F_intra(states)
        scores = told @ told.transpose(1, 2) + self.d[self._places(mask)]
        weights = scores.masked_fill(~mask.unsqueeze(1), -torch.inf).softmax(-1)
        joined = torch.cat([states, weights @ states], -1) * mask.unsqueeze(-1)
        summary = joined.sum(1) / mask.sum(1, keepdim=True)
        return encoded._replace(states=joined, summary=summary)

    def _places(self, mask: Bool[Tensor, "B S"]) -> Tensor:
        """The number of the bias of each i and j."""
        steps = torch.arange(mask.size(1), device=mask.device)
        most = self.distance + 1
        return (steps.unsqueeze(1) - steps).clamp(-most, most) + most


def require_no_way_back(attention: nn.Module) -> None:
    """Raise ConfigError for a mechanism whose next look depends on its last: here all words look at once.

    Raises:
        ConfigError: names the part.
    """
    if not getattr(attention, "looks_back", False):
        return
    mechanism = getattr(attention, "mechanism", attention)
    parts = (getattr(mechanism, name, None) for name in ("score", "window"))
    asking = next(type(part).__name__ for part in parts if getattr(part, "needs_history", False))
    raise ConfigError(
        f"model=decomposable lets all words look at once, and {asking} asks where earlier words have looked. Take "
        "model=word_by_word, which goes word by word, or a mechanism that does not look back, such as "
        "attention=luong_dot, cosine or bahdanau"
    )
