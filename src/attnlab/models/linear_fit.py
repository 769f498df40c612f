r"""How scikit-learn fits a linear layer on n-grams.

NB-SVM (Wang and Manning 2012, "Baselines and bigrams", sections 2.1 to 2.3), for one class against the others, over
binarised counts f, with alpha = 1 and beta = 0.25:

    p = alpha + sum_{i: y_i = 1} f_i,  q = alpha + sum_{i: y_i = -1} f_i
    r = ln((p / |p|_1) / (q / |q|_1))
    w, b = the L2-regularised L2-loss SVM on x = r * f
    w' = (1 - beta) mean|w| + beta w

A margin is no probability: logits are margins over a temperature (Guo et al. 2017), the one under which classes of
training texts that the margin was not fitted on are likeliest. It changes no decision. With more than two classes each
has its own r and SVM.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from attnlab.types import DataError

Ngram = tuple[int, ...]
INTERPOLATION = 0.25  # beta
SMOOTHING = 1.0  # alpha
FOLDS = 5  # of the training texts, for the temperature
NEVER = -100.0  # logit of a class that no training text has
STEPS = 1000  # of the solver at most


class Fitted(NamedTuple):
    """What was learnt."""

    ngrams: list[Ngram]
    idf: Float[np.ndarray, " F"]
    weight: Float[np.ndarray, "F C"]
    bias: Float[np.ndarray, " C"]
    loss: float  #: mean negative log-likelihood of the training texts' classes, in nats


def grams(text: Sequence[int], longest: int) -> list[Ngram]:
    """The n-grams of a text, up to ``longest`` tokens, as often as they occur."""
    return [tuple(text[i : i + size]) for size in range(1, longest + 1) for i in range(len(text) - size + 1)]


def fit(
    texts: Sequence[Sequence[int]],
    labels: Int[np.ndarray, " N"],
    classes: int,
    features: str,
    C: float,
    longest: int,
    min_frequency: int,
    weights: Float[np.ndarray, " N"] | None,
) -> Fitted:
    """Learn n-grams and weights from training texts.

    Raises:
        DataError: all have the same class, or no n-gram is in ``min_frequency`` texts.
    """
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer  # it takes a second to import
    from sklearn.linear_model import LogisticRegression

    seen = np.unique(labels)
    if len(seen) < 2:
        raise DataError("training texts have one class only; a linear model wants two or more, see data.train_size")
    kind = TfidfVectorizer if features == "tfidf" else CountVectorizer
    vectorizer = kind(analyzer=lambda text: grams(text, longest), min_df=min_frequency, binary=features == "nb")
    try:
        x = vectorizer.fit_transform(texts)
    except ValueError as error:  # no n-gram is left
        raise DataError(f"model.min_frequency={min_frequency}: no n-gram is in so many training texts") from error
    if features == "tfidf":
        model = LogisticRegression(C=C, max_iter=STEPS).fit(x, labels, sample_weight=weights)
        weight, bias, idf = model.coef_.T, model.intercept_, vectorizer.idf_
    else:
        (weight, bias), idf = nb_svm(x, labels, C, weights), np.ones(x.shape[1])
    scores = two_sided(x @ weight + bias)
    loss = float(
        np.mean(np.logaddexp.reduce(scores, 1) - scores[np.arange(len(labels)), np.searchsorted(seen, labels)])
    )
    whole, offset = np.zeros((x.shape[1], classes)), np.full(classes, NEVER)
    whole[:, seen], offset[seen] = two_sided(weight), two_sided(bias[None])[0]
    ngrams = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__)
    return Fitted([tuple(map(int, ngram)) for ngram in ngrams], idf, whole, offset, loss)


def two_sided(scores: Float[np.ndarray, "N K"]) -> Float[np.ndarray, "N C"]:
    """A column a class: of two scikit-learn has one only, that of the second, and the first one's is 0."""
    return np.hstack([np.zeros_like(scores), scores]) if scores.shape[1] == 1 else scores


def nb_svm(
    x: Any, labels: Int[np.ndarray, " N"], C: float, weights: Float[np.ndarray, " N"] | None
) -> tuple[Float[np.ndarray, "F K"], Float[np.ndarray, " K"]]:
    """Weights and biases of the logits, one column for two classes, else one for each."""
    from sklearn.calibration import CalibratedClassifierCV

    from attnlab.models.nb_svm import NbSvm

    classes, counts = np.unique(labels, return_counts=True)
    model, folds = NbSvm(C=C), min(FOLDS, int(counts.min()))
    if folds < 2:  # a class of one text: no part of the rest is like it
        model.fit(x, labels, sample_weight=weights)
        return model.coef_.T, model.intercept_
    fitted = CalibratedClassifierCV(model, method="temperature", cv=folds, ensemble=False)
    fitted.fit(x, labels, sample_weight=weights)
    (found,) = fitted.calibrated_classifiers_
    inverse = float(found.calibrators[0].beta_) * (2 if len(classes) == 2 else 1)  # of two its logits are (-d, d)
    return inverse * found.estimator.coef_.T, inverse * found.estimator.intercept_
