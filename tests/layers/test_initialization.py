"""What a Transformer starts from against torch's own attention and the scale of fairseq's embeddings."""

from functools import partial

import pytest
import torch
from torch import nn

from attnlab.attention.base import Attention
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.scaled_dot import ScaledDot
from attnlab.attention.windows.all import All
from attnlab.layers.initialization import Initialization
from attnlab.layers.self_attention import SelfAttention
from attnlab.types import PAD

D = 64


@pytest.fixture
def attention():
    mechanism = partial(Attention, score=ScaledDot, window=All, normalizer=Softmax)
    return SelfAttention(mechanism, D, heads=4, dropout=0.0, causal=False)


def test_projections_start_as_those_of_torchs_attention(attention):
    torch.manual_seed(1)
    Initialization("transformer", 1.0)(attention)
    torchs = nn.MultiheadAttention(D, 4).in_proj_weight.split(D)
    for ours, theirs in zip((attention.W_q, attention.W_k, attention.W_v), torchs, strict=True):
        assert ours.weight.abs().max().item() == pytest.approx(theirs.abs().max().item(), rel=0.01)
        assert ours.weight.std().item() == pytest.approx(theirs.std().item(), rel=0.05)
    assert attention.W_o.weight.abs().max().item() == pytest.approx((6 / (2 * D)) ** 0.5, rel=0.01)


def test_embedded_words_have_unit_variance_once_scaled(attention):
    embedding = nn.Embedding(3000, D, padding_idx=PAD)
    Initialization("transformer", 1.0)(embedding)
    assert (embedding.weight[PAD + 1 :] * D**0.5).std().item() == pytest.approx(1.0, rel=0.02)
    assert not embedding.weight[PAD].any()
