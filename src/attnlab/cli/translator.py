"""From sentences to translations, with a trained model."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from attnlab.data.tokenizers.base import Tokenizer
from attnlab.models.seq2seq import Seq2Seq
from attnlab.search.ensemble import Ensemble
from attnlab.tasks.prediction import Seen
from attnlab.tasks.spelling import reranked, spell
from attnlab.tasks.translation.looking import batch_of, seen
from attnlab.types import PAD, ConfigError, Hypothesis, StepModel


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
    """A model with its tokenizers and a search.

    Args:
        model: that translates; attention is looked at in it.
        source, target: tokenizers.
        search: as ``attnlab.search.base.Search``.
        device: where it runs.
        others: of the same vocabularies, that translate with it (``search/ensemble.py``).
    """

    def __init__(
        self,
        model: Seq2Seq,
        source: Tokenizer,
        target: Tokenizer,
        search: Any,
        device: torch.device,
        others: Sequence[Seq2Seq] = (),
    ) -> None:
        self.model = model.to(device).eval()
        together = [self.model, *(other.to(device).eval() for other in others)]
        self.steps: StepModel = Ensemble(together) if others else self.model
        self.source, self.target, self.search, self.device = source, target, search, device

    @torch.inference_mode()
    def __call__(self, lines: Sequence[str]) -> list[list[TranslationResult]]:
        """The translations of each line, best first; none for a line without a token."""
        found = zip(lines, self.hypotheses(lines), strict=True)
        return [[self.spell(line, hypothesis) for hypothesis in several] for line, several in found]

    def hypotheses(self, lines: Sequence[str]) -> list[list[Hypothesis]]:
        """What the search finds for each line, likewise."""
        ids = [self.source.encode(line) for line in lines]
        filled = [row for row in range(len(lines)) if ids[row]]
        found: list[list[Hypothesis]] = [[] for _ in lines]
        if filled:
            source = pad_sequence([torch.tensor(ids[row]) for row in filled], batch_first=True, padding_value=PAD)
            source = source.to(self.device)
            lengths = torch.tensor([len(ids[row]) for row in filled], device=self.device)
            mask = torch.arange(source.size(1), device=self.device) < lengths.unsqueeze(1)
            several = self.search(self.steps, source, mask)
            several = reranked(self.search, [lines[row] for row in filled], several, self.source, self.target)
            for row, hypotheses in zip(filled, several, strict=True):
                found[row] = hypotheses
        return found

    @torch.inference_mode()
    def seen(
        self, lines: Sequence[str], translations: Sequence[str | None] | None = None, own: bool = True
    ) -> list[tuple[str, Seen | None]]:
        """Translations, and what is looked at while each is decoded; None where nothing is, as without a token.

        Args:
            lines: the sentences.
            translations: decoded by force; None for the best one that the search finds.
            own: besides, what the layers of a Transformer look at in their own sentence.

        Raises:
            ConfigError: a given one is longer than the model can decode.
        """
        given = list(translations or [None] * len(lines))
        searched = [line if said is None else "" for line, said in zip(lines, given, strict=True)]
        best = [found[0] if found else None for found in self.hypotheses(searched)]
        said, pairs = [], []
        for line, translation, found in zip(lines, given, best, strict=True):
            said.append(self.spell(line, found).text if found else translation or "")
            pairs.append((self.source.encode(line), found.tokens if found else self.target.encode(said[-1])))
        filled = [number for number, (source, _) in enumerate(pairs) if source]
        if not filled:
            return [(text, None) for text in said]
        most, longest = self.model.longest_target, max(len(pairs[number][1]) for number in filled)
        if most is not None and longest >= most:
            raise ConfigError(f"{longest} tokens to decode, and the learned positions of the run end at {most}")
        batch = batch_of([pairs[number] for number in filled], self.device)
        looked = dict(zip(filled, seen(self.model, batch, self.source, self.target, own), strict=False))
        return [(text, looked.get(number)) for number, text in enumerate(said)]

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
