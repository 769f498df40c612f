"""Perplexity: exp of the mean negative log-likelihood in nats a target token.

The end of the sentence is a token, padding is none.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torchmetrics import Metric

from attnlab.metrics.quantities.ppl import PERPLEXITY
from attnlab.types import DataError

SMALLEST = -1074  #: the smallest positive float64 is 2^SMALLEST
BITS = 32  #: of a digit
DIGITS = 66  #: of the sum; 2^(66 * 32 - 1074) is above the largest float64


class Perplexity(Metric):
    """Perplexity over a corpus: the sum of all negative log-likelihoods over all tokens, exponentiated.

    The sum is exact: every float64 is a whole number of the smallest one, and is added up as such, digit by digit
    to the base 2^32 (a superaccumulator: Kulisch and Miranker 1981, Computer Arithmetic in Theory and Practice). So
    it is the same in any order and on any number of devices, nothing is too large or too small for it, and the
    mean is rounded once. The digits are int64, with room for 2^31 summands: a float64 state would be rounded to
    bfloat16 by ``module.to(bfloat16)`` (what Lightning's ``bf16-true`` does) and cannot live on Apple's GPUs.
    """

    is_differentiable = False
    higher_is_better = PERPLEXITY.higher_is_better
    full_state_update = False
    digits: Tensor
    tokens: Tensor
    broken: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("digits", torch.zeros(DIGITS, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("tokens", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        # 0, or inf or nan as soon as a likelihood was: digits cannot show either
        self.add_state("broken", torch.zeros(()), dist_reduce_fx="sum")

    def update(self, nll: Float[Tensor, "..."], tokens: int | Int[Tensor, ""]) -> None:
        """Add a batch.

        Args:
            nll: negative log-likelihoods in nats of the real target tokens, or their sum (not their mean).
            tokens: how many tokens they are of.
        """
        values = nll.detach().reshape(-1)
        finite, zero = torch.isfinite(values), torch.zeros_like(values)
        self.digits = self.digits + digits_of(torch.where(finite, values, zero)).sum(0)
        self.broken = self.broken + torch.where(finite, zero, values).sum().to(self.broken.dtype)
        self.tokens = self.tokens + tokens

    def compute(self) -> Float[Tensor, ""]:
        """Return the perplexity (float64, on the CPU): infinity where it is above 1.8e308, inf or nan where a loss was.

        Raises:
            DataError: no token was counted.
        """
        return torch.tensor(perplexity(self.mean()), dtype=torch.float64)

    def mean(self) -> float:
        """The logarithm of the perplexity: nats a token, finite where all likelihoods were.

        Of what this process has counted; ``with metric.sync_context():`` of all.

        Raises:
            DataError: no token was counted.
        """
        tokens, broken = int(self.tokens), float(self.broken)
        if tokens == 0:
            raise DataError("perplexity of nothing: 0 target tokens came, 1 or more expected; is the split empty?")
        if broken != 0:  # nan != 0, too
            return broken
        total = sum(digit << BITS * place for place, digit in enumerate(self.digits.tolist()))
        try:
            return total / (tokens << -SMALLEST)  # of whole numbers, and rounded once
        except OverflowError:  # more nats than tokens allow
            return math.inf if total > 0 else -math.inf


def perplexity(loss: float) -> float:
    """exp of a mean loss in nats; infinity above 709.78, where float64 ends."""
    try:
        return math.exp(loss)
    except OverflowError:
        return math.inf


def digits_of(values: Float[Tensor, " N"]) -> Int[Tensor, "N digits"]:
    """Write finite numbers to the base 2^32, in units of the smallest float64; each digit has the number's sign."""
    wide = torch.float32 if values.device.type == "mps" else torch.float64
    exponents = [SMALLEST + BITS * place for place in range(DIGITS + 1)]
    # Beyond the range of float32 a base is 0 or infinity there.
    bases = torch.tensor([_power(exponent) for exponent in exponents], dtype=torch.float64).to(values.device, wide)
    rest = torch.fmod(values.to(wide)[:, None], bases[1:])  # exact: what lies below the next digit
    return torch.nan_to_num(rest / bases[:-1], 0.0, 0.0, 0.0).trunc().to(torch.int64)


def _power(exponent: int) -> float:
    return math.ldexp(1.0, exponent) if exponent < 1024 else math.inf
