r"""Multi-head attention: the same mechanism asked in several learned subspaces at once, around any score.

$$\mathrm{MultiHead}(Q, K, V) = [\mathrm{head}_1; \dots; \mathrm{head}_h]\, W_o, \qquad
\mathrm{head}_i = \mathrm{attention}(Q W_q^i,\; K W_k^i,\; V W_v^i)$$

Paper: Vaswani et al. 2017, "Attention is all you need", section 3.2.2; the score there is the scaled dot.
Cost: time O(B T Q (Q + S)) for a score by products, projections and context included, memory O(B H T S), and where it
runs fused O(B (T + S) Q); the keys, values with them, O(B S K Q) once a sentence.

The heads are folded into the batch axis, so score, window and normalizer see sentences with the sizes of one head. What
they learn themselves (a v_a, say) is shared by the heads; what tells heads apart are the projections. None has a bias.
"""

from collections.abc import Callable
from functools import partial

from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.attention.base import Attended, Attention, Normalizer, Score, Window
from attnlab.attention.checks import check_rows
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.row_sums import RowSum
from attnlab.attention.windows.all import All
from attnlab.kernels.cpu_products import fused_attention
from attnlab.ranges import Fraction, Width
from attnlab.types import ConfigError, Encoded, History, Memory, Sample, tree_map


