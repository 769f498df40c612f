"""Scores as closed forms of sums over sentences, for any number of resamples at once.

What a sentence contributes to a score is a row of integers (sacreBLEU's for BLEU, chrF and TER), so that a
resample of a test set is a weighted sum of rows, and the scores of thousands of resamples are a few array
operations. The closed forms are those of sacreBLEU, of perplexity (exp of the loss a token) and of the
alignment error rate (Och and Ney 2003).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from attnlab.analysis.runs import Run
from attnlab.errors import DataError
from attnlab.metrics.registry import find
from attnlab.metrics.scorers import SCORES as TEXT_SCORES
from attnlab.metrics.scorers import make_scorer

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric

ORDERS = 4  #: n-grams of BLEU
CHARACTERS = 6  #: n-grams of chrF
BETA = 2  #: weight of chrF's recall


class Scorer:
    """One score: what a sentence contributes, and the score of sums of contributions.

    Args:
        name: ``bleu``, ``chrf``, ``ter``, ``ppl`` or ``aer``.
        bleu_signature: sacreBLEU's signature that the runs carry; it says how text is cut and cased.
        recount: count again what a run did not record. For TER that can take half a minute a run.

    Attributes:
        metric: sacreBLEU's metric; None for ``ppl`` and ``aer``.
    """

    def __init__(self, name: str, bleu_signature: str, recount: bool = True) -> None:
        self.name, self.recount = name, recount
        self.metric = make_scorer(name, *text_settings(bleu_signature)) if name in TEXT_SCORES else None

    def rows(self, run: Run, split: str) -> Float[np.ndarray, "N C"] | None:
        """The contribution of each sentence of a split; None where the run did not record what it takes."""
        sentences = run.sentences(split)
        if self.metric is not None:
            counted = [s.counts[self.name] for s in sentences if s.counts and self.name in s.counts]
            if len(counted) == len(sentences):
                return np.array(counted, dtype=np.float64)
            if not self.recount:
                return None
            return text_rows(self.metric, [s.hypothesis for s in sentences], [s.reference for s in sentences])
        if self.name == "ppl":
            values = [(s.loss, s.target_tokens) for s in sentences]
            known = [(loss, tokens) for loss, tokens in values if loss is not None and tokens is not None]
            return np.array(known, dtype=np.float64) if len(known) == len(values) else None
        links = [s.links for s in sentences if s.links is not None]
        return np.array(links, dtype=np.float64) if len(links) == len(sentences) else None

    def close(self, sums: Float[np.ndarray, "*R C"]) -> Float[np.ndarray, "*R"]:
        """The score of each row of summed contributions."""
        table = np.asarray(sums, dtype=np.float64)
        return CLOSED[self.name](table.reshape(-1, table.shape[-1])).reshape(table.shape[:-1])

    def sentence_scores(self, rows: Float[np.ndarray, "N C"]) -> Float[np.ndarray, " N"]:
        """The score of each sentence by itself; BLEU with add-one smoothing of orders above 1 (Lin and Och 2004)."""
        return smoothed_bleu(rows) if self.name == "bleu" else self.close(rows)

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        quantity = find(self.name)
        assert quantity is not None
        return quantity.sign


def text_settings(signature: str) -> tuple[bool, str]:
    """Whether text is lower-cased, and the tokeniser, of ``nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|…``.

    Raises:
        DataError: it is not the signature of the laboratory's BLEU.
    """
    parts = dict(part.partition(":")[::2] for part in signature.split("|"))
    tokenizer = parts.get("tok", "")
    expected = {"nrefs": "1", "eff": "no", "smooth": "exp"}
    if not tokenizer or any(parts.get(key) != value for key, value in expected.items()):
        raise DataError(f"bleu_signature {signature!r}: expected this laboratory's, with nrefs:1, eff:no, smooth:exp")
    return parts.get("case") == "lc", "ja-mecab" if tokenizer.startswith("ja-mecab") else tokenizer


def text_rows(metric: "Metric", hypotheses: Sequence[str], references: Sequence[str]) -> Float[np.ndarray, "N C"]:
    """What sacreBLEU counts in each sentence."""
    return np.array(metric._extract_corpus_statistics(hypotheses, [references]), dtype=np.float64)


def bleu(sums: Float[np.ndarray, "R C"]) -> Float[np.ndarray, " R"]:
    """BLEU with exponential smoothing (Chen and Cherry 2014, method 3), as sacreBLEU closes its counts.

    C is: hypothesis length, reference length, matches of the orders 1 to 4, totals of the orders 1 to 4.
    """
    lengths, matches, totals = sums[..., :2], sums[..., 2 : 2 + ORDERS], sums[..., 2 + ORDERS :]
    halvings = np.cumsum((matches == 0) & (totals > 0), axis=-1)  # of the count 1 that takes the place of none
    with np.errstate(divide="ignore", invalid="ignore"):
        precisions = np.where(matches == 0, 0.5**halvings, matches) / totals
        product = np.exp(np.log(precisions).mean(-1))
        score = 100 * product * np.exp(np.minimum(0.0, 1 - lengths[..., 1] / lengths[..., 0]))
    # Nothing right is 0; so is an order that no sentence is long enough for.
    return np.where((matches.sum(-1) == 0) | (totals == 0).any(-1), 0.0, score)


def smoothed_bleu(rows: Float[np.ndarray, "R C"]) -> Float[np.ndarray, " R"]:
    """BLEU of single sentences: 1 is added to matches and totals of the orders 2 to 4 (Lin and Och 2004)."""
    lengths, matches, totals = rows[..., :2], rows[..., 2 : 2 + ORDERS], rows[..., 2 + ORDERS :]
    one = np.array([0.0, 1.0, 1.0, 1.0])
    with np.errstate(divide="ignore", invalid="ignore"):
        product = np.exp(np.log((matches + one) / (totals + one)).mean(-1))
        score = 100 * product * np.exp(np.minimum(0.0, 1 - lengths[..., 1] / lengths[..., 0]))
    return np.where(matches[..., 0] == 0, 0.0, score)


def chrf(sums: Float[np.ndarray, "R C"]) -> Float[np.ndarray, " R"]:
    """chrF2 (Popović 2015): C is hypothesis n-grams, reference n-grams and matches, order by order."""
    counts = sums.reshape(*sums.shape[:-1], CHARACTERS, 3)
    hypothesis, reference, matches = counts[..., 0], counts[..., 1], counts[..., 2]
    used = (hypothesis > 0) & (reference > 0)
    orders = used.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(used, matches / hypothesis, 0.0).sum(-1) / orders
        recall = np.where(used, matches / reference, 0.0).sum(-1) / orders
        score = (1 + BETA**2) * precision * recall / (BETA**2 * precision + recall)
    return 100 * np.nan_to_num(score)


def ter(sums: Float[np.ndarray, "R C"]) -> Float[np.ndarray, " R"]:
    """Translation edit rate: C is edits, reference words."""
    edits, words = sums[..., 0], sums[..., 1]
    return 100 * np.where(words > 0, edits / np.maximum(words, 1), edits > 0)


def perplexity(sums: Float[np.ndarray, "R C"]) -> Float[np.ndarray, " R"]:
    """exp of the loss a token, infinity above 709.78 nats: C is loss, tokens."""
    with np.errstate(over="ignore"):
        return np.exp(sums[..., 0] / sums[..., 1])


def alignment_error_rate(sums: Float[np.ndarray, "R C"]) -> Float[np.ndarray, " R"]:
    """1 - (|A∩S| + |A∩P|) / (|A| + |S|): C is those four."""
    return 1 - (sums[..., 0] + sums[..., 1]) / np.maximum(sums[..., 2] + sums[..., 3], 1)


CLOSED = {"bleu": bleu, "chrf": chrf, "ter": ter, "ppl": perplexity, "aer": alignment_error_rate}
