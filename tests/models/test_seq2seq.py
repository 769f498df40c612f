import pytest
import torch
from torch.nn import functional as F

from attnlab.layers.initialization import Initialization
from attnlab.types import PAD, ConfigError


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_is_the_cross_entropy_of_the_real_tokens(make_model, batch, smoothing):
    model = make_model()
    logits = model.logits(model(batch).features)
    expected = F.cross_entropy(
        logits.flatten(0, 1),
        batch.target[:, 1:].flatten(),
        ignore_index=PAD,
        reduction="sum",
        label_smoothing=smoothing,
    )
    loss = model.loss(batch, model(batch), smoothing)
    assert loss.tokens == 3 + 6 + 2
    torch.testing.assert_close(loss.total, expected)
    got = torch.autograd.grad(loss.total, list(model.parameters()))
    torch.testing.assert_close(got, torch.autograd.grad(expected, list(model.parameters())))


def test_a_sentence_alone_and_in_a_batch_have_the_same_loss(make_model, make_batch, batch):
    model = make_model()
    alone = [
        make_batch([(s[s != 0].tolist(), t[(t != 0)][1:-1].tolist())])
        for s, t in zip(batch.source, batch.target, strict=True)
    ]
    total = sum(model.loss(b, model(b)).total for b in alone)
    torch.testing.assert_close(model.loss(batch, model(batch)).total, total)


def test_advance_gives_the_log_probabilities_of_the_parallel_pass(make_model, batch):
    model = make_model()
    expected = model.logits(model(batch).features).log_softmax(-1)
    memory, state = model.initial_state(batch.source, batch.source_mask, beam=2)
    for step in range(expected.size(1)):
        found = model.advance(batch.target[:, step].repeat_interleave(2), memory, state)
        state = found.state
        torch.testing.assert_close(
            found.log_probs, expected[:, step].repeat_interleave(2, 0).float(), atol=1e-6, rtol=1e-5
        )


def test_tied_embeddings_are_one_matrix(make_model, batch):
    model = make_model(target=13, tie="decoder")
    assert model.output.weight is model.target_embedding.weight
    assert model.project.weight.shape == (5, 6)  # features of the decoder to the size of an embedding
    model = make_model(source=13, target=13, tie="all")
    assert model.source_embedding.weight is model.output.weight
    assert model.loss(batch, model(batch)).total.isfinite()
    with pytest.raises(ConfigError, match="shared_vocabulary=true"):
        make_model(source=11, target=13, tie="all")


def test_initializations(make_model):
    model = make_model(initialization=Initialization("uniform", 0.05, forget_bias=1.0))
    weights = model.output.weight
    assert weights.abs().max().item() <= 0.05
    assert weights.std().item() == pytest.approx(0.05 / 3**0.5, rel=0.2)
    forget = model.decoder.recurrent.rnn.bias_ih_l0[6:12]
    torch.testing.assert_close(forget, torch.ones_like(forget))
    assert not model.source_embedding.weight[PAD].any()
    model = make_model(initialization=Initialization("normal", 0.3, orthogonal_recurrence=True))
    for gate in model.decoder.recurrent.rnn.weight_hh_l0.split(6):
        torch.testing.assert_close(gate @ gate.T, torch.eye(6, dtype=torch.float64), atol=1e-6, rtol=0)
    model = make_model(initialization=Initialization("xavier_uniform", 1.0))
    bound = (6 / (13 + 6)) ** 0.5
    assert 0.8 * bound < model.output.weight.abs().max().item() <= bound
    with pytest.raises(ConfigError, match="above 0"):
        Initialization("uniform", 0.0)
