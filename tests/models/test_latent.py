"""A latent alignment against sums written out: the mixture over all words and the posterior by Bayes' rule."""

from itertools import pairwise

import pytest
import torch
from test_any_encoder_any_decoder import build, train_and_search
from torch.nn import functional as F

from attnlab.kernels.mixture import Experts, linear_log_partition, log_mixture, log_partition
from attnlab.tasks.translation.explaining import WordInstances
from attnlab.types import ConfigError

LATENT = ["model=latent", "decoder/readout=state_only"]
CHOICES = ["luong_general", "markov", "location_aware", "coverage", "sparsemax", "bahdanau", "luong_location"]


def latent(attention="markov", *overrides, encoder="embedding"):
    return build(encoder, "luong", *LATENT, "model.dropout=0", *overrides, attention=attention)


def one_by_one(model, source, target):
    """ln p of each word of one sentence, and the posterior of each, with nothing batched and every p(v | i, j) written
    out; the mechanism is told of each step the posterior of the one before.
    """
    whole = torch.ones(1, len(source), dtype=torch.bool)
    encoded = model.encode(torch.tensor([source]), whole)
    memory = model.decoder.attention.memory(encoded)
    history, cells = model.decoder.attention.initial_state(memory), model.decoder.bridge(encoded)
    g = torch.tanh(memory.values[0] @ model.W_g.weight.T)
    said, posteriors = [], []
    for previous, word in pairwise(target):
        embedded = model.target_embedding(torch.tensor([[previous]]))
        output, cells = model.decoder.recurrent(embedded, cells)
        past = history
        if past is not None and posteriors:
            total = torch.stack(posteriors).sum(0)[None]
            past = past._replace(previous=posteriors[-1][None], total=total)
        attended = model.decoder.attention(output, memory, past)
        history = attended.history
        logits = model.output(model.project(output[0, 0])) + g @ model.output.weight.T  # [S, V]
        joint = attended.weights[0, 0] * logits.softmax(-1)[:, word]
        said.append(joint.sum().log())
        posteriors.append(joint / joint.sum())
    return torch.stack(said), torch.stack(posteriors)


@pytest.mark.parametrize("attention", CHOICES)
def test_every_word_is_said_by_one_source_word(attention, batch):
    model = latent(attention).eval()
    with torch.no_grad():
        decoded = model(batch)
        found = model.sentence_log_probs(batch, decoded)
        for row, ids in enumerate(zip(batch.source.tolist(), batch.target.tolist(), strict=True)):
            source, target = ([word for word in side if word] for side in ids)
            said, posteriors = one_by_one(model, source, target)
            torch.testing.assert_close(found[row], said.sum())
            torch.testing.assert_close(decoded.weights[row, : len(said), : len(source)], posteriors)
            assert not decoded.weights[row, :, len(source) :].any()


@pytest.mark.parametrize("attention", CHOICES)
@pytest.mark.parametrize("encoder", ["embedding", "gru"])
def test_trains_and_is_searched(attention, encoder, batch):
    train_and_search(latent(attention, encoder=encoder), batch)


@pytest.mark.parametrize("attention", ["luong_general", "markov"])
def test_an_explanation_gives_another_prior(attention, batch):
    """With all of it on one source word, its distribution is what is said; no vector is there to be measured."""
    model = latent(attention).eval()
    source, mask, step = batch.source[:1], batch.source_mask[:1], 2
    found = WordInstances(model.read_source(source), mask, model, batch.target[:1, : step + 1])
    with torch.no_grad():
        decoded = model(batch)
        torch.testing.assert_close(found.output, model.word_logits(decoded)[:1, step].exp())
        of_target, of_source = (
            model.output(decoded.features[0, step]),
            decoded.memory.features[0] @ model.output.weight.T,
        )
        for place in range(source.size(1)):
            said = found.given(F.one_hot(torch.tensor([[place]]), source.size(1)).double())
            torch.testing.assert_close(said[0], (of_target + of_source[place]).softmax(-1))
    assert found.norms() is None


