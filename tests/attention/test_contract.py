"""What every preset in conf/attention must hold; a new preset is tested without being named anywhere."""

import importlib.util
from pathlib import Path

import pytest
import torch

from attnlab.types import Encoded, History

B, T, S, D = 3, 4, 6, 8
LENGTHS = [6, 3, 1]


def encoded(dtype=torch.float64, lengths=LENGTHS, source=S):
    mask = torch.arange(source) < torch.tensor(lengths)[:, None]
    states = torch.randn(len(lengths), source, D, dtype=dtype) * mask[..., None]
    return Encoded(states, mask, states.sum(1), (states[:, :1],))


def make(build, dtype=torch.float64):
    return build(query_dim=D, key_dim=D, summary_dim=D).to(dtype)


def run(attention, query, sentence):
    """All queries: at once, or one by one for a mechanism that looks back."""
    memory = attention.memory(sentence)
    if not attention.needs_history:
        found = attention(query, memory)
        return found.context, found.weights
    history = History(
        *(query.new_zeros(sentence.mask.shape) for _ in range(2)), torch.zeros(len(query), dtype=torch.long)
    )
    contexts, weights = [], []
    for step in range(query.size(1)):
        found = attention(query[:, step : step + 1], memory, history)
        history = found.history
        contexts.append(found.context)
        weights.append(found.weights)
    return torch.cat(contexts, 1), torch.cat(weights, 1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_rows_are_distributions_over_real_tokens(build, dtype):
    attention, sentence = make(build, dtype), encoded(dtype)
    context, weights = run(attention, torch.randn(B, T, D, dtype=dtype), sentence)
    assert context.shape == (B, T, attention.context_dim)
    assert context.isfinite().all()
    if not attention.draws_alignment:
        assert weights is None
        return
    assert weights.shape == (B, T, S)
    assert (weights >= 0).all()
    assert (weights.masked_select(~sentence.mask[:, None].expand_as(weights)) == 0).all()
    tolerance = 1e-6 if dtype in (torch.float32, torch.float64) else 1e-2
    sums = weights.double().sum(-1)
    torch.testing.assert_close(sums, torch.ones_like(sums), atol=tolerance, rtol=0)


def test_padding_changes_nothing(build):
    attention, sentence, query = make(build), encoded(), torch.randn(B, T, D, dtype=torch.float64)
    context, weights = run(attention, query, sentence)
    for row, length in enumerate(LENGTHS):
        alone = Encoded(
            sentence.states[row : row + 1, :length],
            sentence.mask[row : row + 1, :length],
            sentence.summary[row : row + 1],
            (sentence.final[0][row : row + 1],),
        )
        context_alone, weights_alone = run(attention, query[row : row + 1], alone)
        torch.testing.assert_close(context_alone[0], context[row], atol=1e-12, rtol=0)
        if weights is not None:
            torch.testing.assert_close(weights_alone[0], weights[row, :, :length], atol=1e-12, rtol=0)


def test_values_on_padding_are_never_read(build):
    attention, sentence, query = make(build), encoded(), torch.randn(B, T, D, dtype=torch.float64)
    noise = torch.where(sentence.mask[..., None], sentence.states, 1e6)
    context, _ = run(attention, query, sentence)
    torch.testing.assert_close(run(attention, query, sentence._replace(states=noise))[0], context)


def test_batch_order_does_not_matter(build):
    attention, sentence, query = make(build), encoded(), torch.randn(B, T, D, dtype=torch.float64)
    order = torch.tensor([2, 0, 1])
    shuffled = Encoded(*(part[order] for part in sentence[:3]), (sentence.final[0][order],))
    torch.testing.assert_close(run(attention, query[order], shuffled)[0], run(attention, query, sentence)[0][order])


def test_gradients_reach_the_sentence_and_every_parameter(build):
    attention, sentence = make(build), encoded()
    states = sentence.states.requires_grad_()
    sentence = sentence._replace(summary=states.sum(1))
    run(attention, torch.randn(B, T, D, dtype=torch.float64), sentence)[0].square().sum().backward()
    for name, parameter in [("states", states), *attention.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize(("target", "source"), [(9, 2), (1, 1), (5, 1)])
def test_any_lengths(build, target, source):
    attention = make(build)
    sentence = encoded(lengths=[source], source=source)
    context, weights = run(attention, torch.randn(1, target, D, dtype=torch.float64), sentence)
    assert context.isfinite().all()
    if weights is not None and source == 1:
        torch.testing.assert_close(weights, torch.ones_like(weights))


def test_step_by_step_equals_parallel(build):
    attention, sentence, query = make(build), encoded(), torch.randn(B, T, D, dtype=torch.float64)
    if attention.needs_history:
        with pytest.raises(ValueError, match="one query at a time"):
            attention(query, attention.memory(sentence))
        return
    memory = attention.memory(sentence)
    steps = [attention(query[:, t : t + 1], memory).context for t in range(T)]
    torch.testing.assert_close(torch.cat(steps, 1), attention(query, memory).context)


def test_a_sentence_without_a_word_is_an_error(build):
    sentence = encoded()
    empty = sentence._replace(mask=sentence.mask & (torch.arange(B) != 1)[:, None])
    with pytest.raises(ValueError, match=r"rows \[1\]"):
        make(build).memory(empty)


def test_agrees_with_a_scalar_loop(preset, build):
    """Weights, context and gradients against tests/attention/references/<preset>.py, plain loops over numbers."""
    path = Path(__file__).parent / "references" / f"{preset}.py"
    assert path.exists(), f"write the scalar-loop transcription of {preset}'s equation as {path.name}"
    spec = importlib.util.spec_from_file_location(f"reference_{preset}", path)
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)

    attention, sentence = make(build), encoded()
    query = torch.randn(B, T, D, dtype=torch.float64, requires_grad=True)
    sentence = sentence._replace(states=sentence.states.requires_grad_(), summary=sentence.states.sum(1))
    context, weights = run(attention, query, sentence)
    probe = torch.randn_like(context)
    inputs = [query, sentence.states, *attention.parameters()]
    gradients = torch.autograd.grad((context * probe).sum(), inputs, allow_unused=True, retain_graph=True)
    for row, length in enumerate(LENGTHS):
        for step in range(T):
            states = sentence.states[row, :length]
            expected_weights, expected_context = reference.attend(
                dict(attention.named_parameters()), query[row, step], states, sentence.summary[row]
            )
            torch.testing.assert_close(context[row, step], expected_context, atol=1e-10, rtol=1e-10)
            if weights is not None:
                torch.testing.assert_close(weights[row, step, :length], expected_weights, atol=1e-10, rtol=1e-10)
    total = sum(
        (
            reference.attend(
                dict(attention.named_parameters()), query[r, t], sentence.states[r, :n], sentence.summary[r]
            )[1]
            * probe[r, t]
        ).sum()
        for r, n in enumerate(LENGTHS)
        for t in range(T)
    )
    expected = torch.autograd.grad(total, inputs, allow_unused=True)
    for got, want in zip(gradients, expected, strict=True):
        zero = torch.zeros(())
        torch.testing.assert_close(
            zero if got is None else got,
            (zero if got is None else torch.zeros_like(got)) if want is None else want,
            atol=1e-10,
            rtol=1e-8,
            check_dtype=False,
        )
