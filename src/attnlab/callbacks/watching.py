"""Which callbacks only watch: with or without them the same model is trained."""

from collections.abc import Mapping

from pytorch_lightning import callbacks as lightning

# Lightning's cannot say it themselves. A timer is not among them, for it ends training.
LIGHTNING: tuple[type[lightning.Callback], ...] = (
    lightning.DeviceStatsMonitor,
    lightning.LearningRateMonitor,
    lightning.ModelSummary,
    lightning.RichModelSummary,
    lightning.RichProgressBar,
    lightning.ThroughputMonitor,
    lightning.TQDMProgressBar,
)


def only_watches(callback: object) -> bool:
    """Whether a callback's class says ``only_watches = True``, or is one of Lightning's that do.

    A class derived from one of Lightning's may do anything, and has to say so itself.
    """
    return getattr(callback, "only_watches", type(callback) in LIGHTNING) is True


def names_of_watchers(callbacks: Mapping[str, object]) -> str:
    """The names of those that only watch, as ``metrics.json`` has them: "history,throughput"."""
    return ",".join(sorted(name for name, callback in callbacks.items() if only_watches(callback)))
