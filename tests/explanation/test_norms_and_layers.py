"""Norms against what single positions add; rollout and flow against products by hand and another library's networks."""

from functools import partial

import networkx
import numpy as np
import pytest
import torch
from known import instances

from attnlab.attention.base import Attention
from attnlab.attention.given import given, norms_of, watching
from attnlab.attention.multi_head import MultiHead
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.bahdanau import Bahdanau
from attnlab.attention.scores.key_value import KeyValue
from attnlab.attention.scores.scaled_dot import ScaledDot
from attnlab.attention.windows.all import All
from attnlab.encoders.transformer import Transformer
from attnlab.explanation import layers
from attnlab.explanation.adversary import Search
from attnlab.explanation.explaining import Settings, explain
from attnlab.layers.initialization import Initialization
from attnlab.layers.positions.sinusoidal import Sinusoidal
from attnlab.layers.transformer import LayerSettings
from attnlab.models.classifier import Classifier
from attnlab.pooling.context_vector import ContextVector
from attnlab.tasks.classification.explaining import TextInstances
from attnlab.types import Encoded

MECHANISMS = {
    "states": partial(Attention, partial(Bahdanau, attention_dim=4), All, Softmax),
    "half": partial(Attention, KeyValue, All, Softmax),
    "heads": partial(MultiHead, ScaledDot, All, Softmax, heads=2),
}


@pytest.mark.parametrize("kind", MECHANISMS)
def test_a_norm_is_the_length_of_what_is_found_where_all_other_weights_are_0(kind):
    torch.manual_seed(2)
    attention = MECHANISMS[kind](query_dim=6, key_dim=8).double()
    states, query = torch.randn(2, 4, 8, dtype=torch.float64), torch.randn(2, 3, 6, dtype=torch.float64)
    memory = attention.memory(Encoded(states, torch.ones(2, 4, dtype=torch.bool), states[:, 0], ()))
    with watching(attention) as spy:
        attention(query, memory)
    found = norms_of(attention, spy.seen[0], spy.values[0])
    for place in range(4):
        alone = spy.seen[0] * (torch.arange(4) == place)
        with given(attention, alone):
            context = attention(query, memory).context
        torch.testing.assert_close(found[..., place], context.norm(dim=-1))


def mixing(depth=2):
    torch.manual_seed(4)
    mask = instances().mask
    return torch.rand(3, depth, 5, 5, dtype=torch.float64).softmax(-1) * mask[:, None, None]


def residual(matrix):
    return [[(w / sum(row) + (i == j)) / 2 for j, w in enumerate(row)] for i, row in enumerate(matrix)]


def test_rollout_by_a_scalar_loop():
    found = instances()
    rolled = layers.rollout(found, mixing())
    for row, length in enumerate(found.lengths.tolist()):
        first, second = (residual(layer[:length, :length].tolist()) for layer in mixing()[row])
        own = found.attention[row].tolist()
        for j in range(length):
            ways = [(i, k) for i in range(length) for k in range(length)]
            assert rolled[row, j].item() == pytest.approx(sum(own[i] * second[i][k] * first[k][j] for i, k in ways))
    torch.testing.assert_close(rolled.sum(1), torch.ones(3, dtype=torch.float64))


def test_flow_by_another_library():
    found = instances()
    flows = layers.flow(found, mixing())
    for row, length in enumerate(found.lengths.tolist()):
        graph = networkx.DiGraph()
        for j, weight in enumerate(found.attention[row, :length].tolist()):
            graph.add_edge("look", (2, j), capacity=weight)
        for depth, layer in enumerate(mixing()[row]):
            for i, weights in enumerate(residual(layer[:length, :length].tolist())):
                for j, weight in enumerate(weights):
                    graph.add_edge((depth + 1, i), (depth, j), capacity=weight)
        expected = [networkx.maximum_flow_value(graph, "look", (0, j)) for j in range(length)]
        assert flows[row, :length].tolist() == pytest.approx(expected, abs=1e-5)


def test_where_nothing_was_mixed_it_is_attention():
    """Every position has read itself alone."""
    found = instances()
    alone = torch.eye(5, dtype=torch.float64).expand(3, 2, 5, 5)
    torch.testing.assert_close(layers.rollout(found, alone), found.attention)
    torch.testing.assert_close(layers.flow(found, alone), found.attention, rtol=0, atol=1e-6)


def test_of_too_many_positions_there_is_no_flow(monkeypatch):
    monkeypatch.setattr(layers, "LONGEST", 3)
    assert torch.isnan(layers.flow(instances(), mixing())[0]).all()
    assert torch.isfinite(layers.flow(instances(), mixing())[1]).all()


def test_a_transformer_has_rollout_and_flow_and_their_measures():
    torch.manual_seed(5)
    heads = partial(Attention, ScaledDot, All, Softmax)
    encoder = partial(
        Transformer, position=Sinusoidal, self_attention=heads, layer=LayerSettings(heads=2, dropout=0.0), layers=2
    )
    pooling = partial(ContextVector, attention=MECHANISMS["states"])
    model = Classifier(20, 3, encoder, pooling, Initialization("uniform", 0.5), embedding_dim=8).double().eval()
    mask = torch.arange(6) < torch.tensor([6, 4]).unsqueeze(1)
    words = torch.randint(4, 20, mask.shape) * mask
    found = TextInstances(model.read(words, mask).detach(), mask, model)
    read = model.encoder.self_weights(found.inputs, mask)
    torch.testing.assert_close(found.mixing(), sum(read[:, :, h] for h in range(2)) / 2)
    explained = explain(found, Settings(5, Search(1, 2), captum=False), torch.Generator().manual_seed(0))
    for name in ("norm", "rollout", "flow"):
        for measure in (f"tau_{name}", f"tau_gradient_{name}", f"comprehensiveness_{name}", f"sufficiency_{name}"):
            assert np.isfinite(explained.measures[measure]).all(), measure
    states = model.encoder(found.inputs, mask).states
    norms = found.attention * states.norm(dim=-1) * mask
    torch.testing.assert_close(explained.rankings["norm"], norms)


def test_a_model_that_copies_is_explained_by_its_norms_as_by_its_weights():
    """Inputs are one-hot, of length 1: what attention is asked, norms answer alike."""
    found = explain(instances(), Settings(5, None, captum=False), torch.Generator().manual_seed(0)).measures
    assert found["tau_norm"][:2].tolist() == pytest.approx([1, 1])
    for name in ("comprehensiveness", "sufficiency", "tau_leave_one_out"):
        assert found[f"{name}_norm"][:2].tolist() == pytest.approx(found[name][:2].tolist())
    assert "tau_rollout" not in found
