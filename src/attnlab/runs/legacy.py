"""The folders that version 0.1.0 left: what it called otherwise, and what it did not say. One table for all readers."""

from collections.abc import Mapping
from typing import Any

from attnlab.moved import current

CALLBACKS = {"sample_translations": "samples"}  # their names
TEXTS = {"${model.dropout}": "${oc.select:model.dropout,0.0}"}
MONITORING = ("checkpoints", "early_stopping")  # callbacks that share the root's ``monitor``, where they have the same
SHARED = "${monitor}"

# What its metrics.json does not say of itself.
TASK = "translation"
UNIT = "target tokens"
MONITOR = "val/bleu"
RECORD = {"input": "source", "reference": "reference", "output": "hypothesis"}
WORDS = {
    "item": "sentence", "items": "sentences", "output": "translation", "outputs": "translations",
    "column": "source word", "columns": "source words", "row": "target word", "rows": "the words of the translation",
}  # fmt: skip
QUANTITIES = (
    "bleu", "chrf", "ter", "ppl", "aer", "loss", "params", "train/seconds", "train/target_tokens_per_second",
    "peak_memory_mib", "sentences_per_second", "train/mfu", "train/coverage_loss",
)  # fmt: skip
SIGNATURE = "bleu_signature"
EVERY_TEST = "/bleu"  # what was measured on every tested split


def with_new_names(config: dict[str, Any]) -> dict[str, Any]:
    """A recorded configuration, plain, as this version would have recorded it."""
    callbacks = config.get("callbacks")
    if isinstance(callbacks, dict):
        config = _with_one_monitor(config, {CALLBACKS.get(name, name): node for name, node in callbacks.items()})
    return {key: _renamed(value) for key, value in config.items()}


def _with_one_monitor(config: dict[str, Any], callbacks: dict[str, Any]) -> dict[str, Any]:
    """What is monitored stood in each callback, and stands at the root now."""
    checkpoints = callbacks.get("checkpoints")
    monitor = checkpoints.get("monitor") if isinstance(checkpoints, dict) else None
    if "monitor" in config or not isinstance(monitor, str):
        return {**config, "callbacks": callbacks}
    for name in MONITORING:
        node = callbacks.get(name)
        if isinstance(node, dict) and node.get("monitor") == monitor:
            callbacks[name] = {**node, "monitor": SHARED}
    return {**config, "monitor": monitor, "callbacks": callbacks}


def _renamed(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _renamed(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_renamed(value) for value in node]
    return (TEXTS.get(node) or current(node)) if isinstance(node, str) else node


def tells_nothing(data: Mapping[str, Any]) -> bool:
    """Whether the fingerprint in a data.json was taken of the grammar's source text where it stood in version 0.1.0."""
    return data.get("corpus") == "grammar" and "taken" not in data


def described(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What such a folder would say of itself."""
    from attnlab.metrics.registry import TRAINING_SPLITS  # commands that only rename need none of it

    tested = [key.removesuffix(EVERY_TEST) for key in metrics if key.endswith(EVERY_TEST)]
    return {
        "task": TASK,
        "unit": UNIT,
        "monitor": MONITOR,
        "splits": [split for split in tested if split not in TRAINING_SPLITS],
        "record": RECORD,
        "words": WORDS,
        "quantities": {name: {} for name in QUANTITIES} | {"bleu": {"signature": str(metrics.get(SIGNATURE))}},
    }
