"""Lightning's fit loop, mended where a resumed training would part from one that was never stopped.

What is mended (Lightning 2.6; ``tests/callbacks/test_exact_resume.py`` notices when it is mended there), with
``_FitLoop``, ``_Loop`` and their ``_restarting``:

* With ``max_steps`` a checkpoint of the end of an epoch counts as one within it: the end of that epoch is gone
  through again, epochs are counted twice, and the data of one are skipped.
* At the end of the epoch in which training was resumed, plateau schedules are not shown their reading.
"""

from typing import Any

import pytorch_lightning as pl

from attnlab.private.versions import is_known, parts_of

VERSION: str = pl.__version__  # type: ignore[attr-defined]
with parts_of("pytorch-lightning", VERSION):
    from pytorch_lightning.loops.fit_loop import _FitLoop
    from pytorch_lightning.loops.loop import _Loop


class ExactFitLoop(_FitLoop):
    """A fit loop that is restarting as long as it is in an epoch that a checkpoint left half-done, and no longer."""

    @property
    def restarting(self) -> bool:
        return self._restarting

    @restarting.setter
    def restarting(self, restarting: bool) -> None:
        progress: Any = self.epoch_progress.current
        unfinished = not progress.ready == progress.started == progress.processed
        _Loop.restarting.fset(self, restarting and unfinished)  # type: ignore[attr-defined]

    def on_advance_end(self) -> None:
        self._restarting = False  # what was left half-done is done
        super().on_advance_end()


def mend(trainer: pl.Trainer) -> None:
    """Let a trainer have this loop, before a checkpoint is loaded into it."""
    if type(trainer.fit_loop) is _FitLoop and is_known("pytorch-lightning", VERSION):
        trainer.fit_loop.__class__ = ExactFitLoop
