"""The linear model against scikit-learn's own pipelines and a scalar transcription of NB-SVM's equations."""

import math

import numpy as np
import pytest
import torch
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from attnlab.models.linear import Linear
from attnlab.models.linear_fit import grams
from attnlab.models.nb_svm import NbSvm, log_count_ratio
from attnlab.types import PAD, DataError

WORDS = 12  # ids 4 to 15


def corpus(items, classes, seed=0):
    draw = np.random.default_rng(seed)
    labels = draw.integers(classes, size=items)
    texts = []
    for label in labels:
        words = [int(n) for n in draw.integers(4, 4 + WORDS - classes, size=int(draw.integers(1, 9)))]
        if draw.random() < 0.7:
            words.insert(int(draw.integers(len(words) + 1)), 4 + WORDS - classes + int(label))
        texts.append(words)
    return texts, labels


def batch(texts):
    longest = max(map(len, texts))
    words = torch.tensor([[*text, *[PAD] * (longest - len(text))] for text in texts])
    return words, words != PAD


def spoken(texts):
    return [" ".join(f"w{number}" for number in text) for text in texts]


def fitted(classes, texts, labels, weights=None, **settings):
    model = Linear(4 + WORDS, classes, **settings)
    model.loss = model.fit(texts, labels, weights)
    return model


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("longest", [1, 2, 3])
def test_tfidf_is_that_of_scikit_learn(classes, longest):
    texts, labels = corpus(150, classes)
    others, _ = corpus(40, classes, seed=1)
    others[0] = [3, 3]  # of unknown words
    model = fitted(classes, texts, labels, ngrams=longest, C=3.0)
    pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, longest)), LogisticRegression(C=3.0, max_iter=1000))
    wanted = pipeline.fit(spoken(texts), labels).predict_proba(spoken(others))
    np.testing.assert_allclose(model(*batch(others)).logits.softmax(-1).numpy(), wanted, atol=1e-6)
    right = pipeline.predict_proba(spoken(texts))[np.arange(150), labels]
    assert model.loss == pytest.approx(-np.log(right).mean(), rel=1e-6)


def test_class_weights_count():
    texts, labels = corpus(150, 2)
    weights = np.where(labels == 1, 5.0, 1.0)
    model = fitted(2, texts, labels, weights, C=3.0)
    pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=3.0, max_iter=1000))
    pipeline.fit(spoken(texts), labels, logisticregression__sample_weight=weights)
    wanted = pipeline.predict_proba(spoken(texts))
    np.testing.assert_allclose(model(*batch(texts)).logits.softmax(-1).numpy(), wanted, atol=1e-6)


def by_the_paper(texts, labels, positive, C, longest):
    """Wang and Manning 2012, number by number; the SVM alone is a library's. Gives the margin of a text."""
    vocabulary = sorted({gram for text in texts for gram in grams(text, longest)})
    held = [set(grams(text, longest)) for text in texts]
    f = [[1.0 if gram in seen else 0.0 for gram in vocabulary] for seen in held]
    p, q = [1.0] * len(vocabulary), [1.0] * len(vocabulary)
    for row, label in zip(f, labels, strict=True):
        for j, value in enumerate(row):
            if label == positive:
                p[j] += value
            else:
                q[j] += value
    r = [math.log((p[j] / sum(p)) / (q[j] / sum(q))) for j in range(len(vocabulary))]
    x = [[r[j] * row[j] for j in range(len(vocabulary))] for row in f]
    svm = LinearSVC(C=C, random_state=0).fit(np.array(x), labels == positive)
    w = svm.coef_[0].tolist()
    mean = sum(abs(value) for value in w) / len(w)
    mixed = [0.75 * mean + 0.25 * value for value in w]

    def margin(text):
        seen = set(grams(text, longest))
        return sum(mixed[j] * r[j] for j, gram in enumerate(vocabulary) if gram in seen) + float(svm.intercept_[0])

    return margin, r


