"""Weights & Biases without questions: offline where there is no key or no network, never a crash for it."""

import logging
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lightning_fabric.loggers.logger import rank_zero_experiment
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.utilities import rank_zero_only

from attnlab.atomic import write_text
from attnlab.callbacks.dashboards import first_line, surviving
from attnlab.callbacks.wandb_names import LONGEST_NAME, LONGEST_TAG, check_project, cut, multirun_group
from attnlab.private.wandb import LateWandbLogger
from attnlab.ranges import PathText, Seconds
from attnlab.tasks.records import Table
from attnlab.types import ConfigError

# The content of artifacts (W&B keeps a table as one) waits here to be uploaded; W&B's own place for it is outside
# of the run, and an offline run would lose it when it is moved to another machine.
OUTPUTS = "words.outputs"  #: of the summary: what a task calls what it makes of an item
STAGING = Path("wandb") / "staging"
PLACE = Path("wandb") / "place.txt"  # where the run folder was when W&B was started last

Mode = Literal["online", "offline", "disabled"]


survives = surviving("W&B", "wandb")


class Choice(NamedTuple):
    mode: str
    reason: str  #: why offline, in words for the user


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
        log_model: keep the best checkpoint as an artifact. Offline it is uploaded with the run by ``wandb
            sync``.
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
        self.mode, self.init_timeout = mode, init_timeout
        self.upload_best = log_model
        self._best: ModelCheckpoint | None = None
        self.lost = False

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        if self.started is None:
            self._start()
        return self.started

    @survives
    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        super().log_metrics(metrics, step)

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

    def after_save_checkpoint(self, checkpoint_callback: ModelCheckpoint) -> None:
        self._best = checkpoint_callback

    @survives
    @rank_zero_only
    def finalize(self, status: str) -> None:
        if self.started is not None and self.started.settings.mode != "disabled":
            Path(self.started.settings.sync_file).stat()  # W&B says nothing where its folder has been removed
        if status == "success" and self.upload_best and self._best is not None and self._best.best_model_path:
            self._log_artifact(Path(self._best.best_model_path), self._best)
            self._best = None

    def _log_artifact(self, path: Path, callback: ModelCheckpoint) -> None:
        import wandb

        score = None if callback.best_model_score is None else float(callback.best_model_score)
        about = {"monitor": callback.monitor, "score": score}
        artifact = wandb.Artifact(f"model-{self.experiment.id}", type="model", metadata=about)
        artifact.add_file(str(path.resolve()), name=path.name, policy="immutable")  # no copy
        self.experiment.log_artifact(artifact, aliases=["best"])

    def _start(self) -> None:
        import wandb

        # Warnings and errors of W&B are shown, its chatter is not, and standard output is left alone.
        settings = wandb.Settings(show_info=False, quiet=True, console="off", init_timeout=self.init_timeout)
        logging.getLogger("wandb").propagate = False  # its log is in the files beside the run, tracebacks and all
        forget_staging()  # or W&B warns that the environment has changed
        wandb.setup(settings=settings)
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
        tell(self.started, choice)

    def _init(self, mode: str) -> None:
        self.settings["mode"] = mode
        self.start()


def copied(folder: Path) -> bool:
    """Whether the run that this folder is of is also still where it was."""
    with suppress(OSError, ValueError):  # of an earlier version, or not text
        before = Path((folder / PLACE).read_text("utf-8").strip())
        return before.is_dir() and not before.samefile(folder)
    return False


def of_an_agent(group: str | None) -> dict[str, str | None]:
    """What changes for a run that ``wandb agent`` has started: the sweep is its group, and decides on the rest."""
    sweep = os.environ.get("WANDB_SWEEP_ID")
    return {"group": group or f"sweep-{sweep}", "project": None, "id": None} if sweep else {}


def forget_staging() -> None:
    """Take back the staging folder of an earlier run of this process; one that the user chose stays."""
    if Path(os.environ.get("WANDB_DATA_DIR", "")).parts[-2:] == STAGING.parts:
        del os.environ["WANDB_DATA_DIR"]


def choose_mode(mode: str | None) -> Choice:
    """Where the run goes, found out without a question and without the network.

    Raises:
        ConfigError: online was asked for and there is no key, or the key is none.
    """
    import wandb

    asked = mode or os.environ.get("WANDB_MODE")
    if asked in ("offline", "dryrun"):
        return Choice("offline", "as asked")
    if asked == "disabled":
        return Choice("disabled", "")
    if asked not in (None, "", "online"):
        raise ConfigError(f"WANDB_MODE={asked}: expected online, offline or disabled")
    try:
        if wandb.login(prompt=False, verify=False):
            return Choice("online", "")
    except wandb.errors.AuthenticationError as error:
        raise ConfigError(
            f"W&B cannot use the key that it finds: {first_line(error)}. Set it right (`wandb login --relogin`, "
            "WANDB_API_KEY), or choose logger.wandb.mode=offline (or logger=csv, logger=none)"
        ) from error
    if asked == "online":
        raise ConfigError(
            "W&B is to run online and finds no key. Log in with `wandb login`, set WANDB_API_KEY, "
            "or choose logger.wandb.mode=offline (or logger=csv, logger=none)"
        )
    return Choice("offline", "no key found, see `wandb login`")


def tell(run: Any, choice: Choice) -> None:
    """One line: where the run can be seen."""
    if choice.mode == "online":
        print(f"W&B: {run.url}", file=sys.stderr)
    elif choice.mode == "offline":
        command = f"wandb sync {run.settings.sync_dir}"
        print(f"W&B: offline, {choice.reason}; to upload the run later: {command}", file=sys.stderr)
