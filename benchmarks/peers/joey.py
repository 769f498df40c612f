"""JoeyNMT 2.3.0: its own model, loss, batch and search, at the sizes and with the ids of the comparison."""

from contextlib import nullcontext
from typing import Any

import torch
from joeynmt.batch import Batch as JoeyBatch
from joeynmt.model import Model, build_model
from joeynmt.search import search
from ours import size_of
from peers.copying import copy
from torch import Tensor, nn

from attnlab.models.seq2seq import Seq2Seq
from attnlab.types import BOS, EOS, PAD, SPECIALS, UNK, Batch

ATTENTION = {"general": "luong", "additive": "bahdanau"}


class Ids:
    """What JoeyNMT's model reads of a vocabulary, with attnlab's ids."""

    pad_index, bos_index, eos_index, unk_index, sep_index = PAD, BOS, EOS, UNK, None
    specials, lang_tags = list(SPECIALS), []

    def __init__(self, size: int) -> None:
        self.size = size

    def lookup(self, token: str) -> int:
        return SPECIALS.index(token)

    def __len__(self) -> int:
        return self.size


def build(score: str, input_feeding: bool, vocabulary: int, init_hidden: str = "bridge") -> Model:
    """The model of a JoeyNMT configuration."""
    embeddings = {"embedding_dim": 256, "scale": False, "dropout": 0.0}
    rnn = {"rnn_type": "lstm", "num_layers": 1, "dropout": 0.0, "type": "recurrent", "embeddings": embeddings}
    config = {
        "initializer": "xavier_uniform",
        "embed_initializer": "xavier_uniform",
        "bias_initializer": "zeros",
        "init_rnn_orthogonal": False,
        "lstm_forget_gate": 0.0,
        "encoder": {**rnn, "hidden_size": 256, "bidirectional": True},
        "decoder": {
            **rnn,
            "hidden_size": 512,
            "hidden_dropout": 0.0,
            "input_feeding": input_feeding,
            "attention": ATTENTION[score],
            "init_hidden": init_hidden,
        },
    }
    return built(config, vocabulary)


def built(config: dict[str, Any], vocabulary: int) -> Model:
    """The model of a configuration, with its cross-entropy."""
    ids = Ids(vocabulary)
    model = build_model(config, src_vocab=ids, trg_vocab=ids)
    model.loss_function = ("crossentropy", 0.0)
    return model


def transformer(ours: Seq2Seq) -> Model:
    """The Transformer of the sizes and the weights of attnlab's; biases that attnlab has not are zero."""
    size = size_of(ours)
    part = {
        "type": "transformer",
        "num_layers": size.layers,
        "num_heads": size.heads,
        "hidden_size": size.width,
        "ff_size": size.feedforward,
        "dropout": 0.0,
        "layer_norm": "pre",
        "embeddings": {"embedding_dim": size.width, "scale": True, "dropout": 0.0},
    }
    tied = {"tied_embeddings": True, "tied_softmax": True}
    joey = built({**tied, "initializer": "xavier_uniform", "encoder": part, "decoder": part}, ours.output.out_features)
    copy_transformer(ours, joey)
    return joey


def batch_of(batch: Batch, train: bool = True) -> JoeyBatch:
    """The same ids as JoeyNMT's own batch, sorted by source length as its packed encoder wants them."""
    joey = JoeyBatch(
        src=batch.source,
        src_length=batch.source_mask.sum(1),
        src_prompt_mask=None,
        trg=batch.target if train else None,
        trg_prompt_mask=None,
        indices=batch.index,
        device=batch.source.device,
        pad_index=PAD,
        eos_index=EOS,
        is_train=train,
    )
    joey.order = joey.sort_by_src_length()
    return joey


class Trainer:
    """``TrainManager._train_step`` and its update, with the library's Adam and clipping."""

    def __init__(self, model: Model, autocast: bool = False) -> None:
        self.model = model.train()
        self.context = lambda: torch.autocast("cpu", torch.bfloat16) if autocast else nullcontext()
        self.optimizer = torch.optim.Adam(model.parameters(), lr=5e-4)

    def step(self, batch: JoeyBatch) -> Tensor:
        with self.context():
            loss, _, _, _ = self.model(return_type="loss", **vars(batch))
        mean = batch.normalize(loss, normalization="tokens")
        mean.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return mean.detach()


