"""OpenNMT-py 3.5.1: its own model, loss and translator, at the sizes and with the ids of the comparison."""

import warnings
from argparse import Namespace
from contextlib import nullcontext
from typing import Any

import torch
from ours import size_of
from peers.copying import copy
from torch import Tensor, nn

from attnlab.models.seq2seq import Seq2Seq
from attnlab.types import BOS, EOS, PAD, UNK, Batch

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pyonmttok
    from onmt import opts
    from onmt.model_builder import build_model
    from onmt.translate import GNMTGlobalScorer, Translator
    from onmt.utils.loss import LossCompute
    from onmt.utils.parse import ArgumentParser

ATTENTION = {"general": "general", "additive": "mlp"}


def vocabularies(size: int) -> dict[str, Any]:
    """attnlab's ids under OpenNMT's names for the special symbols."""
    specials = ["<blank>", "<unk>", "<s>", "</s>"]
    words = [f"w{number}" for number in range(len(specials), size)]
    vocabulary = pyonmttok.build_vocab_from_tokens(words, special_tokens=specials)
    assert [vocabulary[token] for token in specials] == [PAD, UNK, BOS, EOS]
    return {"src": vocabulary, "tgt": vocabulary, "data_task": "seq2seq", "decoder_start_token": "<s>"}


def options(score: str, input_feeding: bool) -> Namespace:
    """The options of ``onmt_train`` for the recurrent model."""
    sizes = ["-word_vec_size", "256", "-hidden_size", "512", "-layers", "1", "-dropout", "0.0"]
    kind = ["-encoder_type", "brnn", "-decoder_type", "rnn", "-rnn_type", "LSTM"]
    attention = ["-global_attention", ATTENTION[score], "-input_feed", str(int(input_feeding))]
    found = parsed(*sizes, *kind, *attention)
    found.brnn = True
    return found


def parsed(*words: str) -> Namespace:
    parser = ArgumentParser()
    opts.train_opts(parser)
    found, _ = parser.parse_known_args([*words, "-param_init_glorot", "-data", "{}", "-src_vocab", ""])
    ArgumentParser.update_model_opts(found)
    return found


def transformer_options(ours: Any) -> Namespace:
    """Those for the Transformer of the sizes of attnlab's."""
    size = size_of(ours)
    return parsed(
        "-encoder_type", "transformer", "-decoder_type", "transformer", "-layers", str(size.layers),
        "-hidden_size", str(size.width), "-word_vec_size", str(size.width), "-transformer_ff", str(size.feedforward),
        "-heads", str(size.heads), "-dropout", "0.0", "-attention_dropout", "0.0", "-position_encoding", "-add_ffnbias",
        "-norm_eps", str(ours.encoder.stack.norm.eps), "-share_embeddings", "-share_decoder_embeddings",
    )  # fmt: skip


def transformer(ours: Seq2Seq) -> nn.Module:
    """The Transformer of the sizes and the weights of attnlab's."""
    model = build(transformer_options(ours), ours.output.out_features)
    copy_transformer(ours, model)
    return model


def build(opt: Namespace, vocabulary: int) -> nn.Module:
    """The model of those options."""
    return build_model(opt, opt, vocabularies(vocabulary), None, -1)


def batch_of(batch: Batch, train: bool = True) -> dict[str, Tensor]:
    """The same ids as OpenNMT's batches of tensors; for a search without the target, which it would score as well."""
    source = {"src": batch.source.unsqueeze(-1), "srclen": batch.source_mask.sum(1), "indices": batch.index}
    return {**source, "tgt": batch.target.unsqueeze(-1)} if train else source


class Trainer:
    """``Trainer._gradient_accumulation`` of one batch, with clipping and torch's Adam."""

    def __init__(self, model: nn.Module, opt: Namespace, vocabulary: int, autocast: bool = False):
        self.model = model.train()
        self.loss = LossCompute.from_opts(opt, model, vocabularies(vocabulary)["tgt"])
        self.context = lambda: torch.autocast("cpu", torch.bfloat16) if autocast else nullcontext()
        self.optimizer = torch.optim.Adam(model.parameters(), lr=5e-4)

    def step(self, batch: dict[str, Tensor]) -> Tensor:
        tokens = batch["tgt"][:, 1:, 0].ne(self.loss.padding_idx).sum()
        with self.context():
            outputs, attentions = self.model(batch["src"], batch["tgt"], batch["srclen"], bptt=False, with_align=False)
            loss, _ = self.loss(batch, outputs, attentions)
        mean = loss / tokens
        mean.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return mean.detach()


