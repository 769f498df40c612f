r"""One linear layer on what two sentences share: what attention is to be compared with; scikit-learn fits it.

    logits = W x + b,  probabilities by a softmax,  x the features of :mod:`attnlab.data.pairs.overlap`

Multinomial logistic regression. For relatedness each pair stands in training once for every point of the scale that has
a part of it (Tai et al. 2015), weighed by that part: the same loss that networks are trained by there.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.models.linear import Linear
from attnlab.models.pair_classifier import FEATURES, PairClassifier, Paired
from attnlab.models.word_reader import SMALLEST
from attnlab.ranges import Positive
from attnlab.types import DataError, Side

STEPS = 2000  # of the solver at most
NEVER = -100.0  # logit of a class that no training pair has


class OverlapLinear(nn.Module):
    """Logistic regression on overlap features. It is fitted at once and not by gradients: it has a ``fit``.

    Args:
        vocabulary: words; of no use here.
        classes: how many.
        features: how many there are of a pair.
        C: how much errors weigh against the size of the weights, as scikit-learn has it.
        vectors: is handed on by the data; of no use here.
    """

    fitted_at_once: ClassVar[bool] = True
    reads_overlap: ClassVar[bool] = True
    unread: ClassVar[tuple[str, ...]] = Linear.unread
    smallest: ClassVar[Mapping[str, Any]] = {"vocabulary": SMALLEST, "classes": 2, "features": FEATURES}
    longest_text: ClassVar[int | None] = None
    has_weights: ClassVar[bool] = False
    losses = PairClassifier.losses
    fitted: Tensor

    def __init__(self, vocabulary: int, classes: int, features: int, C: Positive = 1.0, vectors: Any = None) -> None:
        super().__init__()
        self.C = C
        self.weight = nn.Parameter(torch.zeros(classes, features), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(classes), requires_grad=False)
        self.register_buffer("fitted", torch.zeros((), dtype=torch.bool))

    def fit(self, features: Float[np.ndarray, "N F"], shares: Float[np.ndarray, "N C"]) -> float:
        """Learn from training pairs; give the mean loss on them, in nats.

        Args:
            features: a row a pair.
            shares: how much of each pair is of each class, summing to its weight.

        Raises:
            DataError: all are of the same class.
        """
        from sklearn.linear_model import LogisticRegression  # it takes a second to import

        rows, classes = shares.nonzero()
        seen = np.unique(classes)
        if len(seen) < 2:
            raise DataError("training pairs have one class only; a linear model wants two or more")
        model = LogisticRegression(C=self.C, max_iter=STEPS)
        model.fit(features[rows], classes, sample_weight=shares[rows, classes])
        two = len(seen) == 2  # then scikit-learn has one row, of the second class
        weight, bias = self.weight.new_zeros(self.weight.shape), self.bias.new_full(self.bias.shape, NEVER)
        coefficients, intercept = (
            np.concatenate([np.zeros_like(x), x]) if two else x for x in (model.coef_, model.intercept_)
        )
        weight[torch.from_numpy(seen)] = torch.from_numpy(coefficients).to(weight)
        bias[torch.from_numpy(seen)] = torch.from_numpy(intercept).to(bias)
        self.weight.data, self.bias.data = weight, bias
        self.fitted.fill_(True)
        logits = features.astype(np.float64) @ weight.double().cpu().numpy().T + bias.double().cpu().numpy()
        log_p = logits - np.logaddexp.reduce(logits, 1, keepdims=True)
        return float(-(shares * log_p).sum() / shares.sum())

    @property
    def is_fitted(self) -> bool:
        return bool(self.fitted)

    def forward(self, premise: Side, hypothesis: Side, overlap: Float[Tensor, "B F"] | None = None) -> Paired:
        if overlap is None:
            raise ValueError("this model reads what sentences share, and the batch does not say")
        return Paired(overlap.to(self.weight.dtype) @ self.weight.T + self.bias, None, None)

    def surrogate(self, found: Paired, label: Tensor, real: Tensor) -> None:
        """Nothing is drawn at random."""

    learn_draws = surrogate

    def weights_by_head(self, premise: Side, hypothesis: Side, overlap: Tensor | None = None) -> None:
        """Nothing is looked at."""
