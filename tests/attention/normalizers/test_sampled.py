"""REINFORCE against the exact gradient, by going through every alignment that could be drawn."""

from functools import partial
from itertools import product

import pytest
import torch

from attnlab.attention.base import Attention
from attnlab.attention.normalizers.sampled import Sampled
from attnlab.attention.scores.luong_general import LuongGeneral
from attnlab.attention.windows.all import All
from attnlab.attention.windows.local_p import LocalP
from attnlab.decoders.luong import Luong
from attnlab.decoders.luong_input_feeding import LuongInputFeeding
from attnlab.decoders.readout import Attentional
from attnlab.types import Sample

SOURCES, TARGETS = [[4, 5, 6], [7, 8]], [[9], [5]]  # and the end of the sentence: two steps each


class Forced(Sampled):
    """Draws what it is told, step by step."""

    def __init__(self) -> None:
        super().__init__(expectation=0.0, reward_weight=1.0, entropy_weight=0.3)
        self.told = []

    def draw(self, soft):
        steps = [self.told.pop(0) for _ in range(soft.size(1))]
        return torch.stack(steps, dim=1)


@pytest.mark.parametrize("baseline", [0.0, -3.0])
@pytest.mark.parametrize("window", [All, partial(LocalP, D=10)])
@pytest.mark.parametrize("decoder", [Luong, LuongInputFeeding])
def test_the_mean_over_all_draws_is_the_exact_gradient(make_model, make_batch, decoder, window, baseline):
    """Of L = -sum_s p(s) ln p(y | s) - lambda_e E[H], for every parameter of a model, whatever the baseline is."""
    batch = make_batch(list(zip(SOURCES, TARGETS, strict=True)))
    model = make_model(attention=partial(Attention, LuongGeneral, window, Forced), decoder=partial(
        decoder, readout=Attentional, cell="lstm", hidden_dim=6
    )).train()  # fmt: skip
    normalizer = model.decoder.attention.normalizer.double()
    parameters = [p for p in model.parameters() if p.requires_grad]
    mean, exact = [torch.zeros_like(p) for p in parameters], torch.zeros(()).double()
    for picks in product(product(range(3), repeat=2), product(range(2), repeat=2)):  # [sentence][step]
        torch.nn.init.constant_(normalizer.baseline, baseline)
        normalizer.told = [torch.tensor(step) for step in zip(*picks, strict=True)]
        decoded = model(batch)
        loss = model.loss(batch, decoded)
        chance = decoded.sample.log_prob.sum().exp()
        for total, slope in zip(mean, slopes(loss.total + loss.extra, parameters), strict=True):
            total.add_(chance.detach() * slope)
        entropy = 0.3 * decoded.sample.entropy.sum()
        # The entropy term follows each draw's own path, so only its direct gradient counts: p(s) is held.
        exact = exact + chance * loss.total - chance.detach() * entropy
    torch.testing.assert_close(mean, slopes(exact, parameters), atol=1e-9, rtol=1e-6)


def slopes(loss, parameters):
    return list(torch.autograd.grad(loss, parameters, retain_graph=True, materialize_grads=True))


def test_the_probability_of_a_draw_and_the_entropy():
    scores, mask = torch.tensor([[[0.0, 1.0, -2.0, 9.0]]]).double(), torch.tensor([[[True, True, True, False]]])
    normalizer = Sampled(expectation=0.0).train()
    p = scores[0, 0, :3].softmax(0)
    for _ in range(5):
        weights = normalizer(scores, mask)
        sample = normalizer.sample(scores, mask, weights)
        torch.testing.assert_close(sample.log_prob[0, 0], p[weights[0, 0].argmax()].log())
        torch.testing.assert_close(sample.entropy[0, 0], torch.distributions.Categorical(p).entropy())


def test_half_of_the_queries_take_the_softmax_itself():
    normalizer = Sampled(expectation=0.5).train()
    scores, mask = torch.randn(1, 4000, 5), torch.ones(1, 1, 5, dtype=torch.bool)
    weights = normalizer(scores, mask)
    drawn = weights.amax(-1) == 1
    assert drawn.float().mean().item() == pytest.approx(0.5, abs=4 * 0.5 / 4000**0.5)
    torch.testing.assert_close(weights[~drawn], scores.softmax(-1)[~drawn])
    assert not normalizer.sample(scores, mask, weights).log_prob[~drawn].any()


def test_the_baseline_is_a_moving_average_of_the_batches():
    normalizer, nothing = Sampled(decay=0.9), torch.zeros(2, 1)
    mask = torch.ones(2, 1, dtype=torch.bool)
    expected = None
    for mean in (-4.0, -2.0, 1.0):
        normalizer.surrogate(Sample(nothing, nothing), torch.tensor([mean - 1, mean + 1]), mask)
        expected = mean if expected is None else 0.9 * expected + 0.1 * mean
        assert normalizer.baseline.item() == pytest.approx(expected)


def test_steps_behind_the_sentence_do_not_count():
    normalizer = Sampled()
    log_prob = torch.randn(2, 3).requires_grad_()
    mask = torch.tensor([[True, True, False], [True, False, False]])
    normalizer.surrogate(Sample(log_prob, torch.zeros(2, 3)), torch.tensor([-1.0, -2.0]), mask).backward()
    assert torch.equal(log_prob.grad != 0, mask)


def test_draws_are_those_of_multinomial():
    soft, normalizer = torch.randn(40, 7, 11).softmax(-1), Sampled()
    torch.manual_seed(5)
    drawn = normalizer.draw(soft)
    torch.manual_seed(5)
    assert torch.equal(drawn, soft.flatten(0, 1).multinomial(1).view(40, 7))


def test_scores_that_are_no_numbers_go_on_into_the_loss():
    """Raised here, the error would name a probability tensor; training tells of the update, with the batch."""
    normalizer = Sampled(expectation=0.0).train()
    scores = torch.full((2, 3, 4), torch.nan, requires_grad=True)
    mask = torch.ones(2, 1, 4, dtype=torch.bool)
    weights = normalizer(scores, mask)
    assert normalizer.sample(scores, mask, weights).log_prob.isnan().all()


def test_the_baseline_is_of_sentences_and_stays_finite():
    normalizer, sample = Sampled(decay=0.5), Sample(torch.zeros(3, 2), torch.zeros(3, 2))
    words = torch.tensor([[True, True], [False, False], [True, False]])
    normalizer.surrogate(sample, torch.tensor([-4.0, 0.0, -2.0]), words)
    assert float(normalizer.baseline) == -3.0  # the mean of two: a row without a word is no sentence
    normalizer.surrogate(sample, torch.tensor([torch.nan, 0.0, -2.0]), words)
    normalizer.surrogate(sample, torch.tensor([-torch.inf, 0.0, -2.0]), words)
    normalizer.surrogate(sample, torch.zeros(3), torch.zeros_like(words))
    assert float(normalizer.baseline) == -3.0
