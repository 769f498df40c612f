"""The insides of W&B and of Lightning's logger for it.

* ``wandb.run``: of a run whose process was killed it stays, and every later one would be taken for a part of it.
  Jobs that take turns in a process have theirs exchanged (:func:`exchange_run`); W&B's own list of a process's runs
  (``most_recent_active_run``) would give a second job the run of the first, but for ``reinit="create_new"``, which
  leaves ``wandb.run`` alone.
* ``WandbLogger._experiment``, ``_wandb_init`` and ``_id``: the run as far as it has been started, and what it is going
  to be started with: the choice of a mode waits until then, and a run that goes on has the id of the one before.
* ``WANDB_SERVICE``: the process that writes for W&B's client is known to child processes by it. Where that process has
  ended, as of a notebook's kernel or of a sweep's agent that was killed, the client fails instead of starting its own.
* ``Run._log_artifact``: ``Run.use_artifact`` refuses offline, and waits for the upload online; of what has a content of
  its own the record is the same, and ``wandb sync`` knows it.
"""

import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from pytorch_lightning.loggers import WandbLogger


def forget_run(wandb: ModuleType) -> None:
    setattr(wandb, "run", None)  # noqa: B010 (a name of the module, which is known as any module here)


def exchange_run(run: Any) -> Any:
    """Let another run be this process's; the one that was. None is no run."""
    wandb = sys.modules.get("wandb")  # not imported, no run; importing it takes half a second
    if wandb is None:
        return None
    before: Any = wandb.run
    setattr(wandb, "run", run)  # noqa: B010
    return before


def set_up(settings: Any = None) -> Any:
    """``wandb.setup``, with a service of this process's own where the one that the environment names has ended."""
    import wandb
    from wandb.sdk.lib.service.service_token import WandbServiceConnectionError

    try:
        return wandb.setup(settings=settings)
    except WandbServiceConnectionError:
        if os.environ.pop("WANDB_SERVICE", None) is None:
            raise
        return wandb.setup(settings=settings)


def api() -> Any:
    """What asks W&B's server."""
    import wandb

    set_up()
    return wandb.Api(timeout=20)


def log_artifact(run: Any, artifact: Any, aliases: Sequence[str], given: bool) -> None:
    """``run.log_artifact``; of what is given to the run ``run.use_artifact``."""
    run._log_artifact(artifact, aliases=list(aliases), is_user_created=given, use_after_commit=given)


class LateWandbLogger(WandbLogger):
    """Lightning's logger, to be started when all is known that its run is started with."""

    @property
    def started(self) -> Any:
        """W&B's run; None where it has not been started."""
        return self._experiment

    @property
    def settings(self) -> dict[str, Any]:
        """What ``wandb.init`` is given; to be changed before the start."""
        return self._wandb_init

    def be(self, identity: str) -> None:
        """Go on with the run of this id."""
        self._id = self._wandb_init["id"] = identity

    def start(self) -> None:
        import wandb

        beside = wandb.run is None and getattr(set_up(), "most_recent_active_run", None) is not None
        if beside:  # the run of a job whose turn it is not
            self._wandb_init["reinit"] = "create_new"
        self._experiment = WandbLogger.experiment.fget(self)  # type: ignore[attr-defined]
        if beside:
            exchange_run(self._experiment)
