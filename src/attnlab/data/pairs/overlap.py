r"""What two sentences share, as numbers: the features that a linear layer tells entailment by, with no model of words.

For the sets of words P of the premise and H of the hypothesis, and w(X) = sum_{x in X} idf(x):

    |P n H| / |P|,  |P n H| / |H|,  |P n H| / |P u H|    how much of each side is found in the other, of both (Jaccard)
    w(P n H) / w(P),  …                                   the same, words weighed by how rare they are
    … of pairs of neighbouring words                      likewise, of both sides
    LCS / max(m, n)                                       the longest common subsequence: the same words, in order
    mean_p max_h dice(p, h), …                            how alike words are spelt: 2 |t(p) n t(h)| / (|t(p)| + |t(h)|)
                                                          of their character trigrams t
    (n - m) / (n + m), |n - m| / (n + m)                  lengths m and n
    negations of either side, of one alone, of both       no, not, nobody, …

idf(x) = ln((1 + N) / (1 + d(x))) + 1 with d(x) the number of the N training sentences that have x, as scikit-learn's
TfidfVectorizer has it. Features are standardised by their mean and standard deviation over the training pairs.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Float

from attnlab.atomic import replacing
from attnlab.bounded import read_json
from attnlab.data.tokenizers.load import LARGEST
from attnlab.strict_json import dumps
from attnlab.types import DataError

Words = Sequence[str]  #: of a sentence, in lower case
NEGATIONS = frozenset(("no", "not", "nobody", "none", "nothing", "never", "neither", "nor", "without", "cannot", "n't"))
CONSTANT = 1e-9  #: a standard deviation that is nothing but rounding
NAMES = (
    "premise_found", "hypothesis_found", "jaccard",
    "premise_found_idf", "hypothesis_found_idf", "jaccard_idf",
    "premise_bigrams_found", "hypothesis_bigrams_found",
    "common_subsequence", "premise_spelling", "hypothesis_spelling",
    "premise_rarest_missing", "hypothesis_rarest_missing",
    "longer", "lengths_differ",
    "premise_negated", "hypothesis_negated", "one_negated", "both_negated", "one_negated_overlap",
)  # fmt: skip


class Overlap:
    """The features of pairs, by the idf of words and the scale of each feature.

    Args:
        sentences: N, that were trained on.
        frequencies: how many of them have each word.
        mean, std: of each feature over the training pairs.
    """

    def __init__(
        self, sentences: int, frequencies: dict[str, int], mean: Sequence[float], std: Sequence[float]
    ) -> None:
        self.sentences, self.frequencies = sentences, frequencies
        self.mean, self.std = np.asarray(mean, np.float64), np.asarray(std, np.float64)

    @classmethod
    def fit(cls, pairs: Sequence[tuple[Words, Words]]) -> "Overlap":
        """Count words, and find the scale of each feature.

        Args:
            pairs: that are trained on.
        """
        counts = Counter(word for pair in pairs for side in pair for word in set(side))
        made = cls(2 * len(pairs), dict(counts), np.zeros(len(NAMES)).tolist(), np.ones(len(NAMES)).tolist())
        found = made(pairs)
        std = found.std(0)
        made.mean, made.std = found.mean(0), np.where(std > CONSTANT, std, 1.0)
        return made

    def __call__(self, pairs: Iterable[tuple[Words, Words]]) -> Float[np.ndarray, "N F"]:
        """Standardised features, a row a pair."""
        rows = np.array([self._features(*pair) for pair in pairs], np.float64).reshape(-1, len(NAMES))
        return (rows - self.mean) / self.std

    def idf(self, word: str) -> float:
        return math.log((1 + self.sentences) / (1 + self.frequencies.get(word, 0))) + 1

    def _weight(self, words: Iterable[str]) -> float:
        return sum(map(self.idf, words))

    def _features(self, premise: Words, hypothesis: Words) -> list[float]:
        p, h, m, n = set(premise), set(hypothesis), len(premise), len(hypothesis)
        both, either = p & h, p | h
        weight = self._weight(both)
        pairs_p, pairs_h = (set(pairwise(side)) for side in (premise, hypothesis))
        negated = bool(p & NEGATIONS), bool(h & NEGATIONS)
        jaccard = share(weight, self._weight(either))
        return [
            share(len(both), len(p)), share(len(both), len(h)), share(len(both), len(either)),
            share(weight, self._weight(p)), share(weight, self._weight(h)), jaccard,
            share(len(pairs_p & pairs_h), len(pairs_p)), share(len(pairs_p & pairs_h), len(pairs_h)),
            share(common_subsequence(premise, hypothesis), max(m, n)), spelling(p, h), spelling(h, p),
            max(map(self.idf, p - h), default=0.0), max(map(self.idf, h - p), default=0.0),
            share(n - m, n + m), share(abs(n - m), n + m),
            float(negated[0]), float(negated[1]), float(negated[0] != negated[1]), float(all(negated)),
            jaccard * (negated[0] != negated[1]),
        ]  # fmt: skip

    def save(self, path: Path) -> None:
        told = {"sentences": self.sentences, "frequencies": self.frequencies}
        scale = {"mean": self.mean.tolist(), "std": self.std.tolist(), "features": list(NAMES)}
        with replacing(path) as temporary:
            temporary.write_text(dumps(told | scale), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Overlap":
        """Of a finished run.

        Raises:
            DataError: the file is missing or damaged, or has other features than there are.
        """
        try:
            found = read_json(path, LARGEST)
            parts = found["sentences"], found["frequencies"], found["mean"], found["std"]
            if found["features"] != list(NAMES) or {len(parts[2]), len(parts[3])} != {len(NAMES)}:
                raise ValueError("other features than this version has")
            return cls(int(parts[0]), {str(word): int(count) for word, count in parts[1].items()}, *parts[2:])
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise DataError(f"{path}: no overlap features of a run ({error})") from error


def share(part: float, whole: float) -> float:
    """0 of nothing."""
    return part / whole if whole else 0.0


def common_subsequence(a: Words, b: Words) -> int:
    """The length of the longest one."""
    row = [0] * (len(b) + 1)
    for word in a:
        left = 0
        for place, other in enumerate(b, 1):
            above = row[place]
            row[place], left = (left + 1 if word == other else max(above, row[place - 1])), above
    return row[-1]


def spelling(words: Iterable[str], others: Iterable[str]) -> float:
    """How alike each word is to that of the others which is spelt most like it, on average."""
    found = [max((dice(word, other) for other in others), default=0.0) for word in words]
    return share(sum(found), len(found))


@lru_cache(100_000)
def trigrams(word: str) -> frozenset[str]:
    marked = f"<{word}>"
    return frozenset(marked[i : i + 3] for i in range(len(marked) - 2))


@lru_cache(1_000_000)
def dice(a: str, b: str) -> float:
    """2 |t(a) n t(b)| / (|t(a)| + |t(b)|)."""
    if a == b:
        return 1.0
    return 2 * len(trigrams(a) & trigrams(b)) / (len(trigrams(a)) + len(trigrams(b)))
