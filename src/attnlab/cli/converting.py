"""A Transformer of a run as a model of CTranslate2, an engine that decodes on CPUs and GPUs in C++.

The equations are the same, so log-probabilities are equal to rounding. Projections of queries, keys and values are put
into one matrix, positions are written out as a table, and a scale of the scores other than 1 / sqrt(head size) is
multiplied into the projection of queries.
"""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from attnlab.atomic import require_place
from attnlab.attention.multi_head import Heads
from attnlab.attention.scores.luong_dot import LuongDot
from attnlab.attention.scores.scaled_dot import ScaledDot
from attnlab.data.tokenizers.base import Tokenizer
from attnlab.decoders.transformer import Transformer as TransformerDecoder
from attnlab.encoders.transformer import Transformer as TransformerEncoder
from attnlab.errors import ConfigError
from attnlab.layers.positions.base import Position
from attnlab.layers.transformer import FeedForward, Stack, Sublayer
from attnlab.models.seq2seq import Seq2Seq
from attnlab.types import BOS, EOS, SPECIALS, UNK

MODEL = "model.bin"  #: by which a folder is a model's
POSITIONS = 1024  #: that are written out of kinds that know any number


def write_ctranslate2(model: Any, source: Tokenizer, target: Tokenizer, tokenizers: Path, output: Path) -> None:
    """Write the folder of a model: ``model.bin``, ``config.json``, vocabularies, and both tokenizers.

    Args:
        model: of the run.
        source: its tokenizer of sources.
        target: likewise of targets.
        tokenizers: the folder of their files.
        output: the folder; one that is there is replaced if it is such a model's.

    Raises:
        ConfigError: CTranslate2 is not installed, has no such model, or the folder is something else's.
    """
    try:
        import ctranslate2  # noqa: F401
    except ImportError as error:
        raise ConfigError("to=ctranslate2: missing: pip install 'attnlab[ctranslate2]'") from error
    if output.is_dir() and any(output.iterdir()) and not (output / MODEL).is_file():
        raise ConfigError(f"output={output}: holds other files; expected a new folder, or that of an earlier export")
    require_place(output / MODEL)
    spec = specification(model, named(source), named(target))
    if output.exists():
        shutil.rmtree(output)
    output.mkdir(parents=True)
    spec.save(str(output))
    for side in ("source", "target"):
        shutil.copyfile(tokenizers / f"{side}.json", output / f"{side}_tokenizer.json")


def named(tokenizer: Tokenizer) -> list[str]:
    """The pieces as they read; one that reads as an earlier one has its id behind it."""
    found = dict.fromkeys(SPECIALS)
    for number, piece in enumerate(tokenizer.tokens(range(len(SPECIALS), len(tokenizer))), len(SPECIALS)):
        found[piece if piece not in found else f"{piece}#{number}"] = None
    return list(found)


def specification(model: Any, source: Sequence[str], target: Sequence[str]) -> Any:
    """The model as CTranslate2 describes one.

    Raises:
        ConfigError: it has something that CTranslate2 has not; all that is wrong.
    """
    import ctranslate2.specs as specs

    if faults := list(dict.fromkeys(unlike(model))):
        raise ConfigError("to=ctranslate2: it has plain Transformers only; " + "; ".join(faults))
    encoder, decoder = model.encoder.stack, model.decoder.stack
    heads = encoder[0][0].self_attention.heads
    pre_norm = encoder[0][0].around_self.first
    gelu = isinstance(encoder[0][0].feedforward[1], nn.GELU)
    activation = specs.Activation.GELU if gelu else specs.Activation.RELU
    spec = specs.TransformerSpec(
        specs.TransformerEncoderSpec(len(encoder), heads, pre_norm=pre_norm, activation=activation),
        specs.TransformerDecoderSpec(
            len(decoder), heads, pre_norm=pre_norm, activation=activation, alignment_layer=model.decoder.aligned,
            alignment_heads=heads,
        ),
    )  # fmt: skip
    words(spec.encoder.embeddings[0], spec.encoder, model.source_embedding, encoder)
    words(spec.decoder.embeddings, spec.decoder, model.target_embedding, decoder)
    for described, (layer, _) in zip(spec.encoder.layer, encoder, strict=True):
        self_attention(described.self_attention, layer.self_attention, layer.around_self)
        feedforward(described.ffn, layer.feedforward, layer.around_feedforward)
    for described, (layer, _) in zip(spec.decoder.layer, decoder, strict=True):
        self_attention(described.self_attention, layer.self_attention, layer.around_self)
        source_attention(described.attention, layer.attention, layer.around_attention)
        feedforward(described.ffn, layer.feedforward, layer.around_feedforward)
    if pre_norm:
        norm(spec.encoder.layer_norm, encoder.norm)
        norm(spec.decoder.layer_norm, decoder.norm)
    linear(spec.decoder.projection, model.output.weight, model.output.bias)
    spec.register_source_vocabulary(list(source))
    spec.register_target_vocabulary(list(target))
    config = spec.config
    config.bos_token, config.eos_token, config.unk_token = (SPECIALS[number] for number in (BOS, EOS, UNK))
    config.decoder_start_token = SPECIALS[BOS]
    config.add_source_bos = config.add_source_eos = False
    spec.validate()
    spec.optimize()
    return spec


