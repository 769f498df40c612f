"""What every attention mechanism holds: distributions over real tokens, blind to padding, the same in any batch.

A check takes ``build``, which makes a mechanism of ``query_dim``, ``key_dim`` and ``summary_dim``.
"""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.testing import assert_close

from attnlab.attention.row_sums import RowSum
from attnlab.testing.asking import LENGTHS, B, D, S, T, alone, ask, at_once, encoded, in_steps, make, queries
from attnlab.testing.contract import Build, Contract, refused
from attnlab.types import Encoded, select

DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
ROUNDING = 1e-12  # of gradients that cancel
CHECKS = Contract()


@CHECKS.add
def rows_are_distributions_over_real_tokens(build: Build) -> None:
    for dtype in DTYPES:
        for training in (False, True):
            attention, sentence = make(build, dtype).train(training), encoded(dtype)
            found = ask(attention, queries(dtype), sentence)
            assert found.context.shape == (B, T, attention.context_dim), f"context: {tuple(found.context.shape)}"
            assert found.context.isfinite().all(), f"the context in {dtype} is not finite"
            if attention.has_weights:
                distributed(found.weights, sentence.mask, attention.row_sum, dtype)
            else:
                assert found.weights is None, "has_weights is False, and there are weights"


def distributed(weights: Tensor, mask: Tensor, row_sum: RowSum, dtype: torch.dtype) -> None:
    assert (weights.shape, weights.dtype) == ((B, T, S), dtype), f"weights: {tuple(weights.shape)}, {weights.dtype}"
    assert row_sum is RowSum.SIGNED or (weights >= 0).all(), "a weight is below 0"
    padding = weights.masked_select(~mask[:, None].expand_as(weights))
    assert (padding == 0).all(), f"padding has the weight {padding.abs().max().item():.3g}, expected exactly 0"
    tolerance = 1e-6 if dtype in (torch.float32, torch.float64) else 1e-2
    sums = weights.double().sum(-1)
    if row_sum is RowSum.ONE:
        assert_close(sums, torch.ones_like(sums), atol=tolerance, rtol=0)
    elif row_sum is RowSum.AT_MOST_ONE:
        assert (sums <= 1 + tolerance).all(), f"weights of a query sum to {sums.max().item():.3g}, expected 1 at most"


@CHECKS.add
def padding_changes_nothing(build: Build) -> None:
    attention, sentence, query = make(build), encoded(), queries()
    found = ask(attention, query, sentence)
    for row, length in enumerate(LENGTHS):
        apart = ask(attention, query[row : row + 1], alone(sentence, row, length))
        assert_close(apart.context[0], found.context[row], atol=1e-12, rtol=0)
        if found.weights is not None:
            assert_close(apart.weights[0], found.weights[row, :, :length], atol=1e-12, rtol=0)


@CHECKS.add
def values_on_padding_are_never_read(build: Build) -> None:
    attention, sentence, query = make(build), encoded(), queries()
    noise = torch.where(sentence.mask[..., None], sentence.states, 1e6)
    context = ask(attention, query, sentence).context
    assert_close(ask(attention, query, sentence._replace(states=noise)).context, context)


@CHECKS.add
def batch_order_does_not_matter(build: Build) -> None:
    attention, sentence, query = make(build), encoded(), queries()
    order = torch.tensor([2, 0, 1])
    states, mask, summary = (part[order] for part in sentence[:3])
    shuffled = Encoded(states, mask, summary, (sentence.final[0][order],))
    found = ask(attention, query[order], shuffled).context
    assert_close(found, ask(attention, query, sentence).context[order])


@CHECKS.add
def gradients_reach_the_sentence_and_every_parameter(build: Build) -> None:
    attention, sentence = make(build).train(), encoded()
    states = sentence.states.requires_grad_()
    found = ask(attention, queries(), sentence._replace(summary=states.sum(1)))
    loss = found.context.square().sum()
    if found.sample is not None:
        reward = torch.tensor([-1.0, -2.0, -3.0]).double()
        loss = loss + attention.surrogate(found.sample, reward, torch.ones(B, T, dtype=torch.bool))
    loss.backward()
    for name, parameter in [("states", states), *attention.named_parameters()]:
        gradient = parameter.grad
        assert gradient is not None, f"no gradient reaches {name}"
        assert gradient.isfinite().all(), f"the gradient of {name} is not finite"
        assert gradient.abs().max() > ROUNDING, f"the gradient of {name} is zero: nothing depends on it"


