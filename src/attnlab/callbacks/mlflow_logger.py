"""MLflow, an extra."""

import json
import logging
import math
import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lightning_fabric.loggers.logger import rank_zero_experiment
from pytorch_lightning.loggers import MLFlowLogger as LightningMLFlowLogger
from pytorch_lightning.utilities import rank_zero_only

from attnlab.atomic import write_text
from attnlab.callbacks.dashboards import Nothing, Service, first_line
from attnlab.ranges import PathText, ZeroOrMore
from attnlab.tasks.records import Table
from attnlab.types import ConfigError

RUN = "mlflow.json"  #: in the run folder: which of MLflow's runs it is, so that a resumed training is the same one
NOTE = "mlflow.note.content"  # the tag that MLflow shows as the description

SERVICE = Service("MLflow", "mlflow")
survives = SERVICE.survives


class MlflowLogger(LightningMLFlowLogger):
    """A run of MLflow's for a job: numbers, settings, pictures, samples.

    Args:
        directory: the run directory.
        tracking_uri: of the server or data base; null is MLFLOW_TRACKING_URI, else ``store``.
        store: folder of ``mlflow.db`` and ``mlflow/``, where pictures go, without a server.
        experiment: name of the experiment.
        name: of the run.
        tags: to find the run by; null, where a task has no such part, is none.
        words: likewise, of this run alone.
        notes: what it is about.

    Raises:
        ConfigError: MLflow is not installed.
    """

    def __init__(
        self,
        directory: PathText,
        store: PathText,
        tracking_uri: str | None = None,
        experiment: str = "attnlab",
        name: str | None = None,
        tags: dict[str, str | ZeroOrMore | None] | None = None,
        words: list[str] | None = None,
        notes: str | None = None,
    ) -> None:
        if find_spec("mlflow") is None:
            raise ConfigError(
                "logger=mlflow needs MLflow, which is not installed: "
                "pip install 'attnlab[mlflow]', or choose logger=wandb, tensorboard or csv"
            )
        for chatty in ("alembic", "mlflow.store.db.utils", "pytorch_lightning.loggers.mlflow"):
            logging.getLogger(chatty).setLevel(logging.ERROR)  # they tell how a data base is made, step by step
        local = Path(store).resolve()
        uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI")
        told = {**{key: str(value) for key, value in (tags or {}).items() if value is not None}, NOTE: notes or ""}
        tags_of_run = {key: value for key, value in told.items() if value} | dict.fromkeys(words or [], "yes")
        place = uri or f"sqlite:///{local / 'mlflow.db'}"
        self.directory, self.lost = Path(directory), False
        self.settings: dict[str, Any] = {
            "experiment_name": experiment,
            "run_name": name,
            "tracking_uri": place,
            "artifact_location": None if uri else (local / "mlflow").as_uri(),
            "tags": tags_of_run,
        }
        try:
            super().__init__(**self.settings)
        except Exception as error:  # of its many libraries
            raise ConfigError(
                f"MLflow cannot use {place} ({first_line(error)}); expected a server's address, or a data base, as "
                "in logger.mlflow.tracking_uri=sqlite:///mlflow.db"
            ) from error

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        if self.lost:
            return Nothing()
        with SERVICE.starting(self):
            return LightningMLFlowLogger.experiment.fget(self)  # type: ignore[attr-defined]

    def go_on(self) -> None:
        """Be the run again that an earlier process began in this run folder; a copy of it is a run of its own."""
        path = self.directory / RUN
        if path.is_file() and (there := json.loads(path.read_text("utf-8")))["folder"] == str(self.directory.resolve()):
            super().__init__(**self.settings, run_id=there["run"])

    @survives
    def log_hyperparams(self, params: Mapping[str, Any]) -> None:  # type: ignore[override]
        """Settings; MLflow takes each once, so what a resumed training has otherwise is noted as a tag."""
        self.begin()
        known = self.experiment.get_run(self.run_id).data.params
        super().log_hyperparams({key: value for key, value in params.items() if key not in known})
        for key, value in params.items():
            if key in known and known[key] != str(value)[: len(known[key])]:
                self.experiment.set_tag(self.run_id, f"resumed.{key}", str(value))

    @rank_zero_only
    def begin(self) -> None:
        """Start the run, and note in the run folder which it is."""
        folder = self.directory.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / RUN, json.dumps({"run": self.run_id, "folder": str(folder)}) + "\n")

    @survives
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        super().log_metrics(metrics, step)

    @survives
    def show_picture(self, name: str, path: Path, step: int) -> None:
        """A file beside the run; of what is drawn while training the last state."""
        self.experiment.log_artifact(self.run_id, str(path), str(Path(name).parent))

    @survives
    def show_table(self, name: str, table: Table, step: int) -> None:
        self.experiment.log_text(self.run_id, table.markdown() + "\n", f"{name}.md")

    @survives
    def summarize(self, metrics: Mapping[str, Any]) -> None:
        numbers = {key: float(value) for key, value in metrics.items() if isinstance(value, int | float)}
        super().log_metrics({key: value for key, value in numbers.items() if math.isfinite(value)})
        for key, value in metrics.items():
            if isinstance(value, str):
                self.experiment.set_tag(self.run_id, key, value)

    @survives
    def finalize(self, status: str = "success") -> None:
        super().finalize(status)
