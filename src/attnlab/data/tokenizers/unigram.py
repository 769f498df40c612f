"""Unigram pieces (Kudo 2018): the most probable segmentation under a unigram model of the pieces."""

from typing import Any

from attnlab.data.tokenizers.subword import Subword
from attnlab.ranges import Entries, OneOrMore
from attnlab.symbols import SPECIALS, UNK

_DECIMALS = 3
_STEP = 0.0001


class Unigram(Subword):
    """Unigram pieces.

    Args:
        language: ISO 639-1 code.
        lowercase: read and write lower case.
        vocab_size: entries in all, special symbols and single characters included.
        fit_lines: lines of a side to learn from at most; None: all.
    """

    def __init__(
        self,
        language: str,
        lowercase: bool = False,
        vocab_size: Entries = 8000,
        fit_lines: OneOrMore | None = 1_000_000,
    ) -> None:
        super().__init__(language, lowercase, vocab_size, fit_lines)

    def untrained(self) -> tuple[Any, Any]:
        """The library's ``(model, trainer)``."""
        from tokenizers import models, trainers

        trainer = trainers.UnigramTrainer(
            vocab_size=self.vocab_size,
            special_tokens=list(SPECIALS),
            unk_token=SPECIALS[UNK],
            show_progress=False,
        )
        return models.Unigram(), trainer

    def canonical(self, model: dict[str, Any]) -> dict[str, Any]:
        """Round the log-probabilities, give all rare characters the lowest one, and sort.

        The trainer walks over a hash table whose order differs from call to call: sums of floats differ in
        their last digits, and the characters that pruning left out get, in that order, the lowest score plus
        0.0001, 0.0002, …
        """
        special, pieces = model["vocab"][: len(SPECIALS)], model["vocab"][len(SPECIALS) :]
        lowest = min((score for _, score in pieces), default=0.0)
        rare = lowest + _STEP * (1 + sum(len(piece) == 1 for piece, _ in pieces))
        scores = {
            piece: round(lowest if len(piece) == 1 and score < rare else score, _DECIMALS) for piece, score in pieces
        }
        ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
        return {**model, "vocab": [*special, *([piece, score] for piece, score in ranked)]}
