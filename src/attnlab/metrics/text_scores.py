"""The base of scores that sacreBLEU counts in texts: what was noted of a sentence, and counting it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attnlab.errors import DataError
from attnlab.metrics.noted import numbers
from attnlab.metrics.quantity import Record, Summed
from attnlab.metrics.scorers import make_scorer
from attnlab.private.sacrebleu import counts

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric

SIGNATURE = "bleu_signature"  #: where a run says how its text was cut and cased


@dataclass(frozen=True, kw_only=True)
class TextScore(Summed):
    """A score of a hypothesis against one reference, closed as sacreBLEU closes it.

    Attributes:
        columns: how many numbers sacreBLEU counts in a sentence.
        lowercase: whether text is scored lower-cased.
        tokenize: sacreBLEU's name of the BLEU tokeniser.
    """

    columns: int
    lowercase: bool = False
    tokenize: str = "13a"

    @cached_property
    def scorer(self) -> "Metric":
        """sacreBLEU's metric.

        Raises:
            ConfigError: its tokeniser is unknown, or cannot be used here.
        """
        return make_scorer(self.name, self.lowercase, self.tokenize)

    @property
    def signature(self) -> str:
        return str(self.scorer.get_signature())

    def of_run(self, metrics: Mapping[str, Any]) -> "TextScore":
        lowercase, tokenize = text_settings(str(metrics.get(SIGNATURE)))
        return replace(self, lowercase=lowercase, tokenize=tokenize)

    def count(self, record: Record) -> Sequence[float] | None:
        return numbers(f"counts.{self.name}", (record.get("counts") or {}).get(self.name), self.columns)

    def recount(self, record: Record) -> Sequence[float] | None:
        if not {"hypothesis", "reference"} <= record.keys():
            return None
        (row,) = counts(self.scorer, [record["hypothesis"]], [record["reference"]])
        return row


def text_settings(signature: str) -> tuple[bool, str]:
    """Whether text is lower-cased, and the tokeniser, of ``nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|…``.

    Raises:
        DataError: it is not the signature of the laboratory's BLEU.
    """
    parts = dict(part.partition(":")[::2] for part in signature.split("|"))
    tokenizer = parts.get("tok", "")
    expected = {"nrefs": "1", "eff": "no", "smooth": "exp"}
    if not tokenizer or any(parts.get(key) != value for key, value in expected.items()):
        raise DataError(f"{SIGNATURE} {signature!r}: expected this laboratory's, with nrefs:1, eff:no, smooth:exp")
    return parts.get("case") == "lc", "ja-mecab" if tokenizer.startswith("ja-mecab") else tokenizer
