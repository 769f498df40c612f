"""From sentences to translations, with a trained model."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from attnlab.data.tokenizers.base import Tokenizer
from attnlab.models.seq2seq import Seq2Seq
from attnlab.tasks.prediction import Seen
from attnlab.tasks.spelling import spell
from attnlab.tasks.translation.looking import batch_of, seen
from attnlab.types import PAD, ConfigError, Hypothesis


class TranslationResult(NamedTuple):
    """One translation of one sentence."""

    text: str
    score: float
    log_prob: float
    tokens: list[str]
    source_tokens: list[str]
    weights: Tensor | None  #: [len(tokens) (+1 for the end of sentence), S]

    def as_json(self) -> dict[str, Any]:
        """Plain values; ``alignment`` has, for every token, the number of the source token looked at most."""
        alignment = weights = None
        if self.weights is not None:
            alignment = self.weights[: len(self.tokens)].argmax(1).tolist()
            weights = [[round(value, 4) for value in row] for row in self.weights.tolist()]
        return {
            "text": self.text,
            "score": self.score,
            "log_prob": self.log_prob,
            "tokens": self.tokens,
            "source_tokens": self.source_tokens,
            "alignment": alignment,
            "weights": weights,
        }


class Translator:
    """A model with its tokenizers and a search."""

    def __init__(self, model: Seq2Seq, source: Tokenizer, target: Tokenizer, search: Any, device: torch.device) -> None:
        self.model = model.to(device).eval()
        self.source, self.target, self.search, self.device = source, target, search, device

    @torch.inference_mode()
    def __call__(self, lines: Sequence[str]) -> list[list[TranslationResult]]:
        """The translations of each line, best first; none for a line without a token."""
        ids = [self.source.encode(line) for line in lines]
        filled = [row for row in range(len(lines)) if ids[row]]
        found: list[list[TranslationResult]] = [[] for _ in lines]
        if filled:
            source = pad_sequence([torch.tensor(ids[row]) for row in filled], batch_first=True, padding_value=PAD)
            source = source.to(self.device)
            lengths = torch.tensor([len(ids[row]) for row in filled], device=self.device)
            mask = torch.arange(source.size(1), device=self.device) < lengths.unsqueeze(1)
            for row, hypotheses in zip(filled, self.search(self.model, source, mask), strict=True):
                found[row] = [self.spell(lines[row], hypothesis) for hypothesis in hypotheses]
        return found

    @torch.inference_mode()
    def seen(self, line: str, translation: str | None = None) -> tuple[str, Seen | None]:
        """A translation, and what is looked at while it is decoded; None where nothing is, as without a token.

        Args:
            line: the sentence.
            translation: decoded by force; None for the best one that the search finds.

        Raises:
            ConfigError: the given one is longer than the model can decode.
        """
        source = self.source.encode(line)
        if not source:
            return translation or "", None
        if translation is None:
            batch = torch.tensor([source], device=self.device)
            best = self.search(self.model, batch, torch.ones_like(batch, dtype=torch.bool))[0][0]
            target, said = best.tokens, self.spell(line, best).text
        else:
            target, said = self.target.encode(translation), translation
        most = self.model.longest_target
        if most is not None and len(target) >= most:
            raise ConfigError(f"{len(target)} tokens to decode, and the learned positions of the run end at {most}")
        found = seen(self.model, batch_of([(source, target)], self.device), self.source, self.target, True)
        return said, found[0] if found else None

    def spell(self, line: str, hypothesis: Hypothesis) -> TranslationResult:
        """Put a hypothesis into text."""
        spelled = spell(line, hypothesis, self.source, self.target, self.search.replace_unknown)
        return TranslationResult(
            spelled.text,
            hypothesis.score,
            hypothesis.log_prob,
            spelled.tokens,
            spelled.source_tokens,
            hypothesis.weights,
        )
