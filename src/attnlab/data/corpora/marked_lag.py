"""A series with a known answer: a marker tells which point of the past comes again, and attention has to find it.

Blocks of ``lookback`` points of noise N(0, 1), of which one is marked, and of ``horizon`` points that all have the
value of the marked one. Forecasts begin where a block's noise ends; ``Stretch.lags`` has how far back that point is.
"""

import numpy as np

from attnlab.data.series.corpus import Columns, Plan, SeriesCorpus, Stretch
from attnlab.data.series.table import Table
from attnlab.ranges import OneOrMore, Seed


class MarkedLag(SeriesCorpus):
    """Two columns: the value, and 1 where it is marked.

    Args:
        lookback: points of noise in a block, which is what a past has.
        horizon: times that the marked value comes again.
        train_size: blocks to train on.
        val_size: blocks to choose checkpoints by.
        test_size: blocks that are tested.
        seed: of values and markers.
    """

    def __init__(
        self,
        lookback: OneOrMore = 24,
        horizon: OneOrMore = 2,
        train_size: OneOrMore = 2000,
        val_size: OneOrMore = 200,
        test_size: OneOrMore = 200,
        seed: Seed = 1,
    ) -> None:
        self.lookback, self.seed = lookback, seed
        block = lookback + horizon
        self.blocks = train_size + val_size + test_size
        draw = np.random.default_rng(seed)
        self._values = draw.standard_normal((self.blocks, lookback))
        self._lags = draw.integers(1, lookback + 1, size=self.blocks)  # points back from the first that is forecast
        super().__init__(
            "marked_lag",
            self.load,
            Columns(("value",), ("marker",)),
            Plan(horizon, block, lookback=lookback),
            val_size * block,
            test_size * block,
            settings={"lookback": lookback, "train_size": train_size, "seed": seed},
        )

    def load(self) -> Table:
        rows, places = np.arange(self.blocks), self.lookback - self._lags
        table = np.zeros((self.blocks, self.lookback + self.plan.horizon, 2))
        table[:, : self.lookback, 0] = self._values
        table[:, self.lookback :, 0] = self._values[rows, places][:, None]
        table[rows, places, 1] = 1.0
        return Table(("value", "marker"), table.reshape(-1, 2))

    def stretch(self, table: Table, start: int, tested: int) -> Stretch:
        block = self.plan.stride
        numbers = range(start // block, len(table.values) // block)
        lags = {number * block + self.lookback: int(self._lags[number]) for number in numbers}
        return Stretch(table, start, tested, tuple(lags), lags)
