"""What Hydra keeps of the jobs of a multirun until the last one has ended."""

from typing import Any

from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from attnlab.private.hydra import error_of, raise_quietly


class ScoreOnly(Callback):
    """After a job: of what it returned the score or the error stays, but neither its configuration, which takes
    0.7 MB, nor the frames of the error, which have it, too.
    """

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        job_return.cfg = job_return.hydra_cfg = None
        if (error := error_of(job_return)) is not None:
            error.__traceback__ = None
            raise_quietly(job_return)
