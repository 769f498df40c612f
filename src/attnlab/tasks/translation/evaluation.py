"""The quantities of one split: BLEU, chrF, TER, perplexity, and AER where gold alignments exist."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.metrics.alignment import AlignmentErrorRate, find_spans, link_counts, word_links
from attnlab.metrics.perplexity import Perplexity, perplexity
from attnlab.metrics.translation import TEXT_SCORES, CorpusScore, Counts, tokenize_for
from attnlab.private.torchmetrics import mark_as_fed

if TYPE_CHECKING:
    from attnlab.data.corpus import Pair
    from attnlab.data.tokenizers.base import Token


class SplitMetrics(nn.Module):
    """Exact for any batching and over any number of processes: all states are sums."""

    def __init__(self, language: str, lowercase: bool, scores: Sequence[str] = TEXT_SCORES) -> None:
        super().__init__()
        self.score = CorpusScore(lowercase, tokenize_for(language), scores)
        self.perplexity = Perplexity()
        self.alignment = AlignmentErrorRate()

    def add_loss(self, total: Float[Tensor, ""], tokens: int) -> None:
        self.perplexity.update(total, tokens)

    def add_translations(self, hypotheses: list[str], references: list[str]) -> list[Counts]:
        """Count translations; give what was counted in each."""
        counts = self.score.count(hypotheses, references)
        self.score.update(hypotheses, references, counts)
        return counts

    def add_alignment(
        self, weights: Float[Tensor, "T S"], pair: "Pair", source: list["Token"], target: list["Token"]
    ) -> list[int] | None:
        """Count the links of one forced decoding against the gold ones; a pair without gold is left out.

        Returns:
            What was counted: :func:`attnlab.metrics.alignment.link_counts`.
        """
        if pair.alignment is None:
            return None
        links = word_links(
            weights,
            [(token.start, token.end) for token in source],
            [(token.start, token.end) for token in target],
            find_spans(pair.alignment.source_words, pair.source),
            find_spans(pair.alignment.target_words, pair.target),
        )
        gold = pair.alignment.sure, pair.alignment.possible
        self.alignment.update(links, *gold)
        return link_counts(links, *gold)

    def compute(self, split: str) -> dict[str, float]:
        """``{"<split>/bleu": …}``, with the keys that have data; starts afresh."""
        values: dict[str, float] = {}
        losses, translations, alignments = self._fed_anywhere()
        if losses:
            with self.perplexity.sync_context():  # of all processes
                loss = self.perplexity.mean()
            values |= {"ppl": perplexity(loss), "loss": loss}
        if translations:
            values |= {name: float(value) for name, value in self.score.compute().items()}
        if alignments:
            values["aer"] = float(self.alignment.compute())
        self.reset()
        return {f"{split}/{name}": value for name, value in values.items()}

    def _fed_anywhere(self) -> list[bool]:
        """Which metrics any process has fed: closing a metric is a meeting of all, so all must go or none."""
        metrics = (self.perplexity, self.score, self.alignment)
        fed = torch.tensor([metric.update_called for metric in metrics], device=self.score.device).int()
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.all_reduce(fed, torch.distributed.ReduceOp.MAX)
        for metric in metrics:
            mark_as_fed(metric)  # an unfed share is no mistake to warn of
        return [bool(flag) for flag in fed.tolist()]

    def reset(self) -> None:
        """Forget what was counted."""
        for metric in (self.score, self.perplexity, self.alignment):
            metric.reset()
