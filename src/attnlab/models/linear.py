r"""N-gram features of a text and one linear layer: what attention is to be compared with; scikit-learn fits it.

    tfidf:  x_j = c_j idf_j / |c idf|_2,  c_j how often n-gram j occurs, then logistic regression
    nb:     x_j = 1{c_j > 0} r_j,  r the log-count ratio, then a linear SVM (Wang and Manning 2012, section 2)

    logits = W x + b,  probabilities by a softmax

N-grams are of the tokens that the data have made. Fitting draws nothing at random that a seed decides.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from attnlab.models.classifier import Classified, Classifier
from attnlab.models.linear_fit import Fitted, fit, grams
from attnlab.models.word_reader import SMALLEST
from attnlab.ranges import OneOrMore, Positive
from attnlab.types import PAD

PENALTY = {
    "tfidf": 10.0,
    "nb": 0.03,
}  #: C, by features: chosen on held-out parts of the training splits of SST and TREC


class Linear(nn.Module):
    """Bag of n-grams, one linear layer. It is fitted at once and not by gradients: it has a ``fit``.

    Args:
        vocabulary: words.
        classes: how many.
        features: ``tfidf``, or ``nb`` for NB-SVM.
        C: how much errors weigh against the size of the weights, as scikit-learn has it; None is 10 for ``tfidf`` and
            0.03 for ``nb``.
        ngrams: words of the longest n-gram.
        min_frequency: n-grams in fewer training texts are left out.
        vectors: is handed on by the data; of no use here.
    """

    fitted_at_once: ClassVar[bool] = True
    #: Settings that decide nothing: all training texts are fitted together, as they are and once.
    unread: ClassVar[tuple[str, ...]] = (
        "data.batch_size", "data.batch_tokens", "data.pool", "data.pad_to_multiple", "data.seed", "data.vectors",
        "data.ngrams", "task.label_smoothing", "callbacks.early_stopping", "trainer.accumulate_grad_batches",
        "trainer.gradient_clip_algorithm", "trainer.gradient_clip_val", "trainer.limit_train_batches",
        "trainer.max_epochs", "trainer.max_steps", "trainer.max_time", "trainer.min_epochs", "trainer.min_steps",
        "trainer.overfit_batches",
    )  # fmt: skip
    smallest: ClassVar[Mapping[str, Any]] = {"vocabulary": SMALLEST, "classes": 2}
    longest_text: ClassVar[int | None] = None
    has_weights: ClassVar[bool] = False
    looks: ClassVar[tuple[str, ...]] = ()
    sentence_looks: ClassVar[tuple[str, ...]] = ()
    losses = Classifier.losses

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        features: Literal["tfidf", "nb"] = "tfidf",
        C: Positive | None = None,
        ngrams: OneOrMore = 2,
        min_frequency: OneOrMore = 1,
        vectors: Any = None,
    ) -> None:
        super().__init__()
        self.classes, self.features, self.ngrams, self.min_frequency = classes, features, ngrams, min_frequency
        self.C = PENALTY[features] if C is None else C
        self.register_buffer("table", torch.zeros(0, ngrams, dtype=torch.int32))  # ids of each n-gram, PAD behind
        self.register_buffer("idf", torch.zeros(0))
        self.weight = nn.Parameter(torch.zeros(0, classes), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(classes), requires_grad=False)
        self._places: dict[tuple[int, ...], int] | None = None
        self.register_load_state_dict_pre_hook(Linear.make_room)  # type: ignore[no-untyped-call]

    def fit(
        self, texts: Sequence[Sequence[int]], labels: Int[np.ndarray, " N"], weights: Float[np.ndarray, " N"] | None
    ) -> float:
        """Learn n-grams and weights from training texts; give the mean loss on them, in nats.

        Args:
            texts: ids of their tokens.
            labels: their classes.
            weights: what each counts; None is all alike.

        Raises:
            DataError: all have the same class, or no n-gram is left.
        """
        found: Fitted = fit(
            texts, labels, self.classes, self.features, self.C, self.ngrams, self.min_frequency, weights
        )
        table = np.full((len(found.ngrams), self.ngrams), PAD, np.int32)
        for row, ngram in enumerate(found.ngrams):
            table[row, : len(ngram)] = ngram
        device = self.bias.device
        self.table = torch.from_numpy(table).to(device)
        self.idf = torch.from_numpy(found.idf).float().to(device)
        self.weight.data = torch.from_numpy(found.weight).float().to(device)
        self.bias.data = torch.from_numpy(found.bias).float().to(device)
        self._places = None
        return found.loss

    @property
    def is_fitted(self) -> bool:
        return len(self.table) > 0

    def make_room(self, state_dict: Mapping[str, Any], prefix: str, *_: Any) -> None:
        """For n-grams of another number than there are, which are about to be loaded."""
        for name in ("table", "idf", "weight"):
            there, value = getattr(self, name), state_dict.get(prefix + name)
            if isinstance(value, Tensor) and value.shape[1:] == there.shape[1:]:
                there.data = there.data.new_zeros(value.shape)
        self._places = None

    def forward(
        self, words: Int[Tensor, "B S"], mask: Bool[Tensor, "B S"], spelled: Any = None, sentences: Any = None
    ) -> Classified:
        counts = self._counts([row[kept].tolist() for row, kept in zip(words.cpu(), mask.cpu(), strict=True)])
        weight, bias = (part.detach().double().cpu().numpy() for part in (self.weight, self.bias))
        logits = self._weighed(counts) @ weight + bias
        return Classified(torch.from_numpy(logits).to(self.bias.device), None)

    def surrogate(self, found: Classified, label: Tensor, real: Tensor, sentences: Any = None) -> None:
        """Nothing is drawn at random."""

    def weights_by_head(self, words: Tensor, mask: Tensor, spelled: Any = None, sentences: Any = None) -> None:
        """Nothing is looked at."""

    def _counts(self, texts: Sequence[Sequence[int]]) -> csr_matrix:
        """How often each known n-gram occurs in each text."""
        if self._places is None:
            rows = self.table.cpu().tolist()
            self._places = {tuple(n for n in row if n != PAD): place for place, row in enumerate(rows)}
        found = [[self._places[g] for g in grams(text, self.ngrams) if g in self._places] for text in texts]
        starts = np.concatenate([[0], np.cumsum([len(row) for row in found])]).astype(np.int64)
        columns = np.fromiter((place for row in found for place in row), np.int64, int(starts[-1]))
        counts = csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(texts), len(self.table)))
        counts.sum_duplicates()
        return counts

    def _weighed(self, counts: csr_matrix) -> csr_matrix:
        if self.features == "nb":
            counts.data[:] = 1.0  # r is in the weights
            return counts
        counts.data *= self.idf.double().cpu().numpy()[counts.indices]
        norms = np.sqrt(np.asarray(counts.multiply(counts).sum(1)).ravel())
        counts.data /= np.repeat(np.where(norms > 0, norms, 1.0), np.diff(counts.indptr))
        return counts