def translate(model: Model, batch: JoeyBatch, beam: int, steps: int, forced: bool, alpha: float) -> list[list[int]]:
    """Ids of the translations, in the order of the batch given; ``forced``: exactly ``steps`` tokens."""
    found, _, _ = search(
        model=model,
        batch=batch,
        max_output_length=steps,
        beam_size=beam,
        beam_alpha=alpha,
        min_output_length=steps if forced else 0,
        return_attention=False,
        return_prob="none",
        generate_unk=True,
    )
    rows = [found[place].tolist() for place in batch.order]
    return [row[: row.index(EOS)] if EOS in row else row for row in rows]


@torch.no_grad()
def copy_weights(ours: Seq2Seq, joey: Model) -> None:
    """attnlab's weights into JoeyNMT's model: same equations where the bridge is ``zeros`` and no output bias is."""
    parts: Any = ours.decoder
    copied = {
        joey.src_embed.lut.weight: ours.source_embedding.weight,
        joey.trg_embed.lut.weight: ours.target_embedding.weight,
        joey.decoder.output_layer.weight: ours.output.weight,
    }
    for suffix, rnn in (("", ours.encoder.rnns[0]), ("_reverse", ours.encoder.rnns[1])):
        for name, value in rnn.named_parameters():
            copied[getattr(joey.encoder.rnn, name + suffix)] = value
    for name, value in parts.recurrent.rnn.named_parameters():
        copied[getattr(joey.decoder.rnn, name)] = value
    score, attention = parts.attention.score, joey.decoder.attention
    if hasattr(attention, "energy_layer"):
        copied |= {
            attention.key_layer.weight: score.U_a.weight,
            attention.query_layer.weight: score.W_a.weight,
            attention.energy_layer.weight: score.v_a.weight,
        }
    else:
        copied[attention.key_layer.weight] = score.W_a.weight
    context, state = parts.readout.W_c.weight.split([512, 512], dim=1)
    copied[joey.decoder.att_vector_layer.weight] = torch.cat([state, context], dim=1)
    copy(copied.items())
    joey.decoder.att_vector_layer.bias.zero_()


@torch.no_grad()
def copy_transformer(ours: Any, joey: Any) -> None:
    """Weights, and the epsilon of the norms; where attnlab's output layer has learnt a bias, JoeyNMT's gets it."""
    copied = [(joey.trg_embed.lut.weight, ours.target_embedding.weight)]
    for side, theirs in ((ours.encoder.stack, joey.encoder), (ours.decoder.stack, joey.decoder)):
        norms = [(theirs.layer_norm, side.norm)]
        for (layer, _), their in zip(side, theirs.layers, strict=True):
            decodes = hasattr(layer, "attention")
            attentions = [(their.trg_trg_att if decodes else their.src_src_att, layer.self_attention)]
            norms += [(their.x_layer_norm if decodes else their.layer_norm, layer.around_self.norm)]
            if decodes:
                attentions.append((their.src_trg_att, layer.attention))
                norms.append((their.dec_layer_norm, layer.around_attention.norm))
            norms.append((their.feed_forward.layer_norm, layer.around_feedforward.norm))
            for to, attention in attentions:
                for name, projection in (("q", "W_q"), ("k", "W_k"), ("v", "W_v"), ("output", "W_o")):
                    made = getattr(to, f"{name}_layer")
                    copied.append((made.weight, getattr(attention, projection).weight))
                    made.bias.zero_()
            for place in (0, 3):
                to, network = their.feed_forward.pwff_layer[place], layer.feedforward[place]
                copied += [(to.weight, network.weight), (to.bias, network.bias)]
        for to, norm in norms:
            to.eps = norm.eps
            copied += [(to.weight, norm.weight), (to.bias, norm.bias)]
    copy(copied)
    if ours.output.bias.any():
        joey.decoder.output_layer.bias = nn.Parameter(ours.output.bias.clone())
