"""A mechanism alone, to stand in a model of one's own."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.api.commands import words
from attnlab.attention.base import Attended, consecutive
from attnlab.attention.multi_head import Heads
from attnlab.cli.app import composed
from attnlab.cli.build import made
from attnlab.cli.commands.train import COMMAND
from attnlab.errors import ConfigError
from attnlab.types import Encoded, History, Memory, Sample


def mechanism(
    name: str, query_dim: int, key_dim: int, overrides: Sequence[str] = (), *, summary_dim: int | None = None
) -> "Mechanism":
    """A mechanism by the word that ``attention=`` takes, with fresh weights.

    >>> import torch, attnlab
    >>> attention = attnlab.mechanism("bahdanau", query_dim=64, key_dim=128)
    >>> states, mask = torch.randn(2, 7, 128), torch.ones(2, 7, dtype=torch.bool)  # of an encoder; True: a real word
    >>> seen = attention(torch.randn(2, 5, 64), states, mask)  # five queries of a decoder for each sentence
    >>> seen.context.shape, seen.weights.shape
    (torch.Size([2, 5, 128]), torch.Size([2, 5, 7]))

    Args:
        name: ``bahdanau``, ``luong_general``, ``multi_head``, …: all that ``python train.py --help`` lists.
        query_dim: size of what asks.
        key_dim: size of what is looked at.
        overrides: settings and other parts, ``["attention/normalizer=sparsemax", "attention.score.attention_dim=32"]``.
        summary_dim: size of the fixed context, which only ``none`` reads.

    Raises:
        MistakesError: there is no such mechanism or setting.
        ConfigError: sizes that do not go together, e.g. a dot product of two sizes.
    """
    node = composed(COMMAND, [f"attention={name}", "logger=none", "callbacks=none", *words(overrides)]).attention
    if node is None:
        raise ConfigError(f"attention={name}: nothing, which has no place in a model")
    build: Callable[..., nn.Module] = made(node)
    return Mechanism(build(query_dim=query_dim, key_dim=key_dim, summary_dim=summary_dim))


class Mechanism(nn.Module):
    """Attention between an encoder and a decoder of one's own.

    All queries at once, ``attention(queries, states, mask)``, or step by step, with what does not change made once:

    >>> import torch, attnlab
    >>> attention = attnlab.mechanism("coverage", query_dim=64, key_dim=128)
    >>> states, mask, query = torch.randn(2, 7, 128), torch.ones(2, 7, dtype=torch.bool), torch.zeros(2, 64)
    >>> memory = attention.memory(states, mask)
    >>> history = attention.initial_state(memory)
    >>> for _ in range(3):  # the decoder's loop
    ...     seen = attention.step(query, memory, history)
    ...     history, query = seen.history, seen.context[:, 0, :64]
    >>> torch.allclose(history.total.sum(1), torch.tensor(3.0))  # coverage knows how much it has looked at
    True

    Args:
        attention: what does it, of the package ``attnlab.attention``.
    """

    def __init__(self, attention: nn.Module) -> None:
        super().__init__()
        self.attention = attention

    @property
    def context_dim(self) -> int:
        """Size of a context."""
        return int(self.attention.context_dim)  # type: ignore[arg-type]

    def memory(
        self,
        states: Float[Tensor, "B S K"],
        mask: Bool[Tensor, "B S"] | None = None,
        summary: Float[Tensor, "B C"] | None = None,
    ) -> Memory:
        """What is looked at; its keys are projected once.

        Args:
            states: the encoder's annotations.
            mask: True for real positions; None where all are.
            summary: the fixed context, for the mechanism ``none``.

        Raises:
            ValueError: a sentence without a real position.
        """
        if mask is None:
            mask = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
        if summary is None:
            summary = (states * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        made: Memory = self.attention.memory(Encoded(states, mask, summary, ()))  # type: ignore[operator]
        return made

    def initial_state(self, memory: Memory) -> History | None:
        """The past of a decoder that has looked nowhere yet; None for a mechanism that has no use for one."""
        past: History | None = self.attention.initial_state(memory)  # type: ignore[operator]
        return past

    def step(self, query: Float[Tensor, "B Q"], memory: Memory, history: History | None = None) -> Attended:
        """Look once with a query for each sentence.

        Returns:
            ``context`` [B, 1, C], ``weights`` [B, 1, S] and the ``history`` for the next step.
        """
        attended: Attended = self.attention(query.unsqueeze(1), memory, history)
        return attended

    def forward(
        self,
        query: Float[Tensor, "B T Q"],
        states: Float[Tensor, "B S K"],
        mask: Bool[Tensor, "B S"] | None = None,
        summary: Float[Tensor, "B C"] | None = None,
    ) -> Attended:
        """Look with all queries, one after the other where a step depends on the last.

        Returns:
            ``context`` [B, T, C]; ``weights`` [B, T, S], None of a mechanism without; ``sample`` of one that draws.
        """
        memory = self.memory(states, mask, summary)
        history = self.initial_state(memory)
        if getattr(self.attention, "looks_back", False):
            return self._one_by_one(query, memory, history)
        attended: Attended = self.attention(query, memory, numbered(history, query))
        return attended._replace(history=None)

    def _one_by_one(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Attended:
        found: list[Attended] = []
        for row in query.unbind(1):
            found.append(self.step(row, memory, history))
            history = found[-1].history
        samples = [each.sample for each in found if each.sample is not None]
        sample = Sample(*(torch.cat(part, 1) for part in zip(*samples, strict=True))) if samples else None
        weights: Any = [each.weights for each in found]
        return Attended(torch.cat([each.context for each in found], 1), torch.cat(weights, 1), None, sample)

    def by_head(
        self, query: Float[Tensor, "B T Q"], states: Float[Tensor, "B S K"], mask: Bool[Tensor, "B S"] | None = None
    ) -> Float[Tensor, "B H T S"]:
        """The weights of every head.

        Raises:
            ConfigError: it has none.
        """
        if not isinstance(self.attention, Heads):
            raise ConfigError("this mechanism has no heads; attention=multi_head has")
        memory = self.memory(states, mask)
        weights: Tensor = self.attention.by_head(query, memory, numbered(self.initial_state(memory), query))[1]
        return weights


def numbered(history: History | None, query: Float[Tensor, "B T Q"]) -> History | None:
    """The past of queries that are asked all at once, for a mechanism that counts them."""
    return None if history is None else consecutive(history, query.size(1))
