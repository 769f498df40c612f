"""attnlab: a laboratory for attention mechanisms.

>>> import attnlab
>>> run = attnlab.train(["attention=bahdanau"])        # as python train.py attention=bahdanau  # doctest: +SKIP
>>> run = attnlab.load("latest")                       # or a run folder  # doctest: +SKIP
>>> run.translate(["he can close the window ."])       # run.predict([...]) of classes  # doctest: +SKIP
>>> run.attend("he can close the window .")            # draws itself in a notebook  # doctest: +SKIP
>>> attnlab.compare(["sweeps/attention_types/latest"])  # doctest: +SKIP
>>> attention = attnlab.mechanism("bahdanau", query_dim=64, key_dim=128)  # in a model of your own  # doctest: +SKIP

What stands here is imported when it is asked for: ``import attnlab`` alone takes no time.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attnlab.api import AttentionWeights as AttentionWeights
    from attnlab.api import Comparison as Comparison
    from attnlab.api import Mechanism as Mechanism
    from attnlab.api import TrainedRun as TrainedRun
    from attnlab.api import compare as compare
    from attnlab.api import load as load
    from attnlab.api import mechanism as mechanism
    from attnlab.api import train as train

__version__ = "0.1.0"
__all__ = ["AttentionWeights", "Comparison", "Mechanism", "TrainedRun", "compare", "load", "mechanism", "train"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'attnlab' has no attribute {name!r}; there is {', '.join(__all__)}")
    from attnlab import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
