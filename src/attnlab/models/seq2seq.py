"""The encoder-decoder with attention, as one model that training and search share."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.decoders.base import Decoded, Decoder
from attnlab.encoders.base import Encoder
from attnlab.kernels.cross_entropy import CHUNK, linear_cross_entropy
from attnlab.kernels.native.choosing import log_softmax_
from attnlab.kernels.packed_linear import HalfLinear, PackedLinear
from attnlab.kernels.products import packable
from attnlab.kernels.two_passes import TwoPasses, linear_two_passes
from attnlab.layers.bridges import Bridge
from attnlab.layers.initialization import Initialization
from attnlab.layers.positions.base import longest
from attnlab.models.graphs import Passes
from attnlab.ranges import Fraction, Width
from attnlab.types import PAD, SPECIALS, Batch, ConfigError, Encoded, Step, select

Tie = Literal["none", "decoder", "all"]
SMALLEST = len(SPECIALS) + 6  #: words


class Loss(NamedTuple):
    total: Float[Tensor, ""]  #: summed over tokens, in nats
    tokens: int  #: real target tokens, end of sentence counted
    extra: Float[Tensor, ""] | None = None  #: what weights drawn at random add to the objective, summed likewise


class Searched(NamedTuple):
    """What a search hands back at every step besides the state."""

    sentences: Any  #: the decoder's memory of them
    output: PackedLinear | HalfLinear
    decoder: Any  #: the decoder's weights, laid out


class WordDropout(nn.Dropout):
    """Dropout of whole words: all features of an embedding, or none."""

    def forward(self, words: Float[Tensor, "*N E"]) -> Float[Tensor, "*N E"]:
        if not self.training or not self.p:
            return words
        return words * F.dropout(words.new_ones((*words.shape[:-1], 1)), self.p)


class Seq2Seq(nn.Module):
    """Embeddings, encoder, decoder with attention, output layer. A ``StepModel``.

    Args:
        source_vocabulary, target_vocabulary: sizes.
        encoder, attention, decoder, bridge: factories; sizes are handed on from left to right.
        embedding_dim: size of the word embeddings of both sides.
        dropout: on embedded words and on the features before the output layer, but for encoders and decoders that
            have places of their own for it.
        tie: ``decoder`` shares the target embeddings with the output layer (Press and Wolf 2017); ``all`` shares the
            source embeddings too, which takes one joint vocabulary.
        initialization: what is done to the weights after torch's own initialisation.
        source_word_dropout: the share of words of the source whose embedding is zero in training, the others growing by
            as much (Sennrich, Haddow and Birch 2016, "Edinburgh neural machine translation systems for WMT 16", section
            4.3).
        target_word_dropout: likewise of the previous words that the decoder reads.

    Raises:
        ConfigError: a combination that cannot be built.
    """

    #: whether CUDA graphs may replay its training passes
    captured: ClassVar[bool] = True
    #: whether what is found of the source is a sum of vectors, one a source word
    sums_vectors: ClassVar[bool] = True
    half_output = False  #: see ``halve_output``
    # The least that it can be built for, to see whether settings go together before there are data.
    smallest: ClassVar[Mapping[str, int]] = {"source_vocabulary": SMALLEST, "target_vocabulary": SMALLEST}

    def __init__(
        self,
        source_vocabulary: int,
        target_vocabulary: int,
        encoder: Callable[..., Encoder],
        attention: Callable[..., nn.Module],
        decoder: Callable[..., Decoder],
        bridge: Callable[..., Bridge],
        initialization: Initialization,
        embedding_dim: Width = 256,
        dropout: Fraction = 0.0,
        tie: Tie = "none",
        source_word_dropout: Fraction = 0.0,
        target_word_dropout: Fraction = 0.0,
    ) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.source_words, self.target_words = WordDropout(source_word_dropout), WordDropout(target_word_dropout)
        self.source_embedding = nn.Embedding(source_vocabulary, embedding_dim, padding_idx=PAD)
        self.target_embedding = nn.Embedding(target_vocabulary, embedding_dim, padding_idx=PAD)
        self.encoder = encoder(embedding_dim=embedding_dim)
        self.decoder = decoder(
            embedding_dim=embedding_dim, source=self.encoder.dims, attention=attention, bridge=bridge
        )
        tied = tie != "none" and self.decoder.output_dim != embedding_dim
        # A tied output layer reads features of the size of an embedding.
        self.project: nn.Module = (
            nn.Linear(self.decoder.output_dim, embedding_dim, bias=False) if tied else nn.Identity()
        )
        self.output = nn.Linear(embedding_dim if tied else self.decoder.output_dim, target_vocabulary)
        initialization(self)
        if tie != "none":
            self.output.weight = self.target_embedding.weight
        if tie == "all":
            if source_vocabulary != target_vocabulary:
                raise ConfigError(
                    f"model.tie=all shares one embedding between both languages, but their vocabularies have "
                    f"{source_vocabulary} and {target_vocabulary} entries. "
                    "Set data.shared_vocabulary=true, or model.tie=decoder"
                )
            self.source_embedding.weight = self.target_embedding.weight

    def halve_output(self) -> None:
        """Let searches compute their products with the vocabulary in bfloat16: faster, with log-probabilities rounded.

        Raises:
            ConfigError: where that would gain nothing: on a GPU, in another precision, or on a processor without it.
        """
        weight = self.output.weight
        gains = packable(weight.new_empty(0, dtype=torch.bfloat16))  # which is on the CPU, then
        if weight.dtype != torch.float32 or not gains:
            raise ConfigError(
                f"half_output: it is for weights of float32 on a processor that multiplies bfloat16; these are "
                f"{str(weight.dtype).removeprefix('torch.')} on {weight.device.type}; leave it out"
            )
        self.half_output = True

    @property
    def has_weights(self) -> bool:
        """Whether the attention mechanism has weights to look at."""
        return bool(self.decoder.attention.has_weights)

    @property
    def fixed_weights(self) -> bool:
        """Whether they depend on nothing that is read."""
        module = getattr(self.decoder, "alignment_module", None)
        return module is None and bool(getattr(self.decoder.attention, "fixed_weights", False))

    @cached_property
    def longest_source(self) -> int | None:
        """Most words of a source sentence, where the encoder knows so many positions only; None is any number."""
        return longest(self.encoder)

    @cached_property
    def longest_target(self) -> int | None:
        """Most words that the decoder reads, BOS counted and EOS not; None is any number."""
        return longest(self.decoder)

    def encode(self, source: Int[Tensor, "B S"], mask: Bool[Tensor, "B S"]) -> Encoded:
        encoded: Encoded = self.encoder(self.read_source(source), mask)
        return encoded

    def start(self, encoded: Encoded) -> tuple[Any, Any]:
        """What is looked at, and the state before the first word."""
        return self.decoder.initial_state(encoded)

    def read_source(self, source: Int[Tensor, "B S"]) -> Float[Tensor, "B S E"]:
        words: Tensor = self.source_words(self.source_embedding(source))
        return words if self.encoder.own_dropout else self.dropout(words)

    def forward(self, batch: Batch, inputs: Int[Tensor, "B T"] | None = None) -> Decoded:
        """Decode with given previous words; those of the target (teacher forcing) unless told others."""
        memory, state = self.start(self.encode(batch.source, batch.source_mask))
        return self.decode(batch.target[:, :-1] if inputs is None else inputs, memory, state)

    def weights_by_head(self, batch: Batch) -> Float[Tensor, "B L H T S"] | None:
        """What every head of every layer looks at when the reference is decoded; None where there are no heads."""
        memory, state = self.start(self.encode(batch.source, batch.source_mask))
        return self.decoder.weights_by_head(self._read(batch.target[:, :-1]), memory, state)

    def self_weights(self, batch: Batch) -> dict[str, Float[Tensor, "B L H T T"]]:
        """What the layers of a Transformer look at in their own sentence, ``source`` and ``target``, by layer and head.

        The rows of the target are BOS and its words. A side whose layers have no weights is left out.
        """
        memory, state = self.start(self.encode(batch.source, batch.source_mask))
        read = self._read(batch.target[:, :-1])
        sides = {
            "source": self.encoder.self_weights(self.read_source(batch.source), batch.source_mask),
            "target": self.decoder.self_weights(read, memory, state),
        }
        return {side: weights for side, weights in sides.items() if weights is not None}

    def decode(self, inputs: Int[Tensor, "N T"], memory: Any, state: Any) -> Decoded:
        decoded: Decoded = self.decoder(self._read(inputs), memory, state)
        return decoded

    def _read(self, inputs: Int[Tensor, "N T"]) -> Float[Tensor, "N T E"]:
        words: Tensor = self.target_words(self.target_embedding(inputs))
        return words if self.decoder.own_dropout else self.dropout(words)

    def loss(self, batch: Batch, decoded: Decoded, smoothing: float = 0.0) -> Loss:
        """Label-smoothed cross-entropy over the real target tokens only."""
        features, gold = self._real_tokens(batch, decoded)
        total = linear_cross_entropy(features, self.output.weight, self.output.bias, gold, smoothing)
        extra = None
        if decoded.sample is not None:
            reward = self._sentence_log_probs(batch, features, gold)
            extra = self.decoder.attention.surrogate(decoded.sample, reward, batch.target_mask)
        return Loss(total, gold.numel(), extra)

    def loss_of_two(self, batch: Batch, first: Decoded, second: Decoded, smoothing: float, alpha: float) -> TwoPasses:
        """R-Drop's loss of two passes over the batch, see ``attnlab.kernels.two_passes``."""
        features, gold = self._real_tokens(batch, first)
        again, _ = self._real_tokens(batch, second)
        return linear_two_passes(features, again, self.output.weight, self.output.bias, gold, smoothing, alpha)

    def token_logits(self, batch: Batch, decoded: Decoded) -> tuple[Float[Tensor, "M V"], Int[Tensor, " M"]]:
        """The logits of each real target token, and the token."""
        features, gold = self._real_tokens(batch, decoded)
        return self.output(features), gold

    @torch.no_grad()
    def sentence_log_probs(self, batch: Batch, decoded: Decoded) -> Float[Tensor, " B"]:
        """ln p(y | x) of each sentence of the batch, end of sentence counted."""
        return self._sentence_log_probs(batch, *self._real_tokens(batch, decoded))

    def _real_tokens(self, batch: Batch, decoded: Decoded) -> tuple[Float[Tensor, "M R"], Int[Tensor, " M"]]:
        """What the output layer reads for each real target token, and the token; all sentences in a row."""
        rows = decoded.features.flatten(0, 1).index_select(0, batch.tokens)
        gold = batch.target[:, 1:].flatten().index_select(0, batch.tokens)
        return self.project(self._drop_features(rows)), gold

    @torch.no_grad()
    def _sentence_log_probs(
        self, batch: Batch, features: Float[Tensor, "M R"], gold: Int[Tensor, " M"]
    ) -> Float[Tensor, " B"]:
        """ln p(y) of each sentence, from the features of its tokens."""
        chunks = zip(features.split(CHUNK), gold.split(CHUNK), strict=True)
        wide = torch.promote_types(features.dtype, torch.float32)  # a sum in half precision would be a guess
        token = torch.cat(
            [-F.cross_entropy(self.output(rows).to(wide), words, reduction="none") for rows, words in chunks]
        )
        sentence = batch.tokens.div(batch.target_mask.size(1), rounding_mode="floor")
        return token.new_zeros(len(batch.target)).index_add(0, sentence, token)

    def word_logits(self, decoded: Decoded) -> Float[Tensor, "N T V"]:
        """The logits of every word at each step."""
        return self.logits(decoded.features)

    def logits(self, features: Float[Tensor, "*N R"]) -> Float[Tensor, "*N V"]:
        logits: Tensor = self.output(self.project(self._drop_features(features)))
        return logits

    def _drop_features(self, features: Float[Tensor, "*N R"]) -> Float[Tensor, "*N R"]:
        return features if self.decoder.own_dropout else self.dropout(features)

    def initial_state(
        self, source: Int[Tensor, "B S"], source_mask: Bool[Tensor, "B S"], beam: int
    ) -> tuple[Searched, Any]:
        """Encode, and give every hypothesis of a sentence the same first state."""
        decoding = self.decoder.decoding_weights()
        memory, state = self.decoder.search_state(self.encode(source, source_mask), decoding)
        rows = torch.arange(source.size(0), device=source.device).repeat_interleave(beam)
        output = (HalfLinear if self.half_output else PackedLinear)(self.output.weight, self.output.bias)
        return Searched(memory, output, decoding), select(state, rows)

    def advance(self, tokens: Int[Tensor, " N"], memory: Searched, state: Any) -> Step:
        """Read one token a hypothesis, tell what may come next."""
        decoded = self.decoder.step(self._read(tokens.unsqueeze(1)), memory.sentences, state, memory.decoder)
        features = self.project(self._drop_features(decoded.features[:, 0]))
        logits = memory.output(features).float()
        log_probs = log_softmax_(logits)
        if log_probs is None:
            log_probs = torch.log_softmax(logits, -1, out=None if logits.requires_grad else logits)
        weights = None if decoded.weights is None else decoded.weights[:, 0]
        return Step(log_probs, weights, decoded.state)


def passes(model: Seq2Seq, learnt: tuple[str, ...] = ("features",)) -> Passes:
    """Training passes for CUDA graphs.

    Args:
        model: called with a batch and the previous words, those of the target unless told others.
        learnt: fields of ``Decoded`` that a loss is put on.
    """
    return Passes(model, read_by_the_network, ("features", "weights", "sample"), learnt)


def read_by_the_network(batch: Batch, inputs: Int[Tensor, "B T"] | None = None) -> tuple[Tensor, ...]:
    """What a pass depends on."""
    return batch.source, batch.source_mask, batch.target[:, :-1] if inputs is None else inputs
