"""What every preset in conf/attention must hold; a new preset is tested without being named anywhere."""

import inspect

import pytest
import torch
from presets_asked import LENGTHS, B, D, S, T, alone, ask, at_once, encoded, in_steps, make, reference_of

from attnlab.attention.row_sums import RowSum
from attnlab.types import Encoded, select


def queries(dtype=torch.float64, **shape):
    return torch.randn(shape.get("batch", B), shape.get("steps", T), D, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("training", [False, True])
def test_rows_are_distributions_over_real_tokens(build, dtype, training):
    attention, sentence = make(build, dtype).train(training), encoded(dtype)
    found = ask(attention, queries(dtype), sentence)
    assert found.context.shape == (B, T, attention.context_dim)
    assert found.context.isfinite().all()
    if not attention.has_weights:
        assert found.weights is None
        return
    weights = found.weights
    assert weights.shape == (B, T, S)
    assert weights.dtype == dtype
    assert attention.row_sum is RowSum.SIGNED or (weights >= 0).all()
    assert (weights.masked_select(~sentence.mask[:, None].expand_as(weights)) == 0).all()
    tolerance = 1e-6 if dtype in (torch.float32, torch.float64) else 1e-2
    sums = weights.double().sum(-1)
    if attention.row_sum is RowSum.ONE:
        torch.testing.assert_close(sums, torch.ones_like(sums), atol=tolerance, rtol=0)
    elif attention.row_sum is RowSum.AT_MOST_ONE:
        assert (sums <= 1 + tolerance).all()


def test_padding_changes_nothing(build):
    attention, sentence, query = make(build), encoded(), queries()
    found = ask(attention, query, sentence)
    for row, length in enumerate(LENGTHS):
        apart = ask(attention, query[row : row + 1], alone(sentence, row, length))
        torch.testing.assert_close(apart.context[0], found.context[row], atol=1e-12, rtol=0)
        if found.weights is not None:
            torch.testing.assert_close(apart.weights[0], found.weights[row, :, :length], atol=1e-12, rtol=0)


def test_values_on_padding_are_never_read(build):
    attention, sentence, query = make(build), encoded(), queries()
    noise = torch.where(sentence.mask[..., None], sentence.states, 1e6)
    context = ask(attention, query, sentence).context
    torch.testing.assert_close(ask(attention, query, sentence._replace(states=noise)).context, context)


def test_batch_order_does_not_matter(build):
    attention, sentence, query = make(build), encoded(), queries()
    order = torch.tensor([2, 0, 1])
    shuffled = Encoded(*(part[order] for part in sentence[:3]), (sentence.final[0][order],))
    found = ask(attention, query[order], shuffled).context
    torch.testing.assert_close(found, ask(attention, query, sentence).context[order])


def test_gradients_reach_the_sentence_and_every_parameter(build):
    attention, sentence = make(build).train(), encoded()
    states = sentence.states.requires_grad_()
    found = ask(attention, queries(), sentence._replace(summary=states.sum(1)))
    loss = found.context.square().sum()
    if found.sample is not None:
        reward = torch.tensor([-1.0, -2.0, -3.0]).double()
        loss = loss + attention.surrogate(found.sample, reward, torch.ones(B, T, dtype=torch.bool))
    loss.backward()
    for name, parameter in [("states", states), *attention.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize(("target", "source"), [(9, 2), (1, 1), (5, 1)])
def test_any_lengths(build, target, source):
    attention, sentence = make(build), encoded(lengths=[source], source=source)
    found = ask(attention, queries(batch=1, steps=target), sentence)
    assert found.context.isfinite().all()
    if source == 1 and attention.has_weights and attention.row_sum is RowSum.ONE:
        torch.testing.assert_close(found.weights, torch.ones_like(found.weights))


def test_step_by_step_equals_parallel(build):
    attention, sentence, query = make(build), encoded(), queries()
    if attention.needs_history:
        with pytest.raises(ValueError, match="one query at a time"):
            attention(query, attention.memory(sentence))
    if not attention.looks_back:
        expected = at_once(attention, query, sentence).context
        torch.testing.assert_close(in_steps(attention, query, sentence).context, expected)


def test_a_beam_is_like_sentences_of_their_own(build):
    """Hypotheses lie along the time axis, each with a past of its own; a search reorders the past."""
    beam, steps = 2, 3
    attention, sentence, query = make(build), encoded(), queries(batch=B * beam, steps=steps)
    rows = torch.arange(B).repeat_interleave(beam)
    copies = Encoded(*(part[rows] for part in sentence[:3]), (sentence.final[0][rows],))
    memory, copied = attention.memory(sentence), attention.memory(copies)
    history, past = select(attention.initial_state(memory), rows), attention.initial_state(copied)
    swap = torch.arange(B * beam).view(B, beam).flip(1).flatten()
    for step in range(steps):
        together = attention(query[:, step].view(B, beam, D), memory, history)
        apart = attention(query[:, step : step + 1], copied, past)
        torch.testing.assert_close(together.context.flatten(0, 1), apart.context[:, 0])
        history, past = select(together.history, swap), select(apart.history, swap)


def test_a_sentence_without_a_word_is_an_error(build):
    sentence = encoded()
    empty = sentence._replace(mask=sentence.mask & (torch.arange(B) != 1)[:, None])
    with pytest.raises(ValueError, match=r"rows \[1\]"):
        make(build).memory(empty)


@pytest.mark.parametrize("training", [False, True])
def test_agrees_with_a_scalar_loop(preset, build, training):
    """Weights, context and gradients against tests/attention/references/<preset>.py, plain loops over numbers.

    A reference has ``attend`` for one query, or ``decode`` for all queries of a sentence where one depends on the last;
    it takes ``training`` where that makes a difference. What draws at random in training says ``RANDOM = True``.
    """
    reference = reference_of(preset)
    assert reference, f"write the scalar-loop transcription of {preset}'s equation as references/{preset}.py"
    if training and getattr(reference, "RANDOM", False):
        return
    attention, sentence = make(build).train(training), encoded()
    query = queries().requires_grad_()
    sentence = sentence._replace(states=sentence.states.requires_grad_(), summary=sentence.states.sum(1))
    found = ask(attention, query, sentence)
    probe = torch.randn_like(found.context)
    inputs = [query, sentence.states, *attention.parameters()]
    gradients = torch.autograd.grad(
        (found.context * probe).sum(), inputs, allow_unused=True, retain_graph=True, materialize_grads=True
    )
    total = torch.zeros(()).double()
    for row, length in enumerate(LENGTHS):
        steps = transcribed(reference, attention, query[row], sentence.states[row, :length], sentence.summary[row])
        for step, (weights, context) in enumerate(steps):
            torch.testing.assert_close(found.context[row, step], context, atol=1e-10, rtol=1e-10)
            if found.weights is not None:
                torch.testing.assert_close(found.weights[row, step, :length], weights, atol=1e-10, rtol=1e-10)
            total = total + (context * probe[row, step]).sum()
    expected = torch.autograd.grad(total, inputs, allow_unused=True, materialize_grads=True)
    torch.testing.assert_close(gradients, expected, atol=1e-10, rtol=1e-8)


def transcribed(reference, attention, query, states, summary):
    weights = dict(attention.named_parameters())
    mode = {"training": attention.training}
    if hasattr(reference, "decode"):
        mode = mode if "training" in inspect.signature(reference.decode).parameters else {}
        return reference.decode(weights, query, states, summary, **mode)
    return [reference.attend(weights, h, states, summary) for h in query]
