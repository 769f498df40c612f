"""The hand-written loops against the same decoder stepped by autograd: outputs and every gradient, dropout included."""

from functools import partial

import pytest
import torch

from attnlab.attention.base import Attention
from attnlab.attention.multi_head import MultiHead
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.bahdanau import Bahdanau as Additive
from attnlab.attention.scores.luong_concat import LuongConcat
from attnlab.attention.scores.luong_general import LuongGeneral
from attnlab.attention.scores.scaled_dot import ScaledDot
from attnlab.attention.windows.all import All
from attnlab.attention.windows.local_m import LocalM
from attnlab.decoders import loops
from attnlab.decoders.bahdanau import Bahdanau
from attnlab.decoders.conditional_gru import ConditionalGru
from attnlab.decoders.luong import Luong
from attnlab.decoders.luong_input_feeding import LuongInputFeeding
from attnlab.decoders.readout import Attentional, DeepOutput, TanhOutput
from attnlab.kernels import packed_linear
from attnlab.kernels.steps.loops import LoopFunction
from attnlab.layers.bridges import Learned
from attnlab.layers.dims import SourceDims
from attnlab.types import Encoded

N, T, S, E, V, H = 3, 4, 5, 3, 6, 6
CELLS = ("lstm", "gru", "gru_reset_before", "rnn")
DECODERS = [
    *((LuongInputFeeding, Attentional, {"cell": c, "layers": n}) for c in CELLS for n in (1, 2)),
    *((Bahdanau, DeepOutput, {"cell": c, "layers": n}) for c in CELLS for n in (1, 3)),
    *((ConditionalGru, TanhOutput, {"cell": c}) for c in ("gru", "gru_reset_before")),
]
SCORES = [LuongGeneral, ScaledDot, Additive, partial(LuongConcat, attention_dim=2)]


def build(kind, score, readout, settings, temperature=1.0):
    source = SourceDims(states=V, summary=V, final=V, layers=1, parts=1)
    attention = partial(Attention, score, All, partial(Softmax, temperature))
    return kind(E, source, attention, Learned, readout, hidden_dim=H, **settings).double()


def inputs():
    mask = torch.arange(S) < torch.tensor([5, 3, 1])[:, None]
    states = (torch.randn(N, S, V, dtype=torch.float64) * mask[..., None]).requires_grad_()
    summary = torch.randn(N, V, dtype=torch.float64, requires_grad=True)
    embedded = torch.randn(N, T, E, dtype=torch.float64, requires_grad=True)
    return embedded, Encoded(states, mask, summary, ())


def outcome(decoder, road, embedded, encoded):
    """Features, weights and last state, and the gradients of a loss that reads all of them."""
    torch.manual_seed(1)  # the same dropout masks on both roads
    memory, state = decoder.initial_state(encoded)
    decoded = road(embedded, memory, state)
    outputs = [decoded.features, decoded.weights, *decoded.state.cells]
    loss = sum((output * torch.linspace(-1, 1, output.numel()).view(output.shape)).sum() for output in outputs)
    loss = loss + (0 if decoded.state.feed is None else decoded.state.feed.square().sum())
    return outputs, torch.autograd.grad(loss, [embedded, encoded.states, encoded.summary, *decoder.parameters()])


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(("kind", "readout", "settings"), DECODERS)
def test_a_whole_loop_equals_autograd_through_the_steps(kind, readout, settings, score):
    dropout = {"dropout": 0.4} if settings.get("layers", 1) > 1 else {}
    decoder = build(kind, score, readout, settings | dropout, temperature=0.7).train()
    embedded, encoded = inputs()
    whole = outcome(decoder, decoder, embedded, encoded)
    stepped = outcome(decoder, decoder.step_by_step, embedded, encoded)
    torch.testing.assert_close(whole, stepped, atol=1e-11, rtol=1e-9)


@pytest.mark.parametrize(
    ("kind", "readout", "settings"), [*DECODERS, (Luong, Attentional, {"cell": "gru", "layers": 2})]
)
def test_steps_of_a_search_with_weights_laid_out_equal_the_whole(kind, readout, settings, monkeypatch):
    monkeypatch.setattr(packed_linear, "LARGE", 0)
    decoder = build(kind, LuongGeneral, readout, settings).float().eval()
    embedded, encoded = inputs()
    embedded, encoded = (
        embedded.detach().float(),
        encoded._replace(states=encoded.states.detach().float(), summary=encoded.summary.detach().float()),
    )
    with torch.inference_mode():
        memory, state = decoder.initial_state(encoded)
        whole = decoder(embedded, memory, state)
        decoding, steps = decoder.decoding_weights(), []
        assert decoding.stacks[0].known.packed is not None
        for word in embedded.split(1, dim=1):
            steps.append(decoder.step(word, memory, state, decoding))
            state = steps[-1].state
    torch.testing.assert_close(torch.cat([step.features for step in steps], 1), whole.features)
    torch.testing.assert_close(torch.cat([step.weights for step in steps], 1), whole.weights)
    torch.testing.assert_close(state.cells, whole.state.cells)


