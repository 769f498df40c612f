"""torchmetrics' insides.

* ``Metric._update_count``: a metric that one of several processes has not fed is closed with the others', and is no
  mistake to warn of; ``update_count`` can be read only.
"""

from torchmetrics import Metric


def mark_as_fed(metric: Metric) -> None:
    metric._update_count = max(metric._update_count, 1)