class Heads(nn.Module):
    """Any mechanism in several heads.

    Args:
        mechanism: an ``Attention`` but for its sizes, which here are those of one head.
        query_dim, key_dim: sizes of queries and annotations; the context has the size of a query.
        heads: how many; they share out the size of the query.
        dropout: of weights, in training (Vaswani et al.'s own code has it, their paper does not).
        kv_heads: how many keys and values there are; each serves ``heads / kv_heads`` heads of the query (grouped-query
            attention, Ainslie et al. 2023; 1 is multi-query attention, Shazeer 2019). None is one for each head.

    Raises:
        ConfigError: a size that the heads cannot share out, or a mechanism without weights.
    """

    has_weights = True

    def __init__(
        self,
        mechanism: Callable[..., nn.Module],
        query_dim: int,
        key_dim: int,
        heads: int = 8,
        dropout: float = 0.0,
        kv_heads: int | None = None,
    ) -> None:
        super().__init__()
        if heads < 1 or query_dim % heads:
            raise ConfigError(
                f"{heads} heads cannot share out a size of {query_dim}: take a number of heads that divides it"
            )
        self.heads, self.head_dim, self.kv_heads = heads, query_dim // heads, kv_heads or heads
        if heads % self.kv_heads:
            raise ConfigError(
                f"{heads} heads cannot share {kv_heads} keys and values: take kv_heads that divides the number of heads"
            )
        kept = self.kv_heads * self.head_dim
        built = mechanism(query_dim=self.head_dim, key_dim=self.head_dim, summary_dim=self.head_dim)
        if not isinstance(built, Attention):
            raise ConfigError(
                "attention=none has no weights that heads could have of their own. Take attention=uniform (the mean "
                "of all annotations), or decoder=cho, which reads one fixed context"
            )
        self.mechanism = built
        # Where nothing reads a side, there is nothing to learn a projection of it for.
        everywhere = type(built.window) is All
        self.reads_query = built.score.reads_query or not everywhere
        self.W_q = nn.Linear(query_dim, query_dim, bias=False) if self.reads_query else nn.Identity()
        self.W_k = nn.Linear(key_dim, kept, bias=False) if built.score.reads_keys or not everywhere else None
        self.W_v = nn.Linear(key_dim, kept, bias=False)
        self.W_o = nn.Linear(heads * built.context_dim, query_dim, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.context_dim = query_dim

    @property
    def needs_history(self) -> bool:
        return self.mechanism.needs_history

    @property
    def fixed_weights(self) -> bool:
        return self.mechanism.fixed_weights

    @property
    def looks_back(self) -> bool:
        return self.mechanism.looks_back

    @property
    def row_sum(self) -> RowSum:
        return self.mechanism.row_sum

    @property
    def fused(self) -> bool:
        """Whether torch's scaled_dot_product_attention computes the same, where nobody asks for the weights."""
        score, normalizer = self.mechanism.score, self.mechanism.normalizer
        if type(self.mechanism.window) is not All or not isinstance(normalizer, Softmax):
            return False
        return score.product_scale is not None and normalizer.temperature == 1

    def memory(self, encoded: Encoded) -> Memory:
        """Project keys and values of every head, once a sentence: ``[B, kv_heads, S, ·]``.

        Raises:
            ValueError: a sentence has no real token.
        """
        check_rows(encoded.mask)
        summed = encoded.states if encoded.values is None else encoded.values
        values = self.split(self.W_v(summed))
        keys = values if self.W_k is None else self.split(self.W_k(encoded.states))
        rows = keys.flatten(0, 1)
        window = tree_map(lambda part: part.unflatten(0, keys.shape[:2]), self.mechanism.window.memory(rows))
        return Memory(self.project_keys(keys), self.project_values(values), encoded.mask, encoded.summary, window)

    def initial_state(self, memory: Memory) -> History | None:
        """The past of every head, side by side in one row a sentence: ``[B, H, ·]``."""
        past = self.mechanism.initial_state(self.fold(memory))
        return None if past is None else tree_map(self.unfold, past)

    def forward(
        self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None = None, head: int | None = None
    ) -> Attended:
        """Attend; the weights are those of a head, or the mean over the heads (``by_head`` has each)."""
        found, weights = self.by_head(query, memory, history)
        context = self.W_o(self.join(found.context))
        return Attended(context, weights.mean(1) if head is None else weights[:, head], found.history, found.sample)

    def context(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None = None) -> Attended:
        """Attend where nobody asks for the weights: fused where the score is a product."""
        if not self.fused:
            return self(query, memory, history)
        found = fused_attention(
            self.split(self.W_q(query)),
            memory.keys,
            memory.values,
            attn_mask=memory.mask[:, None, None, :],
            dropout_p=self.dropout.p if self.training else 0.0,
            scale=self.mechanism.score.product_scale,
            enable_gqa=self.kv_heads != self.heads,
        )
        return Attended(self.W_o(self.join(found)), None, None)

    def by_head(
        self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None = None
    ) -> tuple[Attended, Float[Tensor, "B H T S"]]:
        """What each head finds (``[B, H, T, C]``), and its weights before dropout."""
        steps, folded = query.size(1), self.fold(memory)
        past = None if history is None else tree_map(partial(self._by_head, steps=steps), history)
        found = self.mechanism(self.split(self.W_q(query)).flatten(0, 1), folded, past)
        weights, context = found.weights, found.context
        if self.dropout.p and self.training:
            context = self.dropout(weights) @ folded.values
        new = None if history is None else tree_map(partial(self._by_query, steps=steps), found.history)
        return Attended(self.unfold(context), None, new, self._joint(found.sample)), self.unfold(weights)

    def surrogate(self, sample: Sample, reward: Float[Tensor, " B"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, ""]:
        """See ``Normalizer.surrogate``."""
        return self.mechanism.surrogate(sample, reward, mask)

    def project_keys(self, keys: Float[Tensor, "B G S D"]) -> Float[Tensor, "B G S K"]:
        """The score's own projection of the keys of every head."""
        return self.mechanism.score.keys(keys.flatten(0, 1)).unflatten(0, keys.shape[:2])

    def project_values(self, values: Float[Tensor, "B G S D"]) -> Float[Tensor, "B G S C"]:
        return self.mechanism.score.values(values.flatten(0, 1)).unflatten(0, values.shape[:2])

    def share(self, part: Tensor) -> Tensor:
        """Keys or values ``[B, kv_heads, …]`` for every head of the query, ``[B, H, …]``."""
        return part if self.kv_heads == self.heads else part.repeat_interleave(self.heads // self.kv_heads, 1)

    def split(self, states: Float[Tensor, "B T D"]) -> Float[Tensor, "B H T E"]:
        return states.unflatten(-1, (-1, self.head_dim)).transpose(1, 2)

    def join(self, found: Float[Tensor, "B H T E"]) -> Float[Tensor, "B T D"]:
        return found.transpose(1, 2).flatten(2)

    def fold(self, memory: Memory) -> Memory:
        """Heads as sentences: ``[B * H, S, ·]``."""
        parts = memory.keys, memory.values, memory.window
        keys, values, window = tree_map(lambda part: self.share(part).flatten(0, 1), parts)
        mask, summary = (part.repeat_interleave(self.heads, 0) for part in (memory.mask, memory.summary))
        return Memory(keys, values, mask, summary, window)

    def unfold(self, part: Tensor) -> Tensor:
        """``[B * H, …]`` to ``[B, H, …]``."""
        return part.unflatten(0, (-1, self.heads))

    def _by_head(self, part: Tensor, steps: int) -> Tensor:
        """The past of queries, ``[B * T, H, …]``, as the heads have it, ``[B * H * T, …]``."""
        return part.unflatten(0, (-1, steps)).transpose(1, 2).flatten(0, 2)

    def _by_query(self, part: Tensor, steps: int) -> Tensor:
        """The inverse of ``_by_head``."""
        return part.unflatten(0, (-1, self.heads, steps)).transpose(1, 2).flatten(0, 1)

    def _joint(self, sample: Sample | None) -> Sample | None:
        """Heads draw independently: log-probabilities and entropies add up."""
        if sample is None:
            return None
        return Sample(self.unfold(sample.log_prob).sum(1), self.unfold(sample.entropy).sum(1))


class MultiHead(Heads):
    """Heads around a score, a window and a normalizer; see ``Attention`` and ``Heads``."""

    def __init__(
        self,
        score: Callable[..., Score],
        window: Callable[..., Window],
        normalizer: Callable[[], Normalizer],
        query_dim: int,
        key_dim: int,
        summary_dim: Width | None = None,
        heads: Width = 8,
        dropout: Fraction = 0.0,
        kv_heads: Width | None = None,
    ) -> None:
        super().__init__(partial(Attention, score, window, normalizer), query_dim, key_dim, heads, dropout, kv_heads)
