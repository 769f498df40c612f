"""Unknown words of a translation, replaced by the source word that was attended to most.

Luong et al. 2015 (addressing the rare word problem), Jean et al. 2015: for each unknown target word t, copy
the source word argmax_s a_t(s).
"""

import numpy as np
from numpy.typing import ArrayLike

from attnlab.types import ConfigError, DataError


def replace_unknown(tokens: list[str], weights: ArrayLike | None, source_tokens: list[str], unknown: str) -> list[str]:
    """Copy source words over each ``unknown`` among ``tokens``.

    ``weights`` is [T, S] or [T + 1, S] (a row for EOS more), T tokens, S source tokens. Give the source words
    as they stand in the text: where ``source_tokens`` holds ``unknown`` itself, that is what gets copied.

    Raises:
        ConfigError: there are no weights, since the mechanism draws none.
        DataError: ``weights`` of another shape.
    """
    if weights is None:
        raise ConfigError(
            "replace_unknown=true needs attention weights and this model draws none: expected another "
            "attention, or replace_unknown=false"
        )
    table = np.asarray(weights)
    rows = (len(tokens), len(tokens) + 1)
    if table.ndim != 2 or table.shape[0] not in rows or table.shape[1] != len(source_tokens):
        raise DataError(
            f"attention weights of shape {table.shape}: expected {rows[0]} or {rows[1]} rows (target tokens, "
            f"without or with the end) and {len(source_tokens)} columns (source tokens)"
        )
    return [source_tokens[int(table[t].argmax())] if token == unknown else token for t, token in enumerate(tokens)]
