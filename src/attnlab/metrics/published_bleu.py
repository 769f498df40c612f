"""BLEU as many papers give it: of lower-cased words that Moses' rules have parted, subwords joined.

sacreBLEU's own score is of cased text, parted by the rules 13a of NIST's mteval; the two differ by a point or so, in
either direction, and are not to be compared. Figures on Multi30k are mostly of this kind (Wu et al. 2021).
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import NamedTuple

from attnlab.metrics.translation import tokenize_for


class PublishedBleu(NamedTuple):
    """A score, and how it was taken."""

    score: float
    signature: str


def published_bleu(hypotheses: Sequence[str], references: Sequence[str], language: str) -> PublishedBleu | None:
    """Corpus BLEU against one reference a sentence; None for a language whose words no blanks part.

    Args:
        hypotheses: plain text, as are the references; Moses' rules (sacremoses) part the words of both.
        references: one for each.
        language: ISO code.
    """
    if tokenize_for(language) != "13a":
        return None
    from sacrebleu.metrics.bleu import BLEU
    from sacremoses import MosesTokenizer

    moses = MosesTokenizer(language)
    said, wanted = (
        [moses.tokenize(text.lower(), return_str=True, escape=False) for text in texts]
        for texts in (hypotheses, references)
    )
    scorer = BLEU(tokenize="none", force=True)
    score = scorer.corpus_score(said, [wanted]).score
    parted = str(scorer.get_signature()).replace("tok:none", f"tok:moses-{language}-sacremoses-{version('sacremoses')}")
    return PublishedBleu(score, parted.replace("case:mixed", "case:lc"))
