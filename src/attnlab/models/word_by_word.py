r"""Word-by-word attention: the hypothesis is read word by word, and each word looks at the premise.

With Y the annotations of the premise (as columns) and h_t those of the hypothesis, which is read behind it:

    M_t = tanh(W^y Y + (W^h h_t + W^r r_{t-1}) (x) e)
    alpha_t = softmax(w^T M_t)
    r_t = Y alpha_t^T + tanh(W^t r_{t-1})
    h* = tanh(W^p r_N + W^x h_N)

Rocktäschel, Grefenstette, Hermann, Kočiský and Blunsom 2016, "Reasoning about entailment with neural attention",
section 2.3. The additive score w^T M_t is ``attention=bahdanau``; any other asks with the same query, h_t + W^r
r_{t-1}. What deviates: W^h is the score's own, so that the paper's W^r reads W^h W^r here, as expressive where W^h
has full rank; a score without one (dot, cosine) compares the query as it is. A mechanism that looks back at its own
weights (coverage, monotonic) does so along the hypothesis. ``two_way`` also reads the premise behind the hypothesis,
with the same weights, and puts both h* side by side (section 2.4). The paper reads in one direction
(``encoder.bidirectional=false``); with two, h_N is where each direction has ended.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.base import Attended
from attnlab.encoders.base import Encoder, last_positions
from attnlab.encoders.conditional import Conditional
from attnlab.models.matching import Drawn, Embedded, Matched, Matching, context_dim
from attnlab.ranges import Fraction
from attnlab.types import Encoded, Sample


class WordByWord(Matching):
    """Conditional encoding and word-by-word attention.

    Args:
        embedding_dim: size of the embedded words.
        encoder: a recurrent one of one layer, which reads the premise; the hypothesis is read by another like it.
        attention: called with the sizes of query, key and summary.
        two_way: also let the premise look at the hypothesis.
        state_dropout: on the annotations of both sentences.

    Raises:
        ConfigError: another encoder.
    """

    attention: nn.Module

    def __init__(
        self,
        embedding_dim: int,
        encoder: Callable[..., Encoder],
        attention: Callable[..., nn.Module],
        two_way: bool = True,
        state_dropout: Fraction = 0.0,
    ) -> None:
        super().__init__()
        self.encoder, self.two_way = encoder(embedding_dim=embedding_dim), two_way
        self.behind = Conditional(embedding_dim, self.encoder)
        self.state_dropout = nn.Dropout(state_dropout)
        size = self.encoder.dims.states
        self.attention = attention(query_dim=size, key_dim=size, summary_dim=self.encoder.dims.summary)
        found = context_dim(self.attention)
        self.W_r = nn.Linear(found, size, bias=False)
        self.W_t = nn.Linear(found, found, bias=False)
        self.W_p = nn.Linear(found, size, bias=False)
        self.W_x = nn.Linear(size, size, bias=False)
        self.output_dim = size * (2 if two_way else 1)

    def forward(self, premise: Embedded, hypothesis: Embedded) -> Matched:
        vector, weights, drawn = self.one_way(premise, hypothesis)
        if not self.two_way:
            return Matched(vector, weights, None, drawn)
        other, back, drawn_back = self.one_way(hypothesis, premise)
        return Matched(torch.cat([vector, other], -1), weights, back, (*drawn, *drawn_back))

    def both_ways(self, seen: Sequence[Tensor], words: int) -> tuple[Tensor, Tensor]:
        forth, back = torch.cat([*seen[:words]], 1), seen[words:]
        nothing = forth.new_zeros(len(forth), 0, words)
        return forth, torch.cat([*back], 1) if back else nothing

    def calls(self, forth: Float[Tensor, "M T S"], back: Float[Tensor, "M _ T"]) -> list[Tensor]:
        return [*forth.split(1, 1), *(back.split(1, 1) if back.size(1) else ())]

    def one_way(
        self, first: Embedded, second: Embedded
    ) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B T S"] | None, tuple[Drawn, ...]]:
        """h* of the second sentence behind the first, its weights over that, and what of them was drawn."""
        read: Encoded = self.encoder(first.words, first.mask)
        following: Encoded = self.behind(second.words, second.mask, read)
        read = read._replace(states=self.state_dropout(read.states))
        looks, r = self._steps(self.state_dropout(following.states), read)
        last = last_positions(second.mask)
        r_n = r[torch.arange(len(last), device=last.device), last]
        vector = torch.tanh(self.W_p(r_n) + self.W_x(following.summary))
        found = [look.weights for look in looks]
        weights = None if found[0] is None else torch.cat(found, 1)  # type: ignore[arg-type]
        samples = [look.sample for look in looks if look.sample is not None]
        joint = [Sample(*(torch.cat(part, 1) for part in zip(*samples, strict=True)))] if samples else []
        return vector, weights, tuple(Drawn(sample, second.mask) for sample in joint)

    def _steps(self, h: Float[Tensor, "B T D"], premise: Encoded) -> tuple[list[Attended], Float[Tensor, "B T C"]]:
        """Every look, and r after each."""
        memory = self.attention.memory(premise)  # type: ignore[operator]
        history = self.attention.initial_state(memory)  # type: ignore[operator]
        r = h.new_zeros(len(h), self.W_t.in_features)
        looks, found = [], []
        for h_t in h.unbind(1):
            query = h_t + self.W_r(r)
            looks.append(self.attention(query.unsqueeze(1), memory, history))
            history = looks[-1].history
            r = looks[-1].context.squeeze(1) + torch.tanh(self.W_t(r))
            found.append(r)
        return looks, torch.stack(found, 1)
