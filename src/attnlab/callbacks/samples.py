"""What a model makes of a few validation items, and of what it is tested on, as tables in the dashboard."""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from attnlab.callbacks.dashboards import dashboards
from attnlab.callbacks.examples import examples
from attnlab.ranges import ZeroOrMore
from attnlab.tasks.base import task_of
from attnlab.tasks.records import Table


class Samples(Callback):
    """Show the same items after each validation, as the task would have them read.

    Of a translation these are translations, by the search for validation.

    Each validation logs a fresh table of all rows so far, newest first: W&B shows the last table logged, and
    so one panel shows how the translations of a sentence develop (sort or group by ``sentence``).

    A test logs a table of the first items of every tested split.

    Args:
        sentences: how many items, spread over the lengths of the validation split.
        max_rows: the oldest rows beyond these are dropped, so that a long training does not log ever larger
            tables; of a tested split so many items are shown.
    """

    only_watches = True

    def __init__(self, sentences: ZeroOrMore = 8, max_rows: ZeroOrMore = 400) -> None:
        self.sentences, self.max_rows = sentences, max_rows
        self.rows: list[list[Any]] = []

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not self._wanted(trainer):
            return
        task = task_of(pl_module)
        batch = examples(task, self.sentences)
        found = None if batch is None else task.samples(batch)
        if found is not None:
            now = [trainer.current_epoch + 1, trainer.global_step]
            self.rows = [*([*now, *row] for row in found.rows), *self.rows][: self.max_rows]
            publish(trainer, "val", Table(["epoch", "step", *found.columns], self.rows))

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not self._wanted(trainer):
            return
        task = task_of(pl_module)
        for split, records in task.test_records.items():
            found = task.table(records[: self.max_rows])
            if found is not None and found.rows:
                publish(trainer, split, found)

    @staticmethod
    def _wanted(trainer: pl.Trainer) -> bool:
        return any(dashboards(trainer)) and trainer.is_global_zero and not trainer.sanity_checking


def publish(trainer: pl.Trainer, split: str, table: Table) -> None:
    for dashboard in dashboards(trainer):
        dashboard.show_table(f"{split}/samples", table, trainer.global_step)
