"""What mechanisms are asked in checks: small sentences of unequal lengths, all queries at once or one by one."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from attnlab.attention.base import consecutive
from attnlab.testing.contract import Build
from attnlab.types import Encoded

B, T, S, D = 3, 4, 6, 8
LENGTHS = [6, 3, 1]


def encoded(dtype: torch.dtype = torch.float64, lengths: Sequence[int] = LENGTHS, source: int = S) -> Encoded:
    """Sentences of these lengths, zero on padding."""
    mask = torch.arange(source) < torch.tensor(lengths)[:, None]
    states = torch.randn(len(lengths), source, D, dtype=dtype) * mask[..., None]
    return Encoded(states, mask, states.sum(1), (states[:, :1],))


def queries(dtype: torch.dtype = torch.float64, batch: int = B, steps: int = T) -> Tensor:
    return torch.randn(batch, steps, D, dtype=dtype)


def make(build: Build, dtype: torch.dtype = torch.float64) -> Any:
    """Ready to be evaluated; what draws at random or expects something in training does so after ``train()``."""
    return build(query_dim=D, key_dim=D, summary_dim=D).to(dtype).eval()


def in_steps(attention: Any, query: Tensor, sentence: Encoded) -> SimpleNamespace:
    """Query by query, each with the past of the one before."""
    memory = attention.memory(sentence)
    history, steps = attention.initial_state(memory), []
    for step in range(query.size(1)):
        steps.append(attention(query[:, step : step + 1], memory, history))
        history = steps[-1].history
    weights = [step.weights for step in steps]
    samples = [step.sample for step in steps]
    return SimpleNamespace(
        context=torch.cat([step.context for step in steps], 1),
        weights=None if weights[0] is None else torch.cat(weights, 1),
        sample=None if samples[0] is None else type(samples[0])(*(torch.cat(p, 1) for p in zip(*samples, strict=True))),
    )


def at_once(attention: Any, query: Tensor, sentence: Encoded) -> Any:
    memory = attention.memory(sentence)
    history = attention.initial_state(memory)
    return attention(query, memory, None if history is None else consecutive(history, query.size(1)))


def ask(attention: Any, query: Tensor, sentence: Encoded) -> Any:
    """All queries: at once, or one by one for a mechanism that looks back."""
    return (in_steps if attention.looks_back else at_once)(attention, query, sentence)


def alone(sentence: Encoded, row: int, length: int) -> Encoded:
    """One sentence of a batch without its padding."""
    rows = slice(row, row + 1)
    return Encoded(
        sentence.states[rows, :length],
        sentence.mask[rows, :length],
        sentence.summary[rows],
        tuple(part[rows] for part in sentence.final),
    )
