r"""Latent alignment: one source word says each target word, and which one is summed out exactly.

$$p(y_i \mid y_{<i}, x) = \sum_j a_{ij} \, p(y_i \mid y_{<i}, h_j), \qquad
p(v \mid y_{<i}, h_j) = \frac{\exp(W_v^\top u_i + b_v + W_v^\top g_j)}{Z_{ij}}$$

Hard attention whose expectation is not sampled but computed: a_{ij}, the weights of any mechanism, are the prior of the
alignment, and once a word is known so is its posterior,

$$p(j \mid y_{\le i}, x) \propto a_{ij} \exp(W_{y_i}^\top g_j) / Z_{ij},$$

which is what a word *has* looked at: the alignment of a given translation, and the last weights of a mechanism that
looks back. Soft attention mixes annotations before the word is said and never learns which of them said it; this one
is to soft attention what the models of Brown et al. 1993 are to an average.

Papers: Wu, Shapiro and Cotterell 2018, "Hard non-monotonic attention for character-level transduction"; Deng et al.
2018, "Latent alignment and variational attention" (exact marginalisation, section 4); Shankar and Sarawagi 2019,
"Posterior attention models for sequence to sequence learning" (the posterior as what the next step knows). Here a
word's distribution given its source word is a product of two experts, u_i of the target words so far and g_j =
tanh(W_g h_j) of the source word, so that all Z of a sentence are one product of matrices, exp(U) exp(G)^T.
Cost: time O(B V (R (T + S) + T S)), memory O(B V (T + S)).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.attention.base import Attention
from attnlab.attention.row_sums import RowSum
from attnlab.decoders.base import Decoder, DecoderState
from attnlab.decoders.luong import Luong
from attnlab.decoders.readout import StateOnly
from attnlab.kernels.mixture import Experts, linear_log_partition, log_mixture, log_partition
from attnlab.kernels.two_passes import TwoPasses, two_passes
from attnlab.layers.initialization import Initialization
from attnlab.models.seq2seq import Loss, Seq2Seq
from attnlab.types import Batch, ConfigError, Encoded, Memory, Step, select

SMALLEST = 1e-30  #: a weight of a sparse mechanism that is zero counts as so much
Given = ParamSpec("Given")
Found = TypeVar("Found")


def exact(
    method: Callable[Concatenate["LatentAlignment", Given], Found],
) -> Callable[Concatenate["LatentAlignment", Given], Found]:
    """Without autocast: ln p of a word is a difference of sums, which differ by less than half precision has."""

    @wraps(method)
    def found(model: "LatentAlignment", /, *args: Given.args, **settings: Given.kwargs) -> Found:
        with torch.autocast(model.output.weight.device.type, enabled=False):
            return method(model, *args, **settings)

    return found


class Sentences(NamedTuple):
    """What is looked at."""

    memory: Memory  #: the mechanism's
    features: Float[Tensor, "B S R"]  #: g_j
    experts: Experts | None  #: W g_j over the vocabulary, laid out for a search


class Past(NamedTuple):
    """What is known before a step."""

    decoder: DecoderState
    pending: Float[Tensor, "N S"] | None  #: ln a_j - ln Z_j of the last step, whose word is not known yet


class Aligned(NamedTuple):
    """What is known of the steps of given words: a ``Decoded``, and what the mixture is made of."""

    features: Float[Tensor, "N T R"]  #: u_i
    weights: Float[Tensor, "N T S"]  #: the posterior of the words that are known, the prior of one that is not
    state: Past
    joint: Float[Tensor, "N T S"]  #: ln a_ij - ln Z_ij
    evidence: Float[Tensor, "N t S"]  #: W_y g_j of the words that are known
    memory: Sentences
    logits: Float[Tensor, "N T V"] | None = None  #: W u_i, in a search, which wants all of them
    sample: None = None


class LatentAlignment(Seq2Seq):
    """A ``Seq2Seq`` whose words are said by the mixture.

    Args: those of ``Seq2Seq``. The decoder is Luong's, whose recurrence nothing enters that attention finds, with
    ``readout=state_only``: nothing of the source goes past the alignment.

    Raises:
        ConfigError: another decoder or readout; several heads, or a mechanism without weights that sum to one.
    """

    captured = False  # the loss wants more of a pass than graphs hand out
    sums_vectors = False  # distributions instead
    decoder: Luong

    def __init__(self, *args: Any, initialization: Initialization, **settings: Any) -> None:
        super().__init__(*args, initialization=initialization, **settings)
        check(self.decoder)
        self.W_g = nn.Linear(self.decoder.attention.context_dim, self.output.in_features, bias=False)
        initialization(self.W_g)

    def start(self, encoded: Encoded) -> tuple[Sentences, Past]:
        memory, state = super().start(encoded)
        return Sentences(memory, self._wide(torch.tanh(self.W_g(memory.values))), None), Past(state, None)

    def _wide(self, features: Float[Tensor, "*N R"]) -> Float[Tensor, "*N R"]:
        """As the output layer's weights are, whatever autocast has made of them."""
        return features.to(self.output.weight.dtype)

    def forward(self, batch: Batch, inputs: Int[Tensor, "B T"] | None = None) -> Aligned:  # type: ignore[override]
        """Decode with given previous words; weights are the posterior, given the words that are to be said."""
        memory, state = self.start(self.encode(batch.source, batch.source_mask))
        return self._decode(batch.target[:, :-1] if inputs is None else inputs, batch.target[:, 1:], memory, state)

    def decode(self, inputs: Int[Tensor, "N T"], memory: Sentences, state: Past) -> Aligned:  # type: ignore[override]
        """Weights are the posterior but for the last step, whose word is not known: there they are the prior."""
        return self._decode(inputs, inputs[:, 1:], memory, state)

    def _decode(self, inputs: Int[Tensor, "N T"], said: Int[Tensor, "N t"], memory: Sentences, past: Past) -> Aligned:
        """``said`` are the words of all steps, or of all but the last."""
        outputs, cells = self.decoder.recurrent(self._read(inputs), past.decoder.cells)
        features = self._wide(self.project(self._drop_features(outputs)))
        logits = None if memory.experts is None else self._logits(features)
        log_z = self._log_partition(features, memory, logits)
        evidence = self._evidence(said, memory)
        known = evidence - log_z[:, : said.size(1)]
        mask = memory.memory.mask.repeat_interleave(len(inputs) // len(memory.features), 0)

        def posterior(step: int, prior: Float[Tensor, "N t S"]) -> Float[Tensor, "N t S"]:
            """Of the words from this step on; of one that is not known the prior itself."""
            seen = known[:, step : step + prior.size(1)]
            found = masked_softmax(log_of(prior[:, : seen.size(1)]) + seen, mask.unsqueeze(1))
            return torch.cat([found, prior[:, seen.size(1) :]], dim=1)

        history = past.decoder.history
        if history is not None and past.pending is not None:
            pending = past.pending + self._evidence(inputs[:, :1], memory)[:, 0]
            history = history.corrected(masked_softmax(pending, mask))
        looked, weights = self.decoder.look(outputs, memory.memory, history, posterior)
        assert looked.weights is not None  # check
        assert weights is not None
        joint = log_of(looked.weights) - log_z
        state = Past(DecoderState(cells, None, looked.history), joint[:, -1])
        return Aligned(features, weights, state, joint, evidence, memory, logits)

    @exact
    def _logits(self, features: Float[Tensor, "N T R"]) -> Float[Tensor, "N T V"]:
        logits: Tensor = self.output(features)
        return logits

    @exact
    def _log_partition(
        self, features: Float[Tensor, "N T R"], memory: Sentences, logits: Float[Tensor, "N T V"] | None
    ) -> Float[Tensor, "N T S"]:
        sentences = len(memory.features)  # the hypotheses of a beam lie along the axis of the steps
        if memory.experts is None or logits is None:
            u = features.reshape(sentences, -1, features.size(-1))
            found = linear_log_partition(u, memory.features, self.output.weight, self.output.bias)
        else:
            found = log_partition(Experts.of(logits.reshape(sentences, -1, logits.size(-1))), memory.experts)
        return found.reshape(*features.shape[:2], -1)

    @exact
    def _evidence(self, words: Int[Tensor, "N t"], memory: Sentences) -> Float[Tensor, "N t S"]:
        """W_y g_j of given words."""
        sentences, length, _ = memory.features.shape
        beam = len(words) // sentences
        said = self.output.weight[words].unflatten(0, (sentences, beam)).flatten(1, 2)
        evidence = said @ memory.features.transpose(1, 2)  # (B, k t, R) @ (B, R, S) -> (B, k t, S)
        return evidence.reshape(*words.shape, length)

    @exact
    def word_logits(self, decoded: Aligned) -> Float[Tensor, "N T V"]:  # type: ignore[override]
        """ln p of every word at each step."""
        memory, joint = decoded.memory, decoded.joint
        source = memory.experts or self._experts(memory)
        logits = self._logits(decoded.features) if decoded.logits is None else decoded.logits
        by_sentence = (len(memory.features), -1)
        mixed = log_mixture(
            logits.reshape(*by_sentence, logits.size(-1)), source, joint.reshape(*by_sentence, joint.size(-1))
        )
        return mixed.reshape_as(logits)

    def loss(self, batch: Batch, decoded: Aligned, smoothing: float = 0.0) -> Loss:  # type: ignore[override]
        total = -self._said(batch, decoded).sum()
        if smoothing:
            every, _ = self.token_logits(batch, decoded)
            total = (1 - smoothing) * total - smoothing * every.mean(-1).sum()
        return Loss(total, batch.tokens.numel())

    def loss_of_two(  # type: ignore[override]
        self, batch: Batch, first: Aligned, second: Aligned, smoothing: float, alpha: float
    ) -> TwoPasses:
        (every, gold), (again, _) = self.token_logits(batch, first), self.token_logits(batch, second)
        return two_passes(every, again, gold, smoothing, alpha)

    def token_logits(self, batch: Batch, decoded: Aligned) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """ln p of every word at each real target token, and the token."""
        every = self.word_logits(decoded).flatten(0, 1).index_select(0, batch.tokens)
        return every, batch.target[:, 1:].flatten().index_select(0, batch.tokens)

    @torch.no_grad()
    def sentence_log_probs(self, batch: Batch, decoded: Aligned) -> Float[Tensor, " B"]:  # type: ignore[override]
        return self._said(batch, decoded).sum(1)

    @exact
    def _said(self, batch: Batch, decoded: Aligned) -> Float[Tensor, "B T"]:
        """ln p of each target token, zero on padding."""
        words = batch.target[:, 1:]
        of_target = (decoded.features * self.output.weight[words]).sum(-1) + self.output.bias[words]
        mask = batch.source_mask.unsqueeze(1)
        found = (decoded.joint + decoded.evidence).masked_fill(~mask, -torch.inf).logsumexp(-1) + of_target
        return found.masked_fill(~batch.target_mask, 0.0)

    def halve_output(self) -> None:
        """Raise ConfigError."""
        raise ConfigError("half_output: model=latent sums over the vocabulary in float32; leave it out")

    def initial_state(  # type: ignore[override]
        self, source: Int[Tensor, "B S"], source_mask: Bool[Tensor, "B S"], beam: int
    ) -> tuple[Sentences, Past]:
        memory, state = self.start(self.encode(source, source_mask))
        rows = torch.arange(source.size(0), device=source.device).repeat_interleave(beam)
        return memory._replace(experts=self._experts(memory)), select(state, rows)

    @exact
    def _experts(self, memory: Sentences) -> Experts:
        return Experts.of(F.linear(memory.features, self.output.weight))

    def advance(self, tokens: Int[Tensor, " N"], memory: Sentences, state: Past) -> Step:  # type: ignore[override]
        """Weights are the prior: which word is said is not known yet."""
        decoded = self.decode(tokens.unsqueeze(1), memory, state)
        return Step(self.word_logits(decoded)[:, 0], decoded.weights[:, 0], decoded.state)


def log_of(weights: Float[Tensor, "*N S"]) -> Float[Tensor, "*N S"]:
    wide = weights.to(torch.promote_types(weights.dtype, torch.float32))
    return wide.clamp(min=SMALLEST).log()


def masked_softmax(logs: Float[Tensor, "*N S"], mask: Tensor) -> Float[Tensor, "*N S"]:
    return logs.masked_fill(~mask, -torch.inf).softmax(-1)


def check(decoder: Decoder) -> None:
    """Raise ConfigError for a decoder or a mechanism that an alignment cannot be summed out of."""
    if not isinstance(decoder, Luong) or not isinstance(decoder.readout, StateOnly):
        raise ConfigError(
            "model=latent says a word by one source word and the target's words so far, and a decoder that hears of "
            "the source otherwise would go past it: take decoder=luong decoder/readout=state_only"
        )
    attention = decoder.attention
    if not isinstance(attention, Attention) or attention.row_sum is not RowSum.ONE or attention.normalizer.draws:
        raise ConfigError(
            "model=latent takes the weights of attention for the probabilities of an alignment: they have to be "
            "there, of one head, sum to exactly 1, and not be drawn at random. Take attention=luong_general, markov, "
            "scaled_dot, bahdanau, location_aware or the like"
        )