@pytest.mark.parametrize("classes", [2, 3])
def test_nb_svm_is_that_of_the_paper(classes):
    texts, labels = corpus(120, classes)
    others, _ = corpus(30, classes, seed=1)
    positives = [1] if classes == 2 else range(classes)
    wanted = np.array([[by_the_paper(texts, labels, c, 0.1, 2)[0](text) for c in positives] for text in others])
    analyzer = CountVectorizer(analyzer=lambda text: grams(text, 2), binary=True)
    own = NbSvm(C=0.1).fit(analyzer.fit_transform(texts), labels)
    margins = own.decision_function(analyzer.transform(others)).reshape(wanted.shape)
    np.testing.assert_allclose(margins, wanted, atol=1e-4)  # liblinear stops at 1e-4
    # The model has the same margins over one temperature: no decision is another, probabilities are of held-out texts.
    logits = fitted(classes, texts, labels, features="nb", C=0.1)(*batch(others)).logits.numpy()
    relative = logits[:, 1:] - logits[:, :1] if classes == 2 else logits
    scale = (relative / wanted).ravel()
    assert scale.std() < 1e-3 * scale.mean()
    assert scale.mean() > 0


def test_the_log_count_ratio():
    texts, labels = corpus(50, 2)
    analyzer = CountVectorizer(analyzer=lambda text: grams(text, 1), binary=True)
    found = log_count_ratio(analyzer.fit_transform(texts), labels == 1)
    np.testing.assert_allclose(found, by_the_paper(texts, labels, 1, 0.1, 1)[1])


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_of_nb_svm_are_calibrated_as_scikit_learn_does(classes):
    texts, labels = corpus(300, classes)
    others, truth = corpus(300, classes, seed=1)
    logits = fitted(classes, texts, labels, features="nb", C=0.1)(*batch(others)).logits
    analyzer = CountVectorizer(analyzer=lambda text: grams(text, 2), binary=True)
    calibrated = CalibratedClassifierCV(NbSvm(C=0.1), method="temperature", cv=5, ensemble=False)
    wanted = calibrated.fit(analyzer.fit_transform(texts), labels).predict_proba(analyzer.transform(others))
    np.testing.assert_allclose(logits.softmax(-1).numpy(), wanted, atol=1e-6)
    loss = [float(torch.nn.functional.cross_entropy(logits * scale, torch.from_numpy(truth))) for scale in (0.5, 1, 2)]
    assert loss[1] == min(loss)


@pytest.mark.parametrize("features", ["tfidf", "nb"])
def test_it_comes_back_from_its_state(features, tmp_path):
    texts, labels = corpus(80, 3)
    model = fitted(3, texts, labels, features=features)
    torch.save(model.state_dict(), tmp_path / "state")
    again = Linear(4 + WORDS, 3, features)
    again(*batch(texts))  # what was known of its n-grams before is forgotten
    again.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    assert torch.equal(again(*batch(texts)).logits, model(*batch(texts)).logits)
    with pytest.raises(RuntimeError, match="size mismatch"):
        Linear(4 + WORDS, 2, features).load_state_dict(model.state_dict())
    with pytest.raises(RuntimeError, match="size mismatch"):
        Linear(4 + WORDS, 3, features, ngrams=3).load_state_dict(model.state_dict())


def test_padding_and_company_change_nothing():
    texts, labels = corpus(80, 2)
    model = fitted(2, texts, labels)
    words, mask = batch(texts)
    wide = torch.nn.functional.pad(words, (0, 7), value=9)
    found = model(wide, torch.nn.functional.pad(mask, (0, 7))).logits
    np.testing.assert_allclose(found, model(words, mask).logits, rtol=1e-12)
    np.testing.assert_allclose(model(words[3:4], mask[3:4]).logits, found[3:4], rtol=1e-12)


@pytest.mark.parametrize("features", ["tfidf", "nb"])
def test_rare_classes_and_classes_that_training_lacks(features):
    texts, labels = corpus(60, 2)
    labels = np.where(np.arange(60) == 0, 3, labels)  # one text of class 3, none of 2
    logits = fitted(4, texts, labels, features=features)(*batch(texts)).logits
    assert (logits.argmax(-1) != 2).all()
    assert (logits.softmax(-1)[:, 2] < 1e-20).all()
    assert np.mean(logits.argmax(-1).numpy() == labels) > 0.8


def test_what_cannot_be_fitted_is_told():
    texts, labels = corpus(20, 2)
    with pytest.raises(DataError, match="one class only"):
        fitted(2, texts, np.zeros(20, int))
    with pytest.raises(DataError, match=r"model\.min_frequency=50: no n-gram"):
        fitted(2, texts, labels, min_frequency=50)
