"""Hydra's insides.

* ``Hydra``: composing what ``hydra.main`` is going to run, with its search path and flags, before anything is run. The
  public ``compose`` knows neither ``--config-dir`` nor ``hydra.mode``, and checks no sweep.
* ``ConfigRepository``: a file is read once however often it composes (:class:`CachingRepository`); YAML is half of the
  time of a composition. Groups are asked of it directly: the loader's own listing copies it at every call, 10 ms each.
* ``Hydra.run``: what was checked to be a single run is run by the same ``Hydra`` that composed it (:func:`run_alone`),
  which has read its files. ``hydra.main`` makes another one, and composes once more only to see that it is no multirun
  (benchmarks/results/startup.md).
* ``get_args_parser``: the flags, so that a wrong one is told with the nearest right one.
* ``BasicSweeper.split_arguments``: which jobs a multirun has that was interrupted.
* ``Plugins.is_in_toplevel_plugins_module``: launchers come from the package ``hydra_plugins`` alone, and from there
  only as installed; :func:`add_launcher` makes one of ours known.
* ``JobReturn._return_value``: an error that a job ended with. The property would raise it, with a whole command line on
  the screen (:func:`raise_quietly`).
"""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.config_source import ConfigResult
from hydra.plugins.launcher import Launcher
from hydra.types import RunMode
from omegaconf import DictConfig

from attnlab.private.versions import is_known, parts_of

with parts_of("hydra-core", hydra.__version__):
    from hydra._internal.config_loader_impl import ConfigLoaderImpl as ConfigLoaderImpl
    from hydra._internal.config_repository import ConfigRepository
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra._internal.hydra import Hydra as Hydra
    from hydra._internal.utils import create_config_search_path, get_args_parser


class CachingRepository(ConfigRepository):
    """Hydra's repository, which reads a file once.

    What it returns is shared, and Hydra copies it (it keeps the results of one composition in the same way).
    """

    def __init__(self, repository: ConfigRepository) -> None:
        self.sources = list(repository.sources)
        self.results: dict[tuple[str, ...], ConfigResult | None] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> "CachingRepository":
        copied = type(self)(self)  # of its own sources: hydra.searchpath may change them
        copied.results = self.results
        return copied

    def load_config(self, config_path: str) -> ConfigResult | None:
        key = (config_path, *(source.path for source in self.sources))
        if key not in self.results:
            self.results[key] = self.read(config_path)
        result = self.results[key]
        if result is None or ("/" in config_path and result.header.get("package") != "_global_"):
            return result
        # Of the primary config, and of one that stands at the root, Hydra makes no copy: what is merged in stays in it.
        return replace(result, config=deepcopy(result.config))

    def read(self, config_path: str) -> ConfigResult | None:
        return super().load_config(config_path)


def composing(
    name: str, folder: Path, further: Path | None, repository: Callable[[ConfigRepository], CachingRepository]
) -> Hydra:
    """What composes; it is Hydra's global instance until that is cleared.

    Args:
        name: of the primary config.
        folder: where it lies.
        further: a folder to look into, besides.
        repository: reads the files in the place of Hydra's own.
    """
    path = create_config_search_path(str(folder))
    if further is not None:
        path.prepend(
            "command-line", f"file://{further}", SearchPathQuery("schema", None)
        )  # where Hydra has it: behind ours
    found = Hydra.create_main_hydra2(task_name=name, config_search_path=path)
    found.config_loader.repository = repository(found.config_loader.repository)
    return found


@contextmanager
def set_aside() -> Iterator[None]:
    """Within, something else can be composed while Hydra runs a command, which has its global state back afterwards."""
    running, cfg = GlobalHydra.instance().hydra, HydraConfig.instance().cfg
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra, HydraConfig.instance().cfg = running, cfg


def composed(composer: Hydra, name: str, overrides: Sequence[str], mode: RunMode) -> DictConfig:
    """One config, with Hydra's own node; values that are swept over are refused of a single run."""
    config: DictConfig = composer.compose_config(
        config_name=name,
        overrides=list(overrides),
        run_mode=mode,
        with_log_configuration=False,
        validate_sweep_overrides=mode is RunMode.RUN,
    )
    return config


def flags_parser() -> ArgumentParser:
    """Hydra's flags; what is no flag is an override."""
    parser: ArgumentParser = get_args_parser()
    return parser


def flag_names(parser: ArgumentParser) -> list[str]:
    return [name for action in parser._actions for name in action.option_strings]


def run_alone(composer: Hydra, name: str, job: Callable[[DictConfig], Any], overrides: Sequence[str]) -> None:
    """Run a job once, as ``hydra.main`` does it with what it finds to be no multirun.

    Args:
        composer: what :func:`composing` has returned.
        name: of the primary config.
        job: gets the config.
        overrides: of the command line.
    """
    GlobalHydra.instance().initialize(composer)
    try:
        composer.run(config_name=name, task_function=job, overrides=[*overrides, "hydra.mode=RUN"])
    finally:
        GlobalHydra.instance().clear()


def jobs_of(overrides: Sequence[Override]) -> list[Sequence[str]]:
    """The overrides of each job that Hydra's own sweeper makes of a command line."""
    jobs: list[Sequence[str]] = BasicSweeper.split_arguments(list(overrides), None)[0]
    return jobs


def add_launcher(kind: type[Launcher]) -> None:
    """Let a class of ours be a launcher."""
    Plugins.instance().register(kind)
    if is_known("hydra-core", hydra.__version__) and not Plugins.is_in_toplevel_plugins_module(name_of(kind)):
        before = Plugins.is_in_toplevel_plugins_module
        Plugins.is_in_toplevel_plugins_module = staticmethod(lambda name: before(name) or name == name_of(kind))


def name_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__name__}"


def error_of(job_return: JobReturn) -> BaseException | None:
    """What a job ended with, where that was an error."""
    returned = job_return._return_value
    return returned if isinstance(returned, BaseException) else None


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


def raise_quietly(job_return: JobReturn) -> None:
    """Let a job that failed raise its error and write nothing."""
    if is_known("hydra-core", hydra.__version__):
        job_return.__class__ = Failed
