"""What testing keeps of a sentence."""

from typing import Any, NamedTuple

from numpy.typing import NDArray

from attnlab.runs.writing import Map
from attnlab.types import EOS, SPECIALS


class Translated(NamedTuple):
    """A sentence and its translation, with what was measured of both."""

    source: str
    reference: str
    hypothesis: str
    score: float  #: what the search ranked by
    source_tokens: list[str]
    hypothesis_tokens: list[str]
    weights: NDArray[Any] | None  #: [len(hypothesis_tokens) (+1 for the end of sentence), S]
    counts: dict[str, list[int]] | None = None  #: what sacreBLEU counts in it, by score
    loss: float | None = None  #: of the reference, in nats, summed over its tokens, end of sentence counted
    target_tokens: int | None = None  #: how many those are
    links: list[int] | None = None  #: of forced decoding against the gold alignment: |A∩S|, |A∩P|, |A|, |S|

    def line(self) -> dict[str, Any]:
        """A line of ``<split>.jsonl``.

        ``alignment`` has, for every token of the hypothesis, the number of the source token with most weight;
        null where the token looks nowhere, or as a whole where the mechanism draws no alignment. From ``loss`` and
        ``target_tokens`` comes the perplexity, from ``links`` (|A∩S|, |A∩P|, |A|, |S|) the AER, both of forced
        decoding; from ``counts``, which are sacreBLEU's, come BLEU, chrF and TER.
        """
        alignment = None
        if self.weights is not None:
            rows = self.weights[: len(self.hypothesis_tokens)]
            alignment = [int(row.argmax()) if row.sum() > 0 else None for row in rows]
        return {
            "source": self.source,
            "reference": self.reference,
            "hypothesis": self.hypothesis,
            "score": self.score,
            "source_tokens": list(self.source_tokens),
            "hypothesis_tokens": list(self.hypothesis_tokens),
            "alignment": alignment,
            "counts": self.counts,
            "loss": self.loss,
            "target_tokens": self.target_tokens,
            "links": self.links,
        }

    def map(self, number: int) -> Map | None:
        """The alignment; the end of a sentence has a row where it was produced."""
        if self.weights is None:
            return None
        rows = [*self.hypothesis_tokens, *[SPECIALS[EOS]] * (len(self.weights) - len(self.hypothesis_tokens))]
        return Map(number, self.weights, list(self.source_tokens), rows)
