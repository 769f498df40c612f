"""Perplexity: exp of the mean negative log-likelihood in nats a target token.

The end of the sentence is a token, padding is none.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torchmetrics import Metric

from attnlab.types import DataError

UNITS = 2.0**24  #: a nat in the units of the sum: steps of 6e-8 nats, room for 5e11 nats


class Perplexity(Metric):
    """Perplexity over a corpus: the sum of all negative log-likelihoods over all tokens, exponentiated.

    ``compute().log()`` is the mean loss. The sum is kept in fixed point, as int64: a float64 state is rounded
    to bfloat16 by ``module.to(bfloat16)`` (what Lightning's ``bf16-true`` does) and cannot live on Apple's
    GPUs at all. Integers are left alone, and add up to the same in any order, on any number of devices.
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = False
    units: Tensor
    tokens: Tensor
    broken: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("units", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("tokens", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        # 0, or inf or nan as soon as a likelihood was: fixed point cannot show either
        self.add_state("broken", torch.zeros(()), dist_reduce_fx="sum")

    def update(self, nll: Float[Tensor, "..."], tokens: int | Int[Tensor, ""]) -> None:
        """Add a batch.

        Args:
            nll: negative log-likelihoods in nats of the real target tokens, or their sum (not their mean).
            tokens: how many tokens they are of.
        """
        wide = torch.float32 if nll.device.type == "mps" else torch.float64
        total = nll.detach().to(wide).sum()
        finite = torch.isfinite(total)
        zero = torch.zeros_like(total)
        self.units = self.units + (torch.where(finite, total, zero) * UNITS).round().to(torch.int64)
        self.broken = self.broken + torch.where(finite, zero, total).to(self.broken.dtype)
        self.tokens = self.tokens + tokens

    def compute(self) -> Float[Tensor, ""]:
        """Return the perplexity (float64, on the CPU); inf or nan where a likelihood was.

        Raises:
            DataError: no token was counted.
        """
        tokens = int(self.tokens)
        if tokens == 0:
            raise DataError("perplexity of nothing: 0 target tokens came, 1 or more expected; is the split empty?")
        total = int(self.units) / UNITS + float(self.broken)
        return torch.tensor(total / tokens, dtype=torch.float64).exp()
