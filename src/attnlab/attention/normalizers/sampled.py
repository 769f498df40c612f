r"""Stochastic hard attention: one position drawn at random, learned by the score function (REINFORCE).

$$s_i \sim \mathrm{Multinoulli}(\mathrm{softmax}(e_i)), \qquad
\nabla L = \nabla \ln p(y \mid s) + \lambda_r \left(\ln p(y \mid s) - b\right) \nabla \ln p(s)
+ \lambda_e \nabla H[\mathrm{softmax}(e)]$$

Paper: Xu et al. 2015, "Show, attend and tell", section 4.1, equations (10) to (13).
Cost: time and memory O(B T S).

b is a moving average of ln p(y | s) over batches; it begins at the first batch's mean. (A row without a word is no
sentence, and a mean that is not finite is passed over.) With the probability
``expectation`` a query takes its softmax itself instead of a draw, which lets the other gradients through: the paper
tosses this coin once an image, here it is once a query. Evaluation and search draw nothing and look at the most
probable position. lambda_r starts small: ln p(y | s) is of a whole sentence and varies by dozens of nats, which at 1
drown the gradient of the words.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from attnlab.attention.base import Normalizer
from attnlab.attention.normalizers.hard_st import one_hot
from attnlab.ranges import Fraction, Probability, Weight
from attnlab.types import ConfigError, Sample


class Sampled(Normalizer):
    """Draws in training.

    Args:
        expectation: probability that a query takes the softmax instead of a draw.
        reward_weight: lambda_r.
        entropy_weight: lambda_e.
        decay: of the moving average b.

    Raises:
        ConfigError: a probability or a decay outside [0, 1).
    """

    draws = True
    baseline: Tensor

    def __init__(
        self,
        expectation: Probability = 0.5,
        reward_weight: Weight = 0.01,
        entropy_weight: Weight = 0.002,
        decay: Fraction = 0.9,
    ) -> None:
        super().__init__()
        for name, value in (("expectation", expectation), ("decay", decay)):
            if not 0 <= value < 1:
                raise ConfigError(f"attention.normalizer.{name} must be in [0, 1), got {value}")
        self.expectation, self.reward_weight = expectation, reward_weight
        self.entropy_weight, self.decay = entropy_weight, decay
        self.register_buffer("baseline", torch.full((), torch.nan))

    def forward(self, scores: Float[Tensor, "B T S"], mask: Bool[Tensor, "B #T S"]) -> Float[Tensor, "B T S"]:
        soft = scores.masked_fill(~mask, float("-inf")).softmax(-1)
        if not self.training:
            return one_hot(soft.argmax(-1), soft)
        drawn = one_hot(self.draw(soft.detach()), soft)
        expected = torch.rand_like(soft[..., :1]) < self.expectation
        return torch.where(expected, soft, drawn)

    def draw(self, soft: Float[Tensor, "B T S"]) -> Int[Tensor, "B T"]:
        """A position a query: argmax_j p_j / x_j with x_j from Exp(1), which is how torch.multinomial draws one.

        That one stops at a NaN (on a GPU for good); here NaN goes on into the loss, where training looks for it.
        """
        wide = soft.float()
        return (wide / torch.empty_like(wide).exponential_()).argmax(-1)

    def sample(
        self, scores: Float[Tensor, "B T S"], mask: Bool[Tensor, "B #T S"], weights: Float[Tensor, "B T S"]
    ) -> Sample:
        """ln p of the draw, 0 where the softmax itself was taken."""
        log_p = scores.masked_fill(~mask, float("-inf")).log_softmax(-1)
        seen = weights > 0
        drawn = seen & (seen.sum(-1, keepdim=True) == 1)
        entropy = -(log_p.exp() * log_p.masked_fill(log_p.isneginf(), 0.0)).sum(-1)
        return Sample(log_p.masked_fill(~drawn, 0.0).sum(-1), entropy)

    def surrogate(self, sample: Sample, reward: Float[Tensor, " B"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, ""]:
        """Its gradient is that of the last two terms, with the sign of a loss."""
        with torch.no_grad():
            real = mask.any(1)
            mean = ((reward * real).sum() / real.sum()).to(self.baseline.dtype)
            baseline = torch.where(self.baseline.isnan(), mean, self.baseline)
            after = self.decay * baseline + (1 - self.decay) * mean
            self.baseline.copy_(torch.where(mean.isfinite(), after, self.baseline))
        log_prob, entropy = (part.masked_fill(~mask, 0.0).sum(1) for part in sample)
        loss = self.reward_weight * (reward - baseline) * log_prob + self.entropy_weight * entropy
        return -loss.masked_fill(~real, 0.0).sum()
