"""sacreBLEU's metrics with the laboratory's settings; without torch, for those who score files."""

from difflib import get_close_matches
from typing import TYPE_CHECKING

from attnlab.errors import ConfigError

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric as Scorer

TEXT_SCORES = ("bleu", "chrf", "ter")
UNSEGMENTED = ("zh", "char", "ja-mecab")  #: BLEU tokenisers for text written without blanks


def make_scorer(name: str, lowercase: bool, tokenize: str) -> "Scorer":
    """Build sacreBLEU's metric; its defaults but for case and tokenisation."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.metrics.ter import TER

    if tokenize not in BLEU.TOKENIZERS:
        raise ConfigError(_unknown("tokenize", tokenize, list(BLEU.TOKENIZERS)))
    if name == "bleu":
        try:
            # force: some corpora are tokenised as they come; sacreBLEU's advice would be printed every batch
            scorer: Scorer = BLEU(lowercase=lowercase, tokenize=tokenize, force=True)
        except (RuntimeError, ImportError) as error:
            reason = " ".join(str(error).split())
            raise ConfigError(f"tokenize: {tokenize!r} cannot be used here: {reason}") from error
    elif name == "chrf":
        scorer = CHRF(lowercase=lowercase)
    elif name == "ter":
        scorer = TER(normalized=tokenize in UNSEGMENTED, asian_support=tokenize in UNSEGMENTED)
    else:
        raise ConfigError(_unknown("scores", name, list(TEXT_SCORES)))
    scorer.num_refs = 1  # the signature needs it before the first sentence is counted
    return scorer


def _unknown(setting: str, value: str, valid: list[str]) -> str:
    near = get_close_matches(value, valid, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{setting}: {value!r} is unknown; {hint}valid: {', '.join(valid)}"
