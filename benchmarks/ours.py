"""attnlab's model at the sizes of the comparison, built from ``conf`` as a run builds it, and its training step
without Lightning around it.
"""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, Literal, NamedTuple

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig
from torch import Tensor, nn

from attnlab.cli import folders, project
from attnlab.kernels.cpu_products import MKL, ONEDNN, onednn_pays, products_by
from attnlab.models.seq2seq import Seq2Seq
from attnlab.types import Batch

CLIP = 1.0
Score = Literal["general", "additive"]
Placement = Literal["input_feeding", "early", "bahdanau"]
Precision = Literal["fp32", "autocast", "bf16_products"]

ATTENTION = {"general": "luong_general", "additive": "bahdanau"}
#: ``early`` is Luong's decoder without input feeding, where all of attention is one product; ``bahdanau`` that of
#: Bahdanau et al. 2015: GRU, attention before the step, deep output.
DECODER = {"input_feeding": "luong_input_feeding", "early": "luong", "bahdanau": "bahdanau"}
#: Embeddings 256, one-layer BiLSTM of 256 a direction, one-layer decoder of 512.
SIZES = ("model.embedding_dim=256", "encoder=lstm", "encoder.hidden_dim=256", "decoder.hidden_dim=512")
PLAIN = ("model.dropout=0", "model.initialization.kind=xavier_uniform", "model.initialization.scale=1.0")


@cache
def composed(*overrides: str) -> DictConfig:
    """``conf/train.yaml`` with overrides."""
    folders.register()
    with initialize_config_dir(str(project.configuration()), version_base="1.3"):
        return compose("train", list(overrides))


def build(score: Score, placement: Placement, vocabulary: int, *overrides: str) -> Seq2Seq:
    """The model of the comparison."""
    choices = (f"attention={ATTENTION[score]}", f"decoder={DECODER[placement]}", *SIZES, *PLAIN, *overrides)
    model: Seq2Seq = instantiate(composed(*choices).model)(source_vocabulary=vocabulary, target_vocabulary=vocabulary)
    return model


class Size(NamedTuple):
    """Of a Transformer: its layers on either side, the width of its states, of its feed-forward networks, its heads."""

    layers: int
    width: int
    feedforward: int
    heads: int


def transformer(size: Size, vocabulary: int) -> Seq2Seq:
    """That of ``experiment=multi30k_transformer`` (sinusoids, all embeddings tied), pre-norm, without dropout."""
    sides = [
        f"{side}.{setting}"
        for side in ("encoder", "decoder")
        for setting in (
            f"layers={size.layers}", f"layer.heads={size.heads}", f"layer.feedforward_dim={size.feedforward}",
            "layer.norm=pre",
        )
    ]  # fmt: skip
    choices = ("experiment=multi30k_transformer", "model.dropout=0", f"model.embedding_dim={size.width}", *sides)
    model: Seq2Seq = instantiate(composed(*choices).model)(source_vocabulary=vocabulary, target_vocabulary=vocabulary)
    return model


def size_of(model: Seq2Seq) -> Size:
    """Of a Transformer that was built already."""
    stack: Any = model.encoder.stack
    first = stack[0][0]
    return Size(len(stack), model.output.in_features, first.feedforward[0].out_features, first.self_attention.heads)


class Trainer:
    """Forward, backward, clipping, fused Adam.

    ``autocast`` is what ``trainer.precision=bf16-mixed`` does; ``bf16_products`` lets oneDNN compute the products of
    float32 matrices in bfloat16, which it does on processors with AMX, and leaves everything else as it is.
    """

    def __init__(self, model: Seq2Seq, precision: Precision = "fp32") -> None:
        self.model, self.precision = model.train(), precision
        self.optimizer = torch.optim.Adam(model.parameters(), lr=5e-4, fused=True)

    def step(self, batch: Batch) -> Tensor:
        """One update; float32 is multiplied by the library that a training takes, the peers' by torch's usual one."""
        by_onednn = self.precision == "bf16_products" or (self.precision == "fp32" and onednn_pays())
        with products_by(ONEDNN if by_onednn else MKL):
            with self._context():
                loss = self.model.loss(batch, self.model(batch))
                mean = loss.total / loss.tokens
            self.optimizer.zero_grad(set_to_none=True)
            mean.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self.optimizer.step()
        return mean.detach()

    def _context(self) -> AbstractContextManager[object]:
        return torch.autocast("cpu", torch.bfloat16) if self.precision == "autocast" else nullcontext()
