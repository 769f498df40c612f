from functools import partial

import pytest
import torch

from attnlab.attention.base import Attention
from attnlab.attention.none import NoAttention
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.bahdanau import Bahdanau as Additive
from attnlab.attention.scores.luong_general import LuongGeneral
from attnlab.attention.windows.all import All
from attnlab.layers.bridges import Learned
from attnlab.layers.dims import SourceDims
from attnlab.types import Encoded

E, H, V, S, B = 5, 6, 4, 7, 3
SCORES = {"additive": Additive, "general": LuongGeneral}


def attention(name):
    if name == "none":
        return NoAttention
    return partial(Attention, SCORES[name], All, Softmax)


@pytest.fixture
def encoded():
    mask = torch.arange(S) < torch.tensor([7, 4, 1])[:, None]
    states = torch.randn(B, S, V, dtype=torch.float64) * mask[..., None]
    return Encoded(states, mask, torch.randn(B, V, dtype=torch.float64), ())


@pytest.fixture
def make():
    def build(decoder, score, readout, **settings):
        source = SourceDims(states=V, summary=V, final=V, layers=1, parts=1)
        built = decoder(E, source, attention(score), Learned, readout, hidden_dim=H, **settings)
        return built.double().eval()

    return build
