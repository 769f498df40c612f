"""The loop that all searches share: one call of the model a step, and finished sentences leave the batch.

Each step transfers one flag a sentence from the device to the host, which is all that dropping finished
sentences needs; everything else stays on the device until the hypotheses are read at the end.
"""

import math
from typing import Any, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from attnlab.errors import NonFiniteError
from attnlab.kernels.cpu_products import products_of
from attnlab.search.backpointers import Backpointers, Ending
from attnlab.search.limits import Limits
from attnlab.search.prefix import Held, Prefixes
from attnlab.types import BOS, Hypothesis, Step, StepModel, select

Live = TypeVar("Live")


@runtime_checkable
class Policy(Protocol[Live]):
    """Decides which tokens to try; ``Live`` is its tree of tensors with one row a sentence still searched."""

    @property
    def width(self) -> int:
        """Hypotheses a sentence."""
        ...

    def start(self, source: Int[Tensor, "B S"], source_mask: Bool[Tensor, "B S"], steps: Int[Tensor, " B"]) -> Live: ...

    def grow(
        self, live: Live, log_probs: Float[Tensor, "N V"], weights: Float[Tensor, "N S"] | None, t: int
    ) -> tuple[Live, Int[Tensor, "B K"], Int[Tensor, "B K"] | None]:
        """Choose; give the tokens and the place each goes on from (None: each row from itself)."""
        ...

    def over(self, live: Live, t: int) -> Bool[Tensor, " B"]:
        """Tell which sentences need no step after step ``t``."""
        ...

    def endings(self, gone: Live, t: int) -> list[list[Ending]]:
        """Give the results, best first, of sentences that leave after step ``t``."""
        ...


@torch.inference_mode()
def search(
    model: StepModel,
    source: Int[Tensor, "B S"],
    source_mask: Bool[Tensor, "B S"],
    policy: Policy[Live],
    limits: Limits,
    prefixes: Prefixes | None = None,
) -> list[list[Hypothesis]]:
    """Search each sentence to its end.

    Args:
        model: that tells what may come next.
        source: the sentences.
        source_mask: of their real tokens.
        policy: of the search.
        limits: likewise.
        prefixes: what the translation of each begins with; None leaves all of them free.

    Raises:
        ConfigError: a translation cannot begin so.
        DataError: a source sentence without a token.
        NonFiniteError: the model gave NaN, or no probability to any token that may be produced.
    """
    steps = limits.steps(source_mask, model.longest_target)
    if not steps:
        return []
    held = None if prefixes is None else Held(prefixes, steps, limits)
    width, alive = policy.width, list(range(len(steps)))
    endings: list[list[Ending]] = [[] for _ in steps]
    backpointers = Backpointers(width)
    live = policy.start(source, source_mask, torch.tensor(steps, device=source.device))
    with products_of(source.numel(), source.device):
        memory, state = model.initial_state(source, source_mask, 1)
    tokens = torch.full((len(steps), width), BOS, dtype=torch.long, device=source.device)
    for t in range(max(steps)):
        with products_of(tokens.numel(), source.device):
            step = model.advance(tokens.flatten(), memory, state) if t else _first(model, tokens, memory, state)
        log_probs = _widen(step.log_probs)
        allowed = log_probs if held is None else held(log_probs, alive, t)
        live, tokens, parents = policy.grow(live, allowed, step.weights, t)
        backpointers.add(alive, tokens, parents, step.weights)
        kept, gone = _split(policy.over(live, t))
        if gone:
            for row, some in zip(gone, policy.endings(select(live, _rows(gone, tokens)), t), strict=True):
                endings[alive[row]] = _sound(some, alive[row])
        if not kept:
            break
        rows = _rows(kept, tokens) if gone else None
        state = _follow(step.state, tokens, parents, rows)
        if rows is not None:
            alive = [alive[row] for row in kept]
            live, memory, tokens = select((live, memory, tokens), rows)
    return backpointers.hypotheses(endings, source_mask)


def _first(model: StepModel, tokens: Int[Tensor, "B K"], memory: Any, state: Any) -> Step:
    """The first step, computed once a sentence: all its hypotheses still read the same."""
    step = model.advance(tokens[:, 0], memory, state)
    sentences, width = tokens.shape
    return step if width == 1 else select(step, torch.arange(sentences, device=tokens.device).repeat_interleave(width))


def _split(over: Bool[Tensor, " B"]) -> tuple[list[int], list[int]]:
    """Give the rows that go on and those that leave: the one transfer of a step.

    The last rows take the places of those that leave, so that a state may move few of them.
    """
    flags = over.tolist()
    gone = [row for row, end in enumerate(flags) if end]
    kept = list(range(len(flags) - len(gone)))
    last = (row for row in range(len(kept), len(flags)) if not flags[row])
    for row in gone:
        if row < len(kept):
            kept[row] = next(last)
    return kept, gone


def _follow(
    state: Any, tokens: Int[Tensor, "B K"], parents: Int[Tensor, "B K"] | None, rows: Int[Tensor, " M"] | None
) -> Any:
    """Give each hypothesis its parent's state, for the sentences ``rows`` (None: all)."""
    if parents is None and rows is None:
        return state
    sentences, width = tokens.shape
    if parents is None:
        parents = torch.arange(width, device=tokens.device).expand(sentences, width)
    source = torch.arange(sentences, device=tokens.device)[:, None] * width + parents
    return select(state, (source if rows is None else source[rows]).flatten())


def _widen(log_probs: Float[Tensor, "N V"]) -> Float[Tensor, "N V"]:
    return log_probs.to(torch.promote_types(log_probs.dtype, torch.float32))


def _rows(numbers: list[int], like: Tensor) -> Int[Tensor, " M"]:
    return torch.tensor(numbers, device=like.device)


def _sound(endings: list[Ending], sentence: int) -> list[Ending]:
    if not endings or not all(math.isfinite(ending.log_prob) for ending in endings):
        raise NonFiniteError(
            f"sentence {sentence} of the batch: the model's log-probabilities are NaN, or -inf for every "
            "token that may be produced; expected one finite value at least: take another checkpoint or precision "
            "(the loss of its training shows whether it diverged), or relax min_length and forbid_unknown"
        )
    return endings