class Search:
    """``onmt_translate``'s translator around a model in memory."""

    def __init__(self, model: nn.Module, vocabulary: int, beam: int, alpha: float) -> None:
        self.model, self.beam = model.eval(), beam
        scorer = GNMTGlobalScorer(alpha, 0.0, "wu" if alpha else "none", "none")
        self.translator = Translator(
            self.model, vocabularies(vocabulary), beam_size=beam, max_length_ratio=0.0, global_scorer=scorer
        )

    def __call__(self, batch: dict[str, Tensor], steps: int, forced: bool) -> list[list[int]]:
        self.translator.max_length = steps
        self.translator.min_length = steps if forced else 0
        found = self.translator.translate_batch(batch, attn_debug=False)["predictions"]
        rows = [best[0].tolist() for best in found]
        return [row[: row.index(EOS)] if EOS in row else row for row in rows]


@torch.no_grad()
def copy_weights(ours: Seq2Seq, onmt: Any) -> None:
    """attnlab's weights into OpenNMT's model: same equations for ``general`` where the bridge is ``last``."""
    parts: Any = ours.decoder
    pairs = [
        (onmt.encoder.embeddings.word_lut.weight, ours.source_embedding.weight),
        (onmt.decoder.embeddings.word_lut.weight, ours.target_embedding.weight),
        (onmt.generator.weight, ours.output.weight),
        (onmt.generator.bias, ours.output.bias),
        (onmt.decoder.attn.linear_in.weight, parts.attention.score.W_a.weight.T),
        (onmt.decoder.attn.linear_out.weight, parts.readout.W_c.weight),
    ]
    for suffix, rnn in (("", ours.encoder.rnns[0]), ("_reverse", ours.encoder.rnns[1])):
        pairs += [(getattr(onmt.encoder.rnn, name + suffix), value) for name, value in rnn.named_parameters()]
    cell = onmt.decoder.rnn.layers[0] if hasattr(onmt.decoder.rnn, "layers") else onmt.decoder.rnn
    for name, value in parts.recurrent.rnn.named_parameters():
        pairs.append((getattr(cell, name if hasattr(cell, name) else name.removesuffix("_l0")), value))
    copy(pairs)


@torch.no_grad()
def copy_transformer(ours: Any, onmt: Any) -> None:
    """All weights; OpenNMT-py's layers are pre-norm and have attnlab's parts under other names."""
    pairs = [
        (onmt.decoder.embeddings.word_lut.weight, ours.target_embedding.weight),
        (onmt.generator.bias, ours.output.bias),
    ]
    for side, theirs in ((ours.encoder.stack, onmt.encoder), (ours.decoder.stack, onmt.decoder)):
        both: list[tuple[Any, Any]] = [(theirs.layer_norm, side.norm)]
        layers = theirs.transformer_layers if hasattr(theirs, "transformer_layers") else theirs.transformer
        for (layer, _), their in zip(side, layers, strict=True):
            both.append((their.feed_forward.layer_norm, layer.around_feedforward.norm))
            both += [(their.feed_forward.w_1, layer.feedforward[0]), (their.feed_forward.w_2, layer.feedforward[3])]
            attentions = [(their.self_attn, layer.self_attention)]
            if hasattr(layer, "attention"):
                attentions.append((their.context_attn, layer.attention))
                both += [
                    (their.layer_norm_1, layer.around_self.norm),
                    (their.layer_norm_2, layer.around_attention.norm),
                ]
            else:
                both.append((their.layer_norm, layer.around_self.norm))
            for to, attention in attentions:
                for name, projection in (("query", "W_q"), ("keys", "W_k"), ("values", "W_v")):
                    pairs.append((getattr(to, f"linear_{name}").weight, getattr(attention, projection).weight))
                pairs.append((to.final_linear.weight, attention.W_o.weight))
        pairs += [pair for to, module in both for pair in ((to.weight, module.weight), (to.bias, module.bias))]
    copy(pairs)
