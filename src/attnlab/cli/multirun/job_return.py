"""What Hydra keeps of the jobs of a multirun until the last one has ended."""

from typing import Any

from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig


class Failed(JobReturn):
    """Of a job that failed, and told so itself: whoever asks for what it returned gets the error, and the screen is
    left alone, where Hydra would write its whole command line.
    """

    @property
    def return_value(self) -> Any:
        raise self._return_value

    @return_value.setter
    def return_value(self, value: Any) -> None:
        self._return_value = value


class ScoreOnly(Callback):
    """After a job: of what it returned the score or the error stays, but neither its configuration, which takes
    0.7 MB, nor the frames of the error, which have it, too.
    """

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        job_return.cfg = job_return.hydra_cfg = None
        if isinstance(job_return._return_value, BaseException):  # its property would raise it
            job_return._return_value.__traceback__ = None
            job_return.__class__ = Failed
