r"""Several models that search as one: the mean of their probabilities at every step.

$$p(y_t \mid y_{<t}, x) = \frac1M \sum_m p_m(y_t \mid y_{<t}, x)$$

Sutskever, Vinyals and Le 2014, section 3.6; of seeds, of other sizes, of other mechanisms: only the vocabularies have
to be the same. Attention weights are the mean over the models that have some.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from attnlab.types import Step, StepModel


class Ensemble:
    """A ``StepModel`` of several.

    Args:
        models: whose vocabularies are the same, in the same order.
    """

    def __init__(self, models: Sequence[StepModel]) -> None:
        self.models = models

    @property
    def longest_target(self) -> int | None:
        """What all of them can decode."""
        return min((most for model in self.models if (most := model.longest_target) is not None), default=None)

    def initial_state(self, source: Int[Tensor, "B S"], source_mask: Bool[Tensor, "B S"], beam: int) -> tuple[Any, Any]:
        """Of all models, one after another."""
        memories, states = zip(*(model.initial_state(source, source_mask, beam) for model in self.models), strict=True)
        return memories, states

    def advance(self, tokens: Int[Tensor, " N"], memory: Any, state: Any) -> Step:
        """Read one token a hypothesis with every model."""
        asked = zip(self.models, memory, state, strict=True)
        steps = [model.advance(tokens, its_memory, its_state) for model, its_memory, its_state in asked]
        log_probs = torch.stack([step.log_probs for step in steps]).logsumexp(0) - math.log(len(steps))
        weights = [step.weights for step in steps if step.weights is not None]
        mean = torch.stack(weights).mean(0) if weights else None
        return Step(log_probs, mean, tuple(step.state for step in steps))
