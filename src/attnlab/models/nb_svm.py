"""NB-SVM as a classifier of scikit-learn's; the equations stand in :mod:`attnlab.models.linear_fit`."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import LinearSVC
from sklearn.utils.multiclass import unique_labels

from attnlab.models.linear_fit import INTERPOLATION, SMOOTHING, STEPS


class NbSvm(ClassifierMixin, BaseEstimator):
    """Of binarised counts.

    Args:
        C: of the SVM.
    """

    def __init__(self, C: float = 0.03) -> None:
        self.C = C

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "NbSvm":
        self.classes_ = unique_labels(y)
        wanted = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        parts = [one_against_the_others(X, y == label, self.C, sample_weight) for label in wanted]
        self.coef_ = np.stack([weight for weight, _ in parts])
        self.intercept_ = np.array([bias for _, bias in parts])
        return self

    def decision_function(self, X: Any) -> Float[np.ndarray, "N *K"]:
        """The margin of each class; of two that of the second."""
        margins = X @ self.coef_.T + self.intercept_
        return margins[:, 0] if len(self.classes_) == 2 else margins

    def predict(self, X: Any) -> Any:
        margins = self.decision_function(X)
        return self.classes_[(margins > 0).astype(int) if margins.ndim == 1 else margins.argmax(1)]


def one_against_the_others(
    counts: Any, positive: Bool[np.ndarray, " N"], C: float, sample_weight: Any
) -> tuple[Float[np.ndarray, " F"], float]:
    """Weights of the counts themselves, r in them, and the bias."""
    ratio = log_count_ratio(counts, positive)
    svm = LinearSVC(C=C, max_iter=STEPS, random_state=0)
    svm.fit(counts.multiply(ratio).tocsr(), positive, sample_weight=sample_weight)
    (weight,) = svm.coef_
    mean = np.abs(weight).mean()
    return ratio * ((1 - INTERPOLATION) * mean + INTERPOLATION * weight), float(svm.intercept_[0])


def log_count_ratio(counts: Any, positive: Bool[np.ndarray, " N"]) -> Float[np.ndarray, " F"]:
    """R of each feature: how much more of the positive texts' counts it has."""
    p, q = (SMOOTHING + np.asarray(counts[side].sum(0)).ravel() for side in (positive, ~positive))
    return np.log(p / p.sum()) - np.log(q / q.sum())
