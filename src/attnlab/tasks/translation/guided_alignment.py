r"""Guided alignment: attention is taught the links of an aligner, beside the words.

$$L_a = -\sum_t \sum_s g_{ts} \ln a_{ts}, \qquad g_{ts} = \frac{1}{|\{s' : s' \sim t\}|} \text{ where } s \sim t$$

over the target pieces t that have a link. Chen, Matusov, Khadivi and Peter 2016, "Guided alignment training for
topic-aware neural machine translation"; of one head of one layer of a Transformer Garg, Peitz, Nallasamy and Paulik
2019, "Jointly learning to align and translate with Transformer models", equation (4) (whose decoder reads the whole
target for it; here it reads the words so far). Links are between words; a piece has those of the words that it covers.
"""

from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from attnlab.data.module import TranslationData
from attnlab.metrics.alignment import linked_pieces
from attnlab.tasks.translation.looking import places
from attnlab.types import NO_SENTENCE, Batch, ConfigError

SMALLEST = 1e-9  #: weights below count as so much: a sparse normalizer gives zeros, which have no logarithm


def alignment_loss(weights: Float[Tensor, "B T S"], gold: Float[Tensor, "B T S"]) -> Float[Tensor, ""]:
    """The cross-entropy of the rows that have a link, summed; the rows of ``gold`` sum to 1, or are zeros."""
    weights = weights.to(torch.promote_types(weights.dtype, torch.float32))
    return -(gold * weights.clamp(min=SMALLEST).log()).sum()


def check_pieces(share: float, data: TranslationData) -> None:
    """Refuse training pairs that are cut anew each time: the links of a pair belong to the pieces that it has.

    Raises:
        ConfigError: with what to set.
    """
    if share and data.bpe_dropout:
        raise ConfigError(
            f"task.guided_alignment={share} teaches the links of fixed pieces, and data.bpe_dropout={data.bpe_dropout} "
            "cuts the training pairs into others in every epoch: set one of them to 0"
        )


class Guide:
    """The links of training pairs, as the pieces of a model have them. Each pair's are worked out once.

    Args:
        data: whose training pairs have alignments.
        shift: the row that has read a piece is taught its links, and not the row that says it.
    """

    def __init__(self, data: TranslationData, shift: bool) -> None:
        self.data, self.shift = data, shift
        self.kept: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}

    def require_links(self) -> None:
        """See that there are links to learn from.

        Raises:
            ConfigError: the training pairs have none.
        """
        rows = self.data.training_rows()
        if self.data.text("train", int(rows[0])).alignment is None:
            raise ConfigError(
                f"task.guided_alignment learns from links of the training pairs, and those of {self.data.corpus_name} "
                "have none: name a file of them (dataset.train_alignment of dataset=parallel; see docs/alignment.md), "
                "or set task.guided_alignment=0"
            )

    def gold(self, batch: Batch) -> Float[Tensor, "B T S"]:
        """What the rows of each pair are taught; zeros where a piece has no link."""
        table = torch.zeros(batch.target_mask.shape + batch.source.shape[1:])
        for place, row in enumerate(batch.index.tolist()):
            if row != NO_SENTENCE:
                rows, columns = self.links(row)
                table[place, rows, columns] = 1
        return (table / table.sum(-1, keepdim=True).clamp(min=1)).to(batch.source.device)

    def links(self, row: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows and columns of a training pair's links."""
        if row not in self.kept:
            self.kept[row] = self._links(row)
        return self.kept[row]

    def _links(self, row: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        pair = self.data.text("train", row)
        if pair.alignment is None:  # a sentence without a line of links
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        tokenizers = self.data.source_tokenizer, self.data.target_tokenizer
        pieces, words = places(*tokenizers, pair.source, pair.target, pair.alignment)
        rows, columns = np.nonzero(linked_pieces(pair.alignment.possible, pieces, words))
        return cast(NDArray[np.int64], rows + self.shift), columns
