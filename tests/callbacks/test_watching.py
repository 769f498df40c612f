"""Which callbacks only watch is said by their classes, and known to the files of a run."""

from typing import Any

import pytest
from pytorch_lightning import callbacks as lightning

from attnlab.callbacks.run_files import RunFiles
from attnlab.callbacks.watching import LIGHTNING, only_watches
from attnlab.cli.fit import named_callbacks


class Onlooker(lightning.Callback):
    """Written outside of attnlab."""

    only_watches = True


class Meddler(lightning.LearningRateMonitor):
    """Derived from one that watches, and says nothing itself."""


@pytest.mark.parametrize("kind", [*LIGHTNING, Onlooker])
def test_those_that_watch(kind: type) -> None:
    assert only_watches(kind.__new__(kind))  # built or not: what says it is the class


@pytest.mark.parametrize("kind", [Meddler, lightning.Timer, lightning.Callback])
def test_those_that_may_do_more(kind: type) -> None:
    assert not only_watches(kind())


def test_a_run_knows_which_of_its_callbacks_watch(lab: Any) -> None:
    kinds = {
        "onlooker": f"{__name__}.Onlooker",
        "meddler": f"{__name__}.Meddler",
        "rates": "pytorch_lightning.callbacks.LearningRateMonitor",
    }
    added = [f"+callbacks.{name}._target_={target}" for name, target in kinds.items()]
    built = named_callbacks(lab.config("callbacks.progress=null", *added).callbacks)
    (files,) = (item for item in built if isinstance(item, RunFiles))
    names = "attention_maps,history,onlooker,rates,run_files,samples,throughput"
    assert files.metrics["watching"] == names