def test_all_words_share_a_probability_of_one(batch):
    model = latent("markov", "model.tie=decoder")
    torch.testing.assert_close(model.word_logits(model(batch)).exp().sum(-1), torch.ones(3, 6).double())


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_is_the_cross_entropy_of_the_real_tokens(smoothing, batch):
    model = latent()
    every, gold = model.token_logits(batch, model(batch))
    expected = F.cross_entropy(every, gold, reduction="sum", label_smoothing=smoothing)
    found = model.loss(batch, model(batch), smoothing)
    assert found.tokens == 3 + 6 + 2
    torch.testing.assert_close(found.total, expected)
    got = torch.autograd.grad(found.total, list(model.parameters()))
    torch.testing.assert_close(got, torch.autograd.grad(expected, list(model.parameters())))


@pytest.mark.parametrize("attention", ["markov", "luong_general"])
@pytest.mark.parametrize("tie", ["none", "decoder"])
def test_autocast_leaves_the_mixture_in_full_precision(attention, tie, batch):
    """Of encoder, recurrence and scores half precision is left: 8 bits; the rest is a loss like another."""
    model = latent(attention, f"model.tie={tie}", encoder="gru").float()
    exact = model.loss(batch, model(batch)).total
    wanted = torch.cat([grad.flatten() for grad in torch.autograd.grad(exact, list(model.parameters()))])
    with torch.autocast("cpu", torch.bfloat16):
        decoded = model(batch)
        total = model.loss(batch, decoded).total
        sums = model.word_logits(decoded).exp().sum(-1)
    assert {part.dtype for part in (total, decoded.joint, decoded.evidence)} == {torch.float32}
    torch.testing.assert_close(total, exact, rtol=1e-3, atol=0)
    torch.testing.assert_close(sums, decoded.joint.new_ones(3, 6), rtol=0, atol=2**-7)  # as the prior's weights sum
    got = torch.cat([grad.flatten() for grad in torch.autograd.grad(total, list(model.parameters()))])
    assert F.cosine_similarity(got, wanted, dim=0) > 0.999


def test_one_node_of_autograd_is_what_the_experts_say():
    u, g = (torch.randn(2, size, 4, dtype=torch.float64, requires_grad=True) for size in (3, 5))
    weight, bias = (torch.randn(*size, dtype=torch.float64, requires_grad=True) for size in ((7, 4), (7,)))
    assert torch.autograd.gradcheck(linear_log_partition, (u, g, weight, bias))
    slow = (F.linear(u, weight, bias)[:, :, None] + F.linear(g, weight)[:, None]).logsumexp(-1)
    torch.testing.assert_close(linear_log_partition(u, g, weight, bias), slow)
    experts = Experts.of(F.linear(u, weight, bias)), Experts.of(F.linear(g, weight))
    torch.testing.assert_close(log_partition(*experts), slow)


def test_a_mixture_of_far_peaks_loses_nothing():
    """Where one expert is sure of a word that another is sure is wrong, in single precision."""
    logits, source = torch.tensor([[[30.0, 0, 0]]]), torch.tensor([[[0.0, 30, 0], [0, 0, 30]]])
    log_z = (logits[:, :, None] + source[:, None]).logsumexp(-1)
    torch.testing.assert_close(log_partition(Experts.of(logits), Experts.of(source)), log_z)
    a = torch.tensor([[[0.25, 0.75]]]).log()
    expected = (a.unsqueeze(-1) + (logits[:, :, None] + source[:, None]).log_softmax(-1)).logsumexp(2)
    torch.testing.assert_close(log_mixture(logits, Experts.of(source), a - log_z), expected)


@pytest.mark.parametrize(
    ("attention", "overrides", "message"),
    [
        ("sigmoid", [], "sum to exactly 1"),
        ("multi_head", [], "of one head"),
        ("hard_sampled", [], "not be drawn"),
        ("monotonic", [], "sum to exactly 1"),
        ("luong_general", ["decoder/readout=attentional"], "readout=state_only"),
    ],
)
def test_what_no_alignment_can_be_summed_out_of(attention, overrides, message):
    with pytest.raises(Exception, match=message) as raised:
        latent(attention, *overrides)
    error = raised.value.__cause__ or raised.value
    assert isinstance(error, ConfigError)


def test_another_decoder_is_refused():
    with pytest.raises(Exception, match="take decoder=luong"):
        build("gru", "luong_input_feeding", *LATENT)
