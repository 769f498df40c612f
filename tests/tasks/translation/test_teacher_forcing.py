import math

import pytest
import torch

from attnlab.tasks.translation.teacher_forcing import TeacherForcing, own_words
from attnlab.types import ConfigError


def plain_own_words(model, batch, forced):
    """One sentence at a time, the whole prefix decoded anew for every word."""
    rows = []
    for b in range(len(batch.source)):
        one = batch.source[b : b + 1], batch.source_mask[b : b + 1]
        words = [int(batch.target[b, 0])]
        for t in range(1, batch.target.size(1) - 1):
            memory, state = model.decoder.initial_state(model.encode(*one))
            features = model.decode(torch.tensor([words]), memory, state).features
            own = int(model.logits(features[:, -1]).argmax())
            words.append(int(batch.target[b, t]) if forced[b, t] else own)
        rows.append(words)
    return torch.tensor(rows)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_own_words_are_the_argmax_of_the_prefix_read_so_far(make_model, batch, share):
    model, gold = make_model(), batch.target[:, :-1]
    forced = torch.rand(gold.shape) < share
    got = own_words(model, batch.source, batch.source_mask, gold, forced)
    assert torch.equal(got, plain_own_words(model, batch, forced))


def test_full_forcing_reads_the_target_and_none_reads_its_own(make_model, batch):
    model, gold = make_model(), batch.target[:, :-1]
    assert torch.equal(TeacherForcing(1.0).inputs(model, batch, 0), gold)
    own = TeacherForcing(0.0).inputs(model, batch, 0)
    assert torch.equal(own, plain_own_words(model, batch, torch.zeros_like(gold, dtype=torch.bool)))


def test_a_mixed_batch_leaves_forced_sentences_alone(make_model, batch):
    model, forcing = make_model(), TeacherForcing(0.5, "sentence")
    torch.manual_seed(0)
    forced = forcing.forced(batch.target[:, :-1], 0)
    assert 0 < forced[:, 0].sum() < 3
    torch.manual_seed(0)
    got = forcing.inputs(model, batch, 0)
    assert torch.equal(got, plain_own_words(model, batch, forced))


@pytest.mark.parametrize("draw", ["batch", "sentence", "token"])
def test_draws(draw):
    gold, forcing = torch.zeros(40, 30, dtype=torch.long), TeacherForcing(0.3, draw)
    drawn = torch.stack([forcing.forced(gold, 0) for _ in range(400)])
    share = drawn.double().mean().item()
    draws = {"batch": 400, "sentence": 400 * 40, "token": 400 * 1200}[draw]
    assert abs(share - 0.3) < 5 * math.sqrt(0.21 / draws)
    within_sentence = (drawn == drawn[:, :, :1]).all().item()
    within_batch = (drawn == drawn[:, :1, :1]).all().item()
    assert (within_sentence, within_batch) == {
        "batch": (True, True),
        "sentence": (True, False),
        "token": (False, False),
    }[draw]


def test_decays_are_those_of_the_paper():
    linear = TeacherForcing(0.9, decay="linear", steps=100, floor=0.1)
    assert [linear.probability(i) for i in (0, 50, 100, 500)] == pytest.approx([0.9, 0.5, 0.1, 0.1])
    exponential = TeacherForcing(1.0, decay="exponential", steps=10)
    assert [exponential.probability(i) for i in (0, 10, 20)] == pytest.approx([1, 0.5, 0.25])
    sigmoid = TeacherForcing(1.0, decay="inverse_sigmoid", steps=50)
    assert sigmoid.probability(200) == pytest.approx(50 / (50 + math.exp(4)))
    assert sigmoid.probability(10**9) == pytest.approx(0)


def test_bad_values_are_refused():
    with pytest.raises(ConfigError, match="floor <= probability"):
        TeacherForcing(0.2, floor=0.5)
    with pytest.raises(ConfigError, match="steps"):
        TeacherForcing(steps=0)
