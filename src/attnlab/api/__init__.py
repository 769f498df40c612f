"""What a notebook needs; ``import attnlab`` has all of it.

Each stands on what the commands stand on: the same words, the same checks, the same run folders.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attnlab.analysis.comparison import Comparison as Comparison
    from attnlab.api.comparing import compare as compare
    from attnlab.api.mechanisms import Mechanism as Mechanism
    from attnlab.api.mechanisms import mechanism as mechanism
    from attnlab.api.runs import TrainedRun as TrainedRun
    from attnlab.api.runs import load as load
    from attnlab.api.training import train as train
    from attnlab.api.weights import AttentionWeights as AttentionWeights

PLACES = {
    "AttentionWeights": "attnlab.api.weights",
    "Comparison": "attnlab.analysis.comparison",
    "Mechanism": "attnlab.api.mechanisms",
    "TrainedRun": "attnlab.api.runs",
    "compare": "attnlab.api.comparing",
    "load": "attnlab.api.runs",
    "mechanism": "attnlab.api.mechanisms",
    "train": "attnlab.api.training",
}


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        raise AttributeError(f"module 'attnlab.api' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(PLACES[name]), name)
