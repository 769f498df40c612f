"""Bahdanau's and Luong's scores against Keras' attention layers, the weights copied over.

Keras' ``AdditiveAttention`` is sum(v * tanh(q + k)) on projected queries and keys, and its ``Attention`` is q · k;
both take a mask over the values and return context and weights.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"

import warnings

import pytest
import torch
from torch.nn import functional as F

from attnlab.attention.base import Attention
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.bahdanau import Bahdanau
from attnlab.attention.scores.luong_dot import LuongDot
from attnlab.attention.scores.luong_general import LuongGeneral
from attnlab.attention.windows.all import All
from attnlab.types import Encoded

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what Keras warns of on import is not ours to mend
    import keras

B, T, S, Q, K = 3, 4, 6, 8, 8
MASK = torch.arange(S) < torch.tensor([6, 3, 1])[:, None]


@pytest.fixture
def sentence():
    states = torch.randn(B, S, K) * MASK[..., None]
    return Encoded(states, MASK, states.sum(1), ())


def keras_attends(layer, query, values, keys):
    context, weights = layer([query, values, keys], mask=[None, MASK], return_attention_scores=True)
    return context, weights


@pytest.mark.parametrize("score", [Bahdanau, LuongDot, LuongGeneral])
def test_context_and_weights(score, sentence):
    attention = Attention(score, All, Softmax, Q, K)
    query, keys = torch.randn(B, T, Q), sentence.states
    if score is Bahdanau:
        layer = keras.layers.AdditiveAttention(use_scale=True)
        query_in = F.linear(query, attention.score.W_a.weight)
        keys_in = F.linear(keys, attention.score.U_a.weight)
        layer.build([query_in.shape, keys.shape, keys_in.shape])
        layer.scale.assign(attention.score.v_a.weight[0].detach().numpy())
    else:
        layer = keras.layers.Attention()
        query_in = query
        keys_in = F.linear(keys, attention.score.W_a.weight) if score is LuongGeneral else keys
    expected = keras_attends(layer, query_in.detach(), keys, keys_in.detach())
    found = attention(query, attention.memory(sentence))
    torch.testing.assert_close(found.context, expected[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found.weights, expected[1], atol=1e-5, rtol=1e-5)
