"""Unknown words of a translation, replaced by the source word that was attended to most.

Luong et al. 2015 (addressing the rare word problem), Jean et al. 2015: for each unknown target word t, copy
the source word argmax_s a_t(s).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from attnlab.types import UNK, ConfigError, DataError


def attended(tokens: Sequence[int], weights: ArrayLike | None, source: int) -> list[int]:
    """The source token that each UNK among the ids of a translation attended to most.

    ``weights`` is [T, S] or [T + 1, S] (a row for EOS more), T tokens, S = ``source`` tokens.

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
    if table.ndim != 2 or table.shape[0] not in rows or table.shape[1] != source:
        raise DataError(
            f"attention weights of shape {table.shape}: expected {rows[0]} or {rows[1]} rows (target tokens, "
            f"without or with the end) and {source} columns (source tokens)"
        )
    return [int(table[t].argmax()) for t, token in enumerate(tokens) if token == UNK]
