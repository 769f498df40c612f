"""What is measured of translations; without torch, so that a configuration is checked quickly."""

from collections.abc import Mapping
from typing import Any

from attnlab.errors import ConfigError
from attnlab.metrics.quantities.aer import AER
from attnlab.metrics.quantities.bleu import BLEU
from attnlab.metrics.quantities.chrf import CHRF
from attnlab.metrics.quantities.loss import LOSS
from attnlab.metrics.quantities.ppl import PERPLEXITY
from attnlab.metrics.quantities.ter import TER
from attnlab.metrics.quantity import Counted
from attnlab.metrics.registry import of_key

MEASURED: tuple[Counted, ...] = (BLEU, CHRF, TER, PERPLEXITY, AER, LOSS)
VALIDATED: tuple[Counted, ...] = (BLEU, LOSS, PERPLEXITY)  #: in a validation, too
UNSEARCHED: tuple[Counted, ...] = (LOSS, PERPLEXITY)  #: of the references alone


def check_monitor(task: Mapping[str, Any], monitor: str) -> None:
    """Hold what is monitored against the settings of ``conf/task/translation.yaml``.

    Raises:
        ConfigError: it is of translations, and a validation makes none.
    """
    if task.get("validation_sentences") != 0 or not monitor.startswith("val/") or of_key(monitor) is None:
        return
    there = [quantity.key("val") for quantity in UNSEARCHED]
    if monitor not in there:
        raise ConfigError(
            f"monitor={monitor}: with task.validation_sentences=0 no validation sentence is translated; expected "
            f"{' or '.join(there)}: set monitor={there[0]}, or task.validation_sentences to more, or to null (all)"
        )
