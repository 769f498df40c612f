"""Sample translations of a few validation sentences, as a table in the dashboard."""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import TensorBoardLogger, WandbLogger

from attnlab.callbacks.examples import Examples, collate
from attnlab.ranges import ZeroOrMore
from attnlab.types import Batch

COLUMNS = ["epoch", "step", "sentence", "source", "reference", "hypothesis"]


class SampleTranslations(Callback):
    """Translate the same sentences after each validation, with the task's search for validation.

    Each validation logs a fresh table of all rows so far, newest first: W&B shows the last table logged, and
    so one panel shows how the translations of a sentence develop (sort or group by ``sentence``).

    Args:
        sentences: how many, spread over the lengths of the validation sentences.
        max_rows: the oldest rows beyond these are dropped, so that a long training does not log ever larger
            tables.
    """

    only_watches = True

    def __init__(self, sentences: ZeroOrMore = 8, max_rows: ZeroOrMore = 400) -> None:
        self.max_rows = max_rows
        self.examples = Examples(sentences)
        self.rows: list[list[int | str]] = []

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if self._wanted(trainer):
            self.examples.add(batch)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._wanted(trainer) and self.examples.choose():
            self.rows = [*self.translate(trainer, pl_module), *self.rows][: self.max_rows]
            publish(trainer, self.rows)

    def translate(self, trainer: pl.Trainer, task: Any) -> list[list[int | str]]:
        """One row a sentence, in the order of :data:`COLUMNS`."""
        batch = collate(self.examples.choose(), task.device)
        found = task.validation_search(task.model, batch.source, batch.source_mask)
        rows: list[list[int | str]] = []
        for index, hypotheses in zip(batch.index.tolist(), found, strict=True):
            pair = task.data.text("val", index)
            hypothesis = task.data.target_tokenizer.decode(hypotheses[0].tokens)
            epoch, step = trainer.current_epoch + 1, trainer.global_step
            rows.append([epoch, step, index, pair.source, pair.target, hypothesis])
        return rows

    @staticmethod
    def _wanted(trainer: pl.Trainer) -> bool:
        shown = any(isinstance(logger, WandbLogger | TensorBoardLogger) for logger in trainer.loggers)
        return shown and trainer.is_global_zero and not trainer.sanity_checking


def publish(trainer: pl.Trainer, rows: list[list[int | str]]) -> None:
    for logger in trainer.loggers:
        if isinstance(logger, WandbLogger):
            logger.log_table("val/samples", columns=COLUMNS, data=rows, step=trainer.global_step)
        elif isinstance(logger, TensorBoardLogger):
            logger.experiment.add_text("val/samples", markdown(rows), trainer.global_step)


def markdown(rows: list[list[int | str]]) -> str:
    lines = [COLUMNS, ["---"] * len(COLUMNS)]
    lines += [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
