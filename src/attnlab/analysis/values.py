"""Settings of finished runs: which of them decide nothing, which come first, how their values are written."""

import json
from collections.abc import Mapping
from typing import Any

from attnlab.runs.naming import AROUND

# What decides where results go and how a run is watched, but not what is learned.
IGNORED = (
    *AROUND,
    "seed",
    "paths",
    "logger",
    "sweep",
    "reproduce",
    "local",
    "ckpt_path",
    "measure",
    "callbacks.checkpoints.directory",
    "callbacks.checkpoints.every_n_steps",
    "trainer.default_root_dir",
    "trainer.enable_progress_bar",
    "trainer.enable_model_summary",
    "trainer.log_every_n_steps",
    "data.cache",
    "data.num_workers",
)
# Configurations are named by these choices first; the value of the first one stands without its name.
FIRST = (
    "attention", "attention/score", "attention/window", "attention/normalizer", "pooling", "sentence_pooling",
    "attention@sentence_pooling.attention", "model", "decoder", "encoder", "sentence_encoder", "dataset",
)  # fmt: skip
ABSENT = "-"


def without_effect(key: str) -> bool:
    """Whether a setting, or what it is within, is one of ``IGNORED``."""
    key = key.partition("@")[0]
    return any(key == name or key.startswith(f"{name}.") for name in IGNORED)


def show(value: Any) -> str:
    """As YAML has it: null, true, [1, 2]."""
    if value is None or isinstance(value, bool | list | Mapping):
        return json.dumps(value, default=str)
    return str(value)