@pytest.mark.parametrize("score", [LuongGeneral, Additive])
@pytest.mark.parametrize(("kind", "readout", "settings"), DECODERS)
def test_gradcheck(monkeypatch, kind, readout, settings, score):
    """Finite differences of the node itself, over all of its tensors and all of its outputs."""
    calls = []
    plain = loops.run_loop
    monkeypatch.setattr(loops, "run_loop", lambda *call: calls.append(call) or plain(*call))
    decoder = build(kind, score, readout, settings)
    embedded, encoded = inputs()
    decoder(embedded, *decoder.initial_state(encoded))
    ((plan, known, looked, *rest),) = calls
    keys, values, mask, scale, weights = looked
    tensors = [t.detach().requires_grad_() for t in (known, keys, values, *weights, *rest)]

    def node(*given):
        return LoopFunction.apply(plan, (mask, scale), len(weights), *given)

    assert torch.autograd.gradcheck(node, tensors, fast_mode=True)


def test_a_second_backward_pass_gives_the_same():
    decoder = build(LuongInputFeeding, Additive, Attentional, {"cell": "lstm"})
    embedded, encoded = inputs()
    features = decoder(embedded, *decoder.initial_state(encoded)).features.sin().sum()
    first = torch.autograd.grad(features, list(decoder.recurrent.parameters()), retain_graph=True)
    torch.testing.assert_close(first, torch.autograd.grad(features, list(decoder.recurrent.parameters())))


@pytest.mark.parametrize("score", [LuongGeneral, Additive])
@pytest.mark.parametrize(("kind", "readout", "settings"), DECODERS)
def test_under_autocast_it_is_as_close_as_half_precision_allows(kind, readout, settings, score):
    decoder = build(kind, score, readout, settings).float()
    embedded, encoded = inputs()
    embedded = embedded.detach().float().requires_grad_()
    encoded = encoded._replace(states=encoded.states.detach().float(), summary=encoded.summary.detach().float())
    results = []
    for enabled in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            memory, state = decoder.initial_state(encoded)
            features = decoder(embedded, memory, state).features
        gradients = torch.autograd.grad(features.float().square().sum(), [embedded, *decoder.readout.parameters()])
        results.append((features.float(), gradients))
    (exact, exact_grads), (low, low_grads) = results
    torch.testing.assert_close(low, exact, atol=0.03, rtol=0)
    for got, want in zip(low_grads, exact_grads, strict=True):
        assert (got - want).norm() < 0.05 * want.norm()


@pytest.mark.parametrize("score", [Additive, partial(LuongConcat, attention_dim=2)])
def test_fused_attention_equals_its_parts(score):
    decoder = build(LuongInputFeeding, score, Attentional, {}, temperature=0.7)
    _, encoded = inputs()
    memory, query = decoder.attention.memory(encoded), torch.randn(N, T, H, dtype=torch.float64)
    torch.testing.assert_close(loops.fused(decoder.attention, query, memory), decoder.attention(query, memory))


def test_only_what_the_loops_can_do_goes_to_them():
    decoder = build(LuongInputFeeding, LuongGeneral, Attentional, {})
    embedded, encoded = inputs()
    memory, _ = decoder.initial_state(encoded)
    assert loops.looked_at(decoder.attention, memory, embedded) is not None
    assert loops.looked_at(decoder.attention, memory, embedded[:, :1]) is None  # a step of a search
    assert loops.looked_at(decoder.attention, memory, torch.cat([embedded, embedded])) is None  # a beam
    assert loops.fused(decoder.attention, embedded, memory) is None
    decoder.attention.window = LocalM(H, V)
    assert loops.looked_at(decoder.attention, memory, embedded) is None


@pytest.mark.parametrize("kind", [Luong, LuongInputFeeding, Bahdanau])
def test_heads_of_a_recurrent_decoder_can_be_seen(kind):
    source = SourceDims(states=V, summary=V, final=V, layers=1, parts=1)
    attention = partial(MultiHead, ScaledDot, All, Softmax, heads=3)
    decoder = kind(E, source, attention, Learned, Attentional, hidden_dim=H).double().eval()
    embedded, encoded = inputs()
    memory, state = decoder.initial_state(encoded)
    every = decoder.weights_by_head(embedded, memory, state)
    assert every.shape == (N, 1, 3, T, S)
    torch.testing.assert_close(every.mean((1, 2)), decoder(embedded, memory, state).weights.detach())
    assert (every.amax(2) - every.amin(2)).max() > 1e-3, "heads that look at the same could be one head thrice"
    plain = build(kind, LuongGeneral, Attentional, {})
    assert plain.weights_by_head(embedded, *plain.initial_state(encoded)) is None
