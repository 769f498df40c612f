"""Alignment error rate, and word alignments read off attention weights.

Och and Ney (2003), "A Systematic Comparison of Various Statistical Alignment Models", Computational
Linguistics 29(1), evaluation methodology: with links A, sure gold links S and possible gold links P, of which
the sure ones are a part,

    AER = 1 - (|A∩S| + |A∩P|) / (|A| + |S|)
"""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torchmetrics import Metric

from attnlab.metrics.quantities.aer import AER
from attnlab.types import DataError

Link = tuple[int, int]  #: (source word, target word), 0-based
Span = tuple[int, int]  #: characters [start, end) of a text
Sides = tuple[Sequence[Span], Sequence[Span]]  #: of a source and of its target


class AlignmentErrorRate(Metric):
    """AER over a corpus: the four cardinalities are summed over the sentences before the ratio is taken."""

    is_differentiable = False
    higher_is_better = AER.higher_is_better
    full_state_update = False
    counts: Tensor

    def __init__(self) -> None:
        super().__init__()
        # |A∩S|, |A∩P|, |A|, |S|
        self.add_state("counts", torch.zeros(4, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, links: Iterable[Link], sure: Iterable[Link], possible: Iterable[Link]) -> None:
        """Count one sentence; sure links count as possible ones whether or not ``possible`` names them."""
        sizes = link_counts(links, sure, possible)
        self.counts = self.counts + torch.tensor(sizes, dtype=torch.int64, device=self.counts.device)

    def compute(self) -> Float[Tensor, ""]:
        """Return the AER: 0 is perfect, 1 is nothing right (float64, on the CPU).

        Raises:
            DataError: neither a link nor a sure gold link was counted.
        """
        hits_sure, hits_possible, links, sure = self.counts.tolist()
        if links + sure == 0:
            raise DataError(
                "AER of nothing: no links and no sure gold links came; count sentences with a gold alignment"
            )
        return torch.tensor(1 - (hits_sure + hits_possible) / (links + sure), dtype=torch.float64)


def link_counts(links: Iterable[Link], sure: Iterable[Link], possible: Iterable[Link]) -> list[int]:
    """|A∩S|, |A∩P|, |A|, |S| of one sentence: what AER is a sum of."""
    A, S = set(links), set(sure)
    P = S | set(possible)
    return [len(A & S), len(A & P), len(A), len(S)]


def find_spans(words: Sequence[str], text: str) -> list[Span]:
    """Find the words of ``text``, left to right: each is the first occurrence behind the word before it.

    So the second "the" of the words is the second "the" of the text, wherever the words cover the text.

    Raises:
        DataError: a word is empty, or does not occur in what is left of the text.
    """
    spans, position = [], 0
    for number, word in enumerate(words):
        start = text.find(word, position) if word else -1
        if start < 0:
            raise DataError(
                f"gold word {number} {word!r} is not in {text!r} from character {position} on; give the "
                "words in the order of the text, spelt as there (same case, same Unicode normal form)"
            )
        position = start + len(word)
        spans.append((start, position))
    return spans


def piece_links(links: Iterable[Link], pieces: Sides, words: Sides) -> list[Link]:
    """Links of words as links of pieces, in order; args are those of :func:`linked_pieces`."""
    return [(int(column), int(row)) for column, row in np.argwhere(linked_pieces(links, pieces, words).T)]


def word_links(
    weights: Float[Tensor, "T S"] | Float[np.ndarray, "T S"],
    source_spans: Sequence[Span],
    target_spans: Sequence[Span],
    gold_source_spans: Sequence[Span],
    gold_target_spans: Sequence[Span],
) -> set[Link]:
    """Align each gold target word with the gold source word it looks at most; ties go to the leftmost word.

    Args and errors are those of :func:`word_weights`. A target word that no piece covers, or whose pieces look at no
    gold word, gets no link.

    Returns:
        Links (source word, target word).
    """
    found = word_weights(weights, source_spans, target_spans, gold_source_spans, gold_target_spans)
    return {(int(row.argmax()), j) for j, row in enumerate(found) if row.any()}


def word_weights(
    weights: Float[Tensor, "T S"] | Float[np.ndarray, "T S"],
    source_spans: Sequence[Span],
    target_spans: Sequence[Span],
    source_words: Sequence[Span],
    target_words: Sequence[Span],
) -> Float[np.ndarray, "J I"]:
    """How much each target word looks at each source word.

    The pieces the model reads and writes (words, subwords, characters) go to the words whose characters they cover. A
    target word's weights are the mean over its pieces; a source word's weight is the sum over its pieces, a piece that
    reaches over several words being shared among them by characters. A piece that covers no word (a lone
    word-boundary mark, zero characters wide) counts nowhere; the row of a target word that no piece covers is zero.

    Args:
        weights: a row a target piece, a column a source piece. Rows behind the last target piece (end of the
            sentence, padding) are ignored; columns behind the last source piece are padding and must be zero.
        source_spans: characters of each source piece in the source text.
        target_spans: characters of each target piece in the target text.
        source_words: characters of each source word, see :func:`find_spans`.
        target_words: characters of each target word.

    Raises:
        DataError: the weights have fewer rows or columns than there are pieces, weigh padding, or are nan.
    """
    table = torch.as_tensor(weights).detach().to("cpu", torch.float64).numpy()
    rows, columns = len(target_spans), len(source_spans)
    _check(table, rows, columns)
    # (T, S) @ (S, source words) -> (T, source words)
    attended = table[:rows, :columns] @ _shares(_overlap(source_spans, source_words))
    covers = _overlap(target_spans, target_words) > 0
    found = np.zeros((len(target_words), len(source_words)))
    for j in range(len(target_words)):
        if covers[:, j].any():
            found[j] = attended[covers[:, j]].mean(0)
    return found


def linked_pieces(links: Iterable[Link], pieces: Sides, words: Sides) -> Bool[np.ndarray, "T S"]:
    """Which pieces are linked: those that cover characters of linked words.

    Args:
        links: of words.
        pieces: characters of those of the source and of the target.
        words: likewise.
    """
    source, target = (_overlap(*side) > 0 for side in zip(pieces, words, strict=True))
    table = np.zeros((len(words[1]), len(words[0])), dtype=bool)
    for i, j in links:
        table[j, i] = True
    return np.asarray(target @ table @ source.T)


def _overlap(pieces: Sequence[Span], words: Sequence[Span]) -> Float[np.ndarray, "pieces words"]:
    """Count the characters that each piece and each word have in common."""
    start, end = np.array(pieces, dtype=np.int64).reshape(-1, 2).T[:, :, None]
    word_start, word_end = np.array(words, dtype=np.int64).reshape(-1, 2).T
    common: np.ndarray = np.minimum(end, word_end) - np.maximum(start, word_start)
    return common.clip(min=0).astype(np.float64)


def _shares(overlap: Float[np.ndarray, "pieces words"]) -> Float[np.ndarray, "pieces words"]:
    """Turn characters into parts of a whole; a piece without any keeps zeros."""
    shares: np.ndarray = overlap / overlap.sum(1, keepdims=True).clip(min=1)
    return shares


def _check(table: np.ndarray, rows: int, columns: int) -> None:
    if table.ndim != 2 or table.shape[0] < rows or table.shape[1] < columns:
        raise DataError(
            f"weights of shape {table.shape} came with {rows} target and {columns} source pieces; expected a "
            "row a target piece and a column a source piece: pass the spans of the very tokens the model saw"
        )
    if not np.isfinite(table[:rows]).all():
        raise DataError("weights hold nan or infinity; expected numbers from 0 to 1")
    if table[:rows, columns:].any():
        raise DataError(
            f"weights look behind the last of {columns} source pieces, where only padding can be; pass the "
            "spans of every source token the model saw"
        )
