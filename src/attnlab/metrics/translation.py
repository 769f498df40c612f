"""BLEU, chrF and TER of a corpus, exactly as sacreBLEU gives them, for any batching and number of processes.

All three scores are closed forms of sums over sentences: BLEU of n-gram matches, totals and the two lengths
(Papineni et al. 2002), chrF of character n-gram counts (Popović 2015), TER of edits and reference words
(Snover et al. 2006). sacreBLEU (Post 2018) counts a sentence, the sums are int64 metric states, sacreBLEU
closes them. Nothing is averaged over batches, so nothing is approximate.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torchmetrics import Metric

from attnlab.metrics.scorers import TEXT_SCORES as TEXT_SCORES
from attnlab.metrics.scorers import make_scorer
from attnlab.private import sacrebleu
from attnlab.types import ConfigError, DataError

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric as Scorer

Counts = dict[str, list[int]]  #: of a sentence: score -> what sacreBLEU counts for it


def tokenize_for(language: str) -> str:
    """Name sacreBLEU's tokeniser for text in ``language``: an ISO code; the region in ``zh-TW`` is ignored.

    Chinese: ``zh``. Japanese: ``ja-mecab`` where MeCab is installed (``pip install 'sacrebleu[ja]'``), else
    ``char``. Every other language: ``13a``.
    """
    code = language.lower().replace("_", "-").split("-")[0]
    if code in ("zh", "zho", "cmn"):
        return "zh"
    if code in ("ja", "jpn"):
        return "ja-mecab" if find_spec("MeCab") and find_spec("ipadic") else "char"
    return "13a"


class CorpusScore(Metric):
    """Corpus BLEU, chrF and TER against one reference a sentence.

    Args:
        lowercase: score lower-cased text (BLEU and chrF; TER ignores case either way, as sacreBLEU has it).
        tokenize: sacreBLEU's name of the BLEU tokeniser, see :func:`tokenize_for`. For text without blanks
            (``zh``, ``char``, ``ja-mecab``) TER is computed with sacreBLEU's Asian normalisation: it would
            otherwise see each sentence as one word.
        scores: which of ``bleu``, ``chrf``, ``ter`` to compute. TER takes by far the longest: for 1,000
            sentences of 11 words under 1 s, of 18 words about 5 s, of 24 words 20 to 30 s, where BLEU and
            chrF take under 1 s together. Leave it out of validation.

    Raises:
        ConfigError: ``tokenize`` or ``scores`` names something unknown, or a tokeniser's package is missing.
    """

    is_differentiable = False
    higher_is_better = None  # BLEU and chrF rise, TER falls
    full_state_update = False
    sentences: Tensor

    def __init__(self, lowercase: bool = False, tokenize: str = "13a", scores: Sequence[str] = TEXT_SCORES) -> None:
        super().__init__()
        self.scorers = {name: make_scorer(name, lowercase, tokenize) for name in scores}
        if not self.scorers:
            raise ConfigError(f"scores is empty; name one or more of {', '.join(TEXT_SCORES)}")
        for name, scorer in self.scorers.items():
            zeros = torch.zeros(len(_count(scorer, [""], [""])[0]), dtype=torch.int64)
            self.add_state(name, zeros, dist_reduce_fx="sum")
        self.add_state("sentences", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    @property
    def signature(self) -> str:
        """The signature that sacreBLEU gives the first of ``scores``: BLEU's, unless told otherwise."""
        return next(iter(self.signatures.values()))

    @property
    def signatures(self) -> dict[str, str]:
        """The signature that sacreBLEU gives each of ``scores``."""
        return {name: str(scorer.get_signature()) for name, scorer in self.scorers.items()}

    def count(self, hypotheses: Sequence[str], references: Sequence[str]) -> list[Counts]:
        """What sacreBLEU counts in each sentence, by score; ``update`` adds it up.

        Raises:
            DataError: the two lists differ in length, or one is a bare string.
        """
        _check(hypotheses, references)
        if not hypotheses:  # sacreBLEU would forget how many references there are
            return []
        columns = {name: _count(scorer, hypotheses, references) for name, scorer in self.scorers.items()}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def update(
        self, hypotheses: Sequence[str], references: Sequence[str], counts: Sequence[Counts] | None = None
    ) -> None:
        """Count sentences: plain, detokenised text. An empty hypothesis counts as a translation of no words.

        Args:
            hypotheses: the translations.
            references: one for each.
            counts: what ``count`` gave for them, where that is known.

        Raises:
            DataError: the two lists differ in length, or one is a bare string.
        """
        counts = self.count(hypotheses, references) if counts is None else counts
        if not counts:
            return
        for name in self.scorers:
            state: Tensor = getattr(self, name)
            rows = torch.tensor([sentence[name] for sentence in counts], dtype=torch.int64)
            setattr(self, name, state + rows.sum(0).to(state.device))
        self.sentences = self.sentences + len(hypotheses)

    def compute(self) -> dict[str, float]:
        """Close the sums: ``{"bleu": …, "chrf": …, "ter": …}``, each in percent.

        Raises:
            DataError: no sentence was counted.
        """
        if int(self.sentences) == 0:
            raise DataError("no sentence to score: 0 pairs came, at least 1 expected; is the split empty?")
        return {
            name: float(sacrebleu.closed(scorer, getattr(self, name).tolist()).score)
            for name, scorer in self.scorers.items()
        }


def _count(scorer: "Scorer", hypotheses: Sequence[str], references: Sequence[str]) -> list[list[int]]:
    """What sacreBLEU counts in each sentence.

    TER's "average reference length" is whole, a sentence having one reference: all are integers.
    """
    sentences = sacrebleu.counts(scorer, hypotheses, references)
    return [[int(number) for number in row] for row in sentences]


def _check(hypotheses: Sequence[str], references: Sequence[str]) -> None:
    for name, lines in (("hypotheses", hypotheses), ("references", references)):
        if isinstance(lines, str):  # which is a sequence of strings too: its characters
            raise DataError(f"{name}: expected a list of texts, one a sentence; got the single text {lines!r}")
    if len(hypotheses) != len(references):
        raise DataError(f"{len(hypotheses)} hypotheses came with {len(references)} references; give one reference each")
