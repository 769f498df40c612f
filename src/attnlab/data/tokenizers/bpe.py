"""Byte-pair encoding (Sennrich, Haddow and Birch 2016): merge the most frequent pair, again and again."""

from typing import Any

from attnlab.data.tokenizers.subword import Subword
from attnlab.errors import ConfigError
from attnlab.ranges import Entries, OneOrMore
from attnlab.symbols import SPECIALS, UNK


class Bpe(Subword):
    """BPE pieces.

    Args:
        language: ISO 639-1 code.
        lowercase: read and write lower case.
        vocab_size: entries in all, special symbols and single characters included.
        min_frequency: a pair seen less often is not merged.
        fit_lines: lines of a side to learn from at most; None: all.
    """

    def __init__(
        self,
        language: str,
        lowercase: bool = False,
        vocab_size: Entries = 8000,
        min_frequency: OneOrMore = 2,
        fit_lines: OneOrMore | None = 1_000_000,
    ) -> None:
        super().__init__(language, lowercase, vocab_size, fit_lines)
        if min_frequency < 1:
            raise ConfigError(f"min_frequency={min_frequency}: a pair is seen at least once; give 1 or more")
        self.min_frequency = min_frequency

    def untrained(self) -> tuple[Any, Any]:
        """The library's ``(model, trainer)``."""
        from tokenizers import models, trainers

        trainer = trainers.BpeTrainer(
            vocab_size=self.vocab_size,
            min_frequency=self.min_frequency,
            special_tokens=list(SPECIALS),
            show_progress=False,
        )
        return models.BPE(unk_token=SPECIALS[UNK]), trainer

    @property
    def settings(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().settings, "min_frequency": self.min_frequency}
