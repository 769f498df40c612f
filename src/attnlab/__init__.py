"""attnlab: a laboratory for attention mechanisms.

>>> import attnlab
>>> run = attnlab.train(["attention=bahdanau"])  # some minutes, as python train.py does  # doctest: +SKIP
>>> run = attnlab.load("latest")  # or a run folder
>>> len(run.translate(["he can close the window .", "the dog sleeps ."]))  # run.predict([...]) of classes
2
>>> seen = run.attend("he can close the window .")  # draws itself in a notebook
>>> seen.columns
('he', 'can', 'close', 'the', 'window', '.')
>>> page = attnlab.view([run]).save("view.html")  # look into it; a view draws itself in a notebook
>>> found = attnlab.compare([run])  # or "latest", the newest multirun; draws itself in a notebook
>>> attnlab.play([run])  # ask it live, in the browser, until Ctrl-C  # doctest: +SKIP
>>> attention = attnlab.mechanism("bahdanau", query_dim=64, key_dim=128)  # in a model of your own

What stands here is imported when it is asked for: ``import attnlab`` alone takes no time.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attnlab.analysis.comparison import Comparison as Comparison
    from attnlab.api.comparing import compare as compare
    from attnlab.api.mechanisms import Mechanism as Mechanism
    from attnlab.api.mechanisms import mechanism as mechanism
    from attnlab.api.playing import play as play
    from attnlab.api.runs import TrainedRun as TrainedRun
    from attnlab.api.runs import load as load
    from attnlab.api.training import train as train
    from attnlab.api.viewing import View as View
    from attnlab.api.viewing import view as view
    from attnlab.api.weights import AttentionWeights as AttentionWeights

__version__ = "0.2.0"
__all__ = [
    "AttentionWeights", "Comparison", "Mechanism", "TrainedRun", "View", "compare", "load", "mechanism", "play",
    "train", "view",
]  # fmt: skip
PLACES = {  # where each of them is
    "AttentionWeights": "attnlab.api.weights",
    "Comparison": "attnlab.analysis.comparison",
    "Mechanism": "attnlab.api.mechanisms",
    "TrainedRun": "attnlab.api.runs",
    "compare": "attnlab.api.comparing",
    "load": "attnlab.api.runs",
    "mechanism": "attnlab.api.mechanisms",
    "play": "attnlab.api.playing",
    "train": "attnlab.api.training",
    "View": "attnlab.api.viewing",
    "view": "attnlab.api.viewing",
}


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        raise AttributeError(f"module 'attnlab' has no attribute {name!r}; there is {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
