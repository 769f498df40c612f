"""The quantities of one split: BLEU, chrF, TER, perplexity, and AER where gold alignments exist."""

import math
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor, nn

from attnlab.metrics.alignment import AlignmentErrorRate, find_spans, word_links
from attnlab.metrics.perplexity import Perplexity
from attnlab.metrics.translation import CorpusScore, tokenize_for

if TYPE_CHECKING:
    from attnlab.data.corpus import Pair
    from attnlab.data.tokenizers.base import Token


class SplitMetrics(nn.Module):
    """Exact for any batching and over any number of processes: all states are sums."""

    def __init__(self, language: str, lowercase: bool) -> None:
        super().__init__()
        self.score = CorpusScore(lowercase=lowercase, tokenize=tokenize_for(language))
        self.perplexity = Perplexity()
        self.alignment = AlignmentErrorRate()
        self.translations = 0

    def add_loss(self, total: Float[Tensor, ""], tokens: int) -> None:
        self.perplexity.update(total, tokens)

    def add_translations(self, hypotheses: list[str], references: list[str]) -> None:
        self.translations += len(hypotheses)
        self.score.update(hypotheses, references)

    def add_alignment(
        self, weights: Float[Tensor, "T S"], pair: "Pair", source: list["Token"], target: list["Token"]
    ) -> None:
        """Count the links of one forced decoding against the gold ones; a pair without gold is left out."""
        if pair.alignment is None:
            return
        links = word_links(
            weights,
            [(token.start, token.end) for token in source],
            [(token.start, token.end) for token in target],
            find_spans(pair.alignment.source_words, pair.source),
            find_spans(pair.alignment.target_words, pair.target),
        )
        self.alignment.update(links, pair.alignment.sure, pair.alignment.possible)

    def compute(self, split: str) -> dict[str, float]:
        """``{"<split>/bleu": …}``, with the keys that have data; starts afresh."""
        values: dict[str, float] = {}
        if self.perplexity.update_called:
            values |= {"ppl": (ppl := float(self.perplexity.compute())), "loss": math.log(ppl)}
        if self.translations:
            values |= {name: float(value) for name, value in self.score.compute().items()}
        if self.alignment.update_called:
            values["aer"] = float(self.alignment.compute())
        self.reset()
        return {f"{split}/{name}": value for name, value in values.items()}

    def reset(self) -> None:
        self.translations = 0
        for metric in (self.score, self.perplexity, self.alignment):
            metric.reset()
