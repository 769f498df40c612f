"""What is measured of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from attnlab.metrics.quantity import Summed


@dataclass(frozen=True, kw_only=True)
class Hits(Summed):
    """Sentences judged rightly, of all."""

    def count(self, record: Mapping[str, Any]) -> tuple[float, float] | None:
        return float(record["label"] == record["predicted"]), 1.0

    def close(self, sums: np.ndarray) -> np.ndarray:
        return sums[..., 0] / sums[..., 1]


@dataclass(frozen=True, kw_only=True)
class LogLoss(Summed):
    """Mean negative log-likelihood of the right label, in nats."""

    def count(self, record: Mapping[str, Any]) -> tuple[float, float] | None:
        return record["log_loss"], 1.0

    def close(self, sums: np.ndarray) -> np.ndarray:
        return sums[..., 0] / sums[..., 1]


HITS = Hits(name="hits", title="hits", better="higher", digits=3)
LOG_LOSS = LogLoss(name="log_loss", title="log loss", better="lower", digits=4, unit="nats")