@CHECKS.add
def any_lengths(build: Build) -> None:
    for target, source in [(9, 2), (1, 1), (5, 1)]:
        attention, sentence = make(build), encoded(lengths=[source], source=source)
        found = ask(attention, queries(batch=1, steps=target), sentence)
        assert found.context.isfinite().all(), f"{target} queries of {source} words: the context is not finite"
        if source == 1 and attention.has_weights and attention.row_sum is RowSum.ONE:
            assert_close(found.weights, torch.ones_like(found.weights))


@CHECKS.add
def step_by_step_equals_parallel(build: Build) -> None:
    attention, sentence, query = make(build), encoded(), queries()
    if attention.needs_history:
        with refused("one query at a time", "it needs_history, and takes several queries without one"):
            attention(query, attention.memory(sentence))
    if not attention.looks_back:
        expected = at_once(attention, query, sentence).context
        assert_close(in_steps(attention, query, sentence).context, expected)


@CHECKS.add
def a_beam_is_like_sentences_of_their_own(build: Build) -> None:
    """Hypotheses lie along the time axis, each with a past of its own; a search reorders the past."""
    beam, steps = 2, 3
    attention, sentence, query = make(build), encoded(), queries(batch=B * beam, steps=steps)
    rows = torch.arange(B).repeat_interleave(beam)
    states, mask, summary = (part[rows] for part in sentence[:3])
    copies = Encoded(states, mask, summary, (sentence.final[0][rows],))
    memory, copied = attention.memory(sentence), attention.memory(copies)
    history, past = select(attention.initial_state(memory), rows), attention.initial_state(copied)
    swap = torch.arange(B * beam).view(B, beam).flip(1).flatten()
    for step in range(steps):
        together = attention(query[:, step].view(B, beam, D), memory, history)
        apart = attention(query[:, step : step + 1], copied, past)
        assert_close(together.context.flatten(0, 1), apart.context[:, 0])
        history, past = select(together.history, swap), select(apart.history, swap)


@CHECKS.add
def a_sentence_without_a_word_is_an_error(build: Build) -> None:
    sentence = encoded()
    empty = sentence._replace(mask=sentence.mask & (torch.arange(B) != 1)[:, None])
    with refused("rows [1]", "a sentence of padding alone was taken"):
        make(build).memory(empty)


def agrees(
    build: Build, *, attend: Callable[..., Any] | None = None, decode: Callable[..., Any] | None = None,
    training: bool = False,
) -> None:  # fmt: skip
    """Weights, context and gradients against the equation as plain loops over numbers.

    Args:
        build: makes the mechanism.
        attend: of one query; gets the parameters by name, the query [Q], the sentence's states [S, V] and its summary
            [V], and returns weights [S] and context.
        decode: instead, for all queries of a sentence, where one depends on the last; it takes ``training`` where that
            makes a difference.
        training: whether the mechanism is in training.
    """
    attention, sentence = make(build).train(training), encoded()
    query = queries().requires_grad_()
    sentence = sentence._replace(states=sentence.states.requires_grad_(), summary=sentence.states.sum(1))
    found = ask(attention, query, sentence)
    probe = torch.randn_like(found.context)
    inputs = [query, sentence.states, *attention.parameters()]
    gradients = torch.autograd.grad(
        (found.context * probe).sum(), inputs, allow_unused=True, retain_graph=True, materialize_grads=True
    )
    weights_by_name, total = dict(attention.named_parameters()), torch.zeros(()).double()
    for row, length in enumerate(LENGTHS):
        told = weights_by_name, query[row], sentence.states[row, :length], sentence.summary[row]
        steps = transcribed(told, attend, decode, training)
        for step, (weights, context) in enumerate(steps):
            assert_close(found.context[row, step], context, atol=1e-10, rtol=1e-10)
            if found.weights is not None:
                assert_close(found.weights[row, step, :length], weights, atol=1e-10, rtol=1e-10)
            total = total + (context * probe[row, step]).sum()
    expected = torch.autograd.grad(total, inputs, allow_unused=True, materialize_grads=True)
    assert_close(gradients, expected, atol=1e-10, rtol=1e-8)


def transcribed(
    told: tuple[Any, ...], attend: Callable[..., Any] | None, decode: Callable[..., Any] | None, training: bool
) -> Any:
    if decode is not None:
        mode = {"training": training} if "training" in inspect.signature(decode).parameters else {}
        return decode(*told, **mode)
    assert attend is not None, "give attend, or decode"
    weights, query, states, summary = told
    return [attend(weights, h, states, summary) for h in query]
