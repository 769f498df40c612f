"""chrF of every text of a list against every other one, as sacreBLEU computes it for two of them.

Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation", with characters up to n = 6, beta = 2 and
without blanks, as sacreBLEU has it by default: orders that either text is too short for are left out of the means.
Each text is counted once; two are compared by the smaller of their counts.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

ORDER, BETA = 6, 2


def pairwise_chrf(hypotheses: Sequence[str], references: Sequence[str]) -> Float[np.ndarray, "H R"]:
    """From 0 to 100; a row a hypothesis, a column a reference."""
    precision, recall, orders = (np.zeros((len(hypotheses), len(references))) for _ in range(3))
    for n in range(1, ORDER + 1):
        said, wanted = ngrams(hypotheses, references, n)
        matches = np.stack([np.minimum(row, wanted).sum(1, dtype=np.float64) for row in said])
        in_said, in_wanted = (table.sum(1, dtype=np.float64) for table in (said, wanted))
        in_said, in_wanted = in_said[:, None], in_wanted[None, :]
        both = (in_said > 0) & (in_wanted > 0)
        precision += np.where(both, matches / np.maximum(in_said, 1), 0)
        recall += np.where(both, matches / np.maximum(in_wanted, 1), 0)
        orders += both
    precision, recall = precision / np.maximum(orders, 1), recall / np.maximum(orders, 1)
    weighed = BETA**2 * precision + recall
    found: NDArray[np.float64] = 100 * (1 + BETA**2) * precision * recall / np.where(weighed > 0, weighed, 1)
    return found


def ngrams(hypotheses: Sequence[str], references: Sequence[str], n: int) -> list[NDArray[np.float32]]:
    """How often each of their n-grams occurs in each: ``[H, U]`` and ``[R, U]``."""
    counted = [[_counted(text, n) for text in texts] for texts in (hypotheses, references)]
    numbers: dict[str, int] = {}
    for texts in counted:
        for text in texts:
            for ngram in text:
                numbers.setdefault(ngram, len(numbers))
    tables = []
    for texts in counted:
        table = np.zeros((len(texts), len(numbers)), np.float32)
        for row, text in enumerate(texts):
            table[row, [numbers[ngram] for ngram in text]] = list(text.values())
        tables.append(table)
    return tables


def _counted(text: str, n: int) -> Counter[str]:
    joined = "".join(text.split())
    return Counter(joined[place : place + n] for place in range(len(joined) - n + 1))
