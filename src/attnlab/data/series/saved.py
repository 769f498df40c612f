"""What a finished run is used with: the columns it knows, their scale, and how it forecasts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np

from attnlab.atomic import replacing
from attnlab.bounded import read_json
from attnlab.data.series.corpus import Columns, Plan
from attnlab.data.series.scaling import Scaling
from attnlab.data.series.table import Missing
from attnlab.strict_json import dumps
from attnlab.types import DataError

FILE = "series.json"


class Learnt(NamedTuple):
    """Of the training part of a series, and of the settings of its windows."""

    columns: Columns
    plan: Plan
    scaling: Scaling
    lookback: int
    harmonics: int
    missing: Missing = "error"  #: as in :func:`attnlab.data.series.table.read_table`

    @property
    def features(self) -> int:
        """How many numbers are known of a point of the future."""
        periods = self.plan.periods
        waves = sum(1 for period in periods for n in range(1, self.harmonics + 1) if 2 * n < period)
        return len(self.columns.known) + 2 * waves

    @property
    def dimensions(self) -> dict[str, int]:
        """What a model is built for."""
        return {
            "lookback": self.lookback,
            "horizon": self.plan.horizon,
            "channels": len(self.columns.all),
            "targets": len(self.columns.targets),
            "features": self.features,
            "season": self.plan.season,
        }

    def save(self, folder: Path) -> None:
        told = {
            "columns": self.columns._asdict(),
            "plan": self.plan._asdict(),
            "mean": self.scaling.mean.tolist(),
            "deviation": self.scaling.deviation.tolist(),
            "lookback": self.lookback,
            "harmonics": self.harmonics,
            "missing": self.missing,
        }
        with replacing(folder / FILE) as temporary:
            temporary.write_text(dumps(told), encoding="utf-8")


def saved(folder: Path) -> Learnt:
    """What a finished run has left.

    Raises:
        DataError: it is missing or damaged.
    """
    told = read_json(folder / FILE)
    try:
        return _learnt(told)
    except (TypeError, KeyError, ValueError) as error:
        raise DataError(f"{folder / FILE}: not what a run of series leaves ({error}); train it again") from error


def _learnt(told: Mapping[str, Any]) -> Learnt:
    columns = Columns(**{role: tuple(map(str, names)) for role, names in told["columns"].items()})
    plan = Plan(**{**told["plan"], "periods": tuple(map(int, told["plan"]["periods"]))})
    scaling = Scaling(*(np.array(told[key], np.float64) for key in ("mean", "deviation")))
    if not scaling.mean.shape == scaling.deviation.shape == (len(columns.all),) or not (scaling.deviation > 0).all():
        raise ValueError("mean and deviation of every column")
    missing = told.get("missing", "error")  # runs before it was noted had no gaps, or say so
    if missing not in get_args(Missing):
        raise ValueError(f"missing={missing!r:.40}")
    return Learnt(columns, plan, scaling, int(told["lookback"]), int(told["harmonics"]), missing)