def unlike(model: Any) -> Iterator[str]:
    """What CTranslate2's Transformers have not."""
    if not isinstance(model, Seq2Seq):
        yield f"this run is a {type(model).__name__}"
        return
    for side, kind in ((model.encoder, TransformerEncoder), (model.decoder, TransformerDecoder)):
        if not isinstance(side, kind):
            yield f"{kind.__module__.split('.')[1][:-1]} is {type(side).__name__}, expected transformer"
    if not (isinstance(model.encoder, TransformerEncoder) and isinstance(model.decoder, TransformerDecoder)):
        return
    stacks = (model.encoder.stack, model.decoder.stack)
    for stack in stacks:
        position: Any = stack.positions[0]
        if not added(position):
            yield f"position {type(position).__name__}, expected one that is added (sinusoidal, learned)"
        if not all(layer.around_self.residual for layer, _ in stack):
            yield "residual=false"
        for attention in attentions(stack):
            if not plain(attention):
                yield f"{said(attention)}, expected scaled_dot with softmax over all positions"
            elif attention.kv_heads != attention.heads:
                yield "heads that share keys and values (kv_heads)"
    if len({one.heads for stack in stacks for one in attentions(stack) if isinstance(one, Heads)}) > 1:
        yield "numbers of heads that differ"
    if len({layer.around_self.first for stack in stacks for layer, _ in stack}) > 1:
        yield "norms that differ between encoder and decoder"
    if len({type(layer.feedforward[1]) for stack in stacks for layer, _ in stack}) > 1:
        yield "activations that differ between encoder and decoder"


def plain(attention: nn.Module) -> bool:
    """Whether it is the softmax of products, over all positions."""
    return isinstance(attention, Heads) and attention.fused and type(attention.mechanism.score) in (ScaledDot, LuongDot)


def attentions(stack: Any) -> Iterator[Any]:
    """Of all layers, at their own words and at the source."""
    for layer, _ in stack:
        yield layer.self_attention
        if hasattr(layer, "attention"):
            yield layer.attention


def said(attention: nn.Module) -> str:
    mechanism = getattr(attention, "mechanism", attention)
    parts = [type(getattr(mechanism, part, mechanism)).__name__ for part in ("score", "window", "normalizer")]
    return f"attention {' with '.join(dict.fromkeys(parts))}"


def added(position: Position) -> bool:
    """Whether a position is a vector that is added to an embedded word."""
    if position.relative:
        return False
    some = torch.randn(1, 3, position.model_dim, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return torch.allclose(position.embed(some, 0) - some, position.embed(torch.zeros_like(some), 0), atol=1e-5)


def words(described: Any, side: Any, embedding: nn.Embedding, stack: Stack[Any]) -> None:
    """Embedded words and where they stand."""
    described.weight = numbers(embedding.weight)
    side.scale_embeddings = stack.scale != 1.0
    position: Any = stack.positions[0]
    nothing = embedding.weight.new_zeros(1, position.longest or POSITIONS, embedding.embedding_dim)
    side.position_encodings.encodings = numbers(position.embed(nothing, 0)[0])


def self_attention(described: Any, attention: Heads, around: Sublayer) -> None:
    linear(described.linear[0], torch.cat([queries(attention), keys(attention), attention.W_v.weight]))
    linear(described.linear[1], attention.W_o.weight)
    norm(described.layer_norm, around.norm)


def source_attention(described: Any, attention: Heads, around: Sublayer) -> None:
    linear(described.linear[0], queries(attention))
    linear(described.linear[1], torch.cat([keys(attention), attention.W_v.weight]))
    linear(described.linear[2], attention.W_o.weight)
    norm(described.layer_norm, around.norm)


def queries(attention: Any) -> Float[Tensor, "D D"]:
    """Their projection, with what the score is multiplied by beyond 1 / sqrt(head size)."""
    scaled: Tensor = attention.W_q.weight * attention.mechanism.score.product_scale * attention.head_dim**0.5
    return scaled


def keys(attention: Any) -> Float[Tensor, "D D"]:
    weight: Tensor = attention.W_k.weight
    return weight


def feedforward(described: Any, network: FeedForward, around: Sublayer) -> None:
    first, last = network[0], network[3]
    linear(described.linear_0, first.weight, first.bias)
    linear(described.linear_1, last.weight, last.bias)
    norm(described.layer_norm, around.norm)


def norm(described: Any, module: nn.Module) -> None:
    described.gamma, described.beta = numbers(module.weight), numbers(module.bias)


def linear(described: Any, weight: Any, bias: Any = None) -> None:
    described.weight = numbers(weight)
    if bias is not None:
        described.bias = numbers(bias)


def numbers(tensor: Any) -> NDArray[np.float32]:
    found: NDArray[np.float32] = tensor.detach().float().cpu().numpy()
    return found
