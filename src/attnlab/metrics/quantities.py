"""The quantities of the laboratory: title, which way is better, digits, unit. Whoever needs one of these reads it here.

Without torch, so that a configuration can be checked before anything heavy is imported.
"""

from typing import Literal, NamedTuple

from attnlab.errors import ConfigError

Mode = Literal["min", "max"]  #: of Lightning and torch: what is looked for


class Quantity(NamedTuple):
    """A number that a run has."""

    title: str
    better: Literal["higher", "lower"]
    digits: int  #: behind the point, in tables
    unit: str = ""

    @property
    def higher_is_better(self) -> bool:
        return self.better == "higher"

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return 1 if self.higher_is_better else -1

    @property
    def mode(self) -> Mode:
        return "max" if self.higher_is_better else "min"


SCORES = {
    "bleu": Quantity("BLEU", "higher", 2),
    "chrf": Quantity("chrF", "higher", 2),
    "ter": Quantity("TER", "lower", 2),
    "ppl": Quantity("perplexity", "lower", 3),
    "aer": Quantity("AER", "lower", 3),
}
COSTS = {  # by their key in metrics.json; "<split>/…" is that of the split at hand
    "params": Quantity("parameters", "lower", 0),
    "train/seconds": Quantity("training", "lower", 0, "s"),
    "train/target_tokens_per_second": Quantity("training speed", "higher", 0, "tokens/s"),
    "peak_memory_mib": Quantity("peak memory", "lower", 0, "MiB"),
    "<split>/sentences_per_second": Quantity("decoding speed", "higher", 0, "sentences/s"),
}
LOGGED = {  # besides, while a run goes on
    "<split>/loss": Quantity("loss", "lower", 3, "nats/token"),
    "train/coverage_loss": Quantity("coverage loss", "lower", 3),
    "train/mfu": Quantity("model FLOPs utilization", "higher", 3),
}
KNOWN = {**{f"<split>/{name}": quantity for name, quantity in SCORES.items()}, **COSTS, **LOGGED}
TRAINING_SPLITS = ("train", "val")  #: whose numbers come without translations; every other split is tested
VALIDATED = ("val/bleu", "val/loss", "val/ppl")  #: what a validation measures


def quantity(key: str) -> Quantity | None:
    """What a logged key is of: ``val/bleu`` and ``test_long/bleu`` are BLEU; None for what is not of ours."""
    return KNOWN.get(key) or KNOWN.get(f"<split>/{key.partition('/')[2]}")


def mode_of(monitor: str, mode: str | None, where: str) -> Mode:
    """Whether to look for the least or the most of a monitored quantity.

    Args:
        monitor: its key.
        mode: ``min`` or ``max`` where somebody said so; must agree. None leaves it to the quantity.
        where: the setting that has the two as ``<where>.monitor`` and ``<where>.mode``, for messages.

    Raises:
        ConfigError: the mode is the wrong way round, or it is missing and the quantity is not of ours.
    """
    if mode not in (None, "min", "max"):
        raise ConfigError(f"{where}.mode: came {mode!r}, expected min, max or null")
    known = quantity(monitor)
    if known is None and mode is None:
        raise ConfigError(
            f"{where}.monitor={monitor} is no quantity of the laboratory's, so {where}.mode has to say which way is "
            "better: set it to min or max"
        )
    if known is not None and mode not in (None, known.mode):
        raise ConfigError(
            f"{where}.mode={mode}, and of {monitor} the {known.better} is the better: leave mode out (null), it "
            f"follows from monitor"
        )
    return known.mode if known is not None else mode  # type: ignore[return-value]
