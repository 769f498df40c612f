"""Spearman's correlation: Pearson's of the ranks, ties at their mean rank; 0 where one side is constant."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attnlab.metrics.quantities.pearson import PEARSON, scores_of
from attnlab.metrics.quantity import OfItems, Record

if TYPE_CHECKING:
    from attnlab.metrics.quantity import Rows


class Spearman(OfItems):
    """No function of a sum: C is ``predicted`` and ``score``."""

    def count(self, record: Record) -> Sequence[float] | None:
        return scores_of(record)

    def close(self, rows: "Rows") -> float:
        import numpy as np
        from scipy.stats import rankdata

        x, y = rankdata(rows, axis=0).T
        return float(PEARSON.close(np.array([len(x), x.sum(), y.sum(), x @ x, y @ y, x @ y])))


SPEARMAN = Spearman(name="spearman", title="Spearman's rho", better="higher", digits=4, lowest=-1, highest=1)
