"""What the jobs of a multirun have left, read back."""

import json

OF_THE_MACHINE = ("second", "memory", "mfu")  # in the names of times, speeds, …


def measured(job):
    """The entries of metrics.json that are no time, speed or memory."""
    metrics = json.loads((job / "metrics.json").read_text("utf-8"))
    return {key: value for key, value in metrics.items() if not any(word in key for word in OF_THE_MACHINE)}


def by_seed(sweep):
    """The folders of the finished jobs, where only the seed differs."""
    return {measured(path.parent)["seed"]: path.parent for path in sweep.glob("*/finished.json")}
