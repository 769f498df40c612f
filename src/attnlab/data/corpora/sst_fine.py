"""Stanford Sentiment Treebank, five classes: from very negative to very positive.

Socher et al. 2013, "Recursive deep models for semantic compositionality over a sentiment treebank". The sentences of
``sst`` and the neutral ones; splits as there.
"""

from collections.abc import Mapping
from typing import ClassVar

from attnlab.data.corpora.sst import Sst


class SstFine(Sst):
    """Whole sentences; settings as those of ``sst``."""

    name = "sst_fine"
    kind: ClassVar[str] = "fine"
    classes: ClassVar[Mapping[str, str]] = {
        "0": "very negative", "1": "negative", "2": "neutral", "3": "positive", "4": "very positive",
    }  # fmt: skip
