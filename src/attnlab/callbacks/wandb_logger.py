"""Weights & Biases without questions: offline where there is no key or no network, never a crash for it."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from lightning_fabric.loggers.logger import rank_zero_experiment
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.utilities import rank_zero_only

from attnlab.atomic import write_text
from attnlab.callbacks.archives import Kept, model
from attnlab.callbacks.dashboards import Nothing, Service, first_line
from attnlab.callbacks.wandb_artifacts import artifact
from attnlab.callbacks.wandb_console import Console
from attnlab.callbacks.wandb_names import LONGEST_ALERT, LONGEST_NAME, LONGEST_TAG, check_project, cut, multirun_group
from attnlab.callbacks.wandb_start import (
    PLACE,
    STAGING,
    Choice,
    choose_mode,
    copied,
    forget_staging,
    note_run,
    of_an_agent,
    tell,
)
from attnlab.private.wandb import LateWandbLogger, log_artifact, set_up
from attnlab.ranges import PathText, Seconds
from attnlab.tasks.records import Table

OUTPUTS = "words.outputs"  #: of the summary: what a task calls what it makes of an item

Mode = Literal["online", "offline", "disabled"]


SERVICE = Service("W&B", "wandb")
survives = SERVICE.survives


class WandbLogger(LateWandbLogger):
    """A W&B run for a job.

    The mode is ``mode``, else ``WANDB_MODE``, else online where W&B finds a key and offline where it finds
    none. An online run that cannot start within ``init_timeout`` goes offline. What is said about it is one
    line on standard error.

    Args:
        directory: the run directory; everything of W&B's goes to its folder ``wandb``.
        project: name of the project.
        name: of the run; W&B makes one up for null.
        group: of runs that belong together. An absolute path is the folder of a multirun: its last two parts
            are the group if ``directory`` lies in it, and there is no group otherwise.
        tags: words to find the run by; null, where a task has no such part, is none.
        more_tags: likewise, of this run alone.
        notes: what it is about.
        job_type: what the run does.
        mode: ``online``, ``offline`` or ``disabled``, whatever ``WANDB_MODE`` says.
        init_timeout: seconds to wait for the server before going offline.
        log_model: upload the best checkpoint, in an artifact that ``attnlab.load`` takes; offline ``wandb sync`` does
            that. Else the artifact only says where the files lie and what is in them, by their checksums.
        entity: a user or team; null is what W&B has as the default.
    """

    def __init__(
        self,
        directory: PathText,
        project: str = "attnlab",
        name: str | None = None,
        group: str | None = None,
        tags: list[str | None] | None = None,
        more_tags: list[str] | None = None,
        notes: str | None = None,
        job_type: str = "train",
        mode: Mode | None = None,
        init_timeout: Seconds = 20.0,
        log_model: bool = False,
        entity: str | None = None,
    ) -> None:
        check_project(project)
        group = multirun_group(group, Path(directory))
        words = [*(tags or []), *(more_tags or [])]
        super().__init__(
            name=name and cut(name, LONGEST_NAME),
            save_dir=directory,
            project=project,
            group=group and cut(group, LONGEST_NAME),
            tags=list(dict.fromkeys(cut(tag, LONGEST_TAG) for tag in words if tag and tag.strip())),
            notes=notes,
            job_type=cut(job_type, LONGEST_TAG),
        )
        if entity is not None:
            self.settings["entity"] = entity
        self.mode, self.init_timeout = mode, init_timeout
        self.upload_best = log_model
        self._best: ModelCheckpoint | None = None
        self.lost = False
        self.console = Console(Path(directory))

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        if self.started is None and not self.lost:
            with SERVICE.starting(self):
                self._start()
        return Nothing() if self.started is None else self.started

    @survives
    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        super().log_metrics(metrics, step)
        self.tell_console()

    @survives
    def log_hyperparams(self, params: Any) -> None:
        super().log_hyperparams(params)

    @survives
    def show_picture(self, name: str, path: Path, step: int) -> None:
        self.log_image(name, [str(path)], step=step)

    @survives
    def show_table(self, name: str, table: Table, step: int) -> None:
        self.log_table(name, columns=table.columns, data=table.rows, step=step)

    @survives
    @rank_zero_only
    def show_page(self, name: str, page: str, step: int) -> None:
        import wandb

        self.log_metrics({name: wandb.Html(page, inject=False, data_is_not_path=True)}, step)

    @survives
    @rank_zero_only
    def alert(self, title: str, text: str) -> None:
        """A mail, or a message in Slack, to whoever has asked W&B for it."""
        self.experiment.alert(cut(title, LONGEST_ALERT), text, level="ERROR")

    @survives
    @rank_zero_only
    def keep(self, kept: Kept) -> None:
        """Note what goes into the run, or comes out of it, as an artifact."""
        if self.experiment.settings.mode != "disabled":
            made = artifact(kept, self.experiment.id)
            log_artifact(self.experiment, made, kept.aliases, kept.given)

    @survives
    @rank_zero_only
    def tell_console(self, more: str = "") -> None:
        """Hand on what the console has shown since, for the page of logs."""
        self.console.tell(self.experiment, more)

    @survives
    @rank_zero_only
    def summarize(self, metrics: Mapping[str, Any]) -> None:
        """Note what a table of runs is sorted by."""
        self.experiment.summary.update(dict(metrics))

    def go_on(self) -> None:
        """Be the W&B run again that an earlier process began in this run folder: the same id, not a new run.

        Online W&B adds to that run. Offline there is a new part of it on the disk, and ``wandb sync`` of both
        parts, in their order, gives one run. A copy of a run that is still where it was is a run of its own.
        """
        folder = Path(self.save_dir or ".")
        earlier = sorted((folder / "wandb").glob("*run-*-*"), key=lambda path: path.stat().st_mtime)
        if earlier and not copied(folder):
            self.be(earlier[-1].name.rpartition("-")[2])
            self.console.go_on()

    def after_save_checkpoint(self, checkpoint_callback: ModelCheckpoint) -> None:
        self._best = checkpoint_callback

    @survives
    @rank_zero_only
    def finalize(self, status: str) -> None:
        if self.started is not None and self.started.settings.mode != "disabled":
            Path(self.started.settings.sync_file).stat()  # W&B says nothing where its folder has been removed
        if status == "success" and self._best is not None and self._best.best_model_path:
            best, self._best = self._best, None
            score = None if best.best_model_score is None else float(best.best_model_score)
            kept = model(Path(self.save_dir or "."), Path(best.best_model_path), uploaded=self.upload_best)
            self.keep(kept._replace(about={"monitor": best.monitor, "score": score}))

    def _start(self) -> None:
        import wandb

        # Warnings and errors of W&B are shown, its chatter is not, and standard output is left alone.
        settings = wandb.Settings(show_info=False, quiet=True, console="off", init_timeout=self.init_timeout)
        logging.getLogger("wandb").propagate = False  # its log is in the files beside the run, tracebacks and all
        forget_staging()  # or W&B warns that the environment has changed
        set_up(settings)
        folder = Path(self.save_dir or ".").resolve()
        folder.mkdir(parents=True, exist_ok=True)
        self.settings.update({"dir": str(folder), "settings": settings})
        self.settings.pop("anonymous", None)  # W&B no longer knows it, and says so
        self.settings.update(of_an_agent(self.settings["group"]))
        choice = choose_mode(self.mode)
        try:
            self._init(choice.mode)
        except wandb.errors.Error as error:
            if choice.mode != "online":
                raise
            choice = Choice("offline", f"no connection ({first_line(error)})")
            self._init(choice.mode)
        os.environ.setdefault("WANDB_DATA_DIR", str(folder / STAGING))
        if choice.mode != "disabled":
            write_text(folder / PLACE, f"{folder}\n")
            note_run(folder, self.started)
        tell(self.started, choice)

    def _init(self, mode: str) -> None:
        self.settings["mode"] = mode
        self.start()
