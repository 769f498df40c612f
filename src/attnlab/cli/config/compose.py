"""Compose the jobs that a command line asks for, before anything is built, and collect every mistake."""

from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException, HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from attnlab.cli import folders, project
from attnlab.cli.config.belonging import strangers
from attnlab.cli.config.check import check
from attnlab.cli.config.conflicts import conflicts
from attnlab.cli.config.consequences import with_a_way_out
from attnlab.cli.config.expansion import check_expansion
from attnlab.cli.config.helping import columns, groups, settings
from attnlab.cli.config.keys import wrong_keys
from attnlab.cli.config.overrides import Groups, cleaned, line, misspelt, plain, wrong_choices
from attnlab.cli.config.parsing import parse
from attnlab.cli.config.places import first_missing
from attnlab.cli.config.repository import YamlFiles
from attnlab.cli.config.unused import idle
from attnlab.cli.config.vain import unread, vain
from attnlab.cli.errors import MistakesError, nearest, user_error
from attnlab.cli.multirun.combinations import MOST, combinations
from attnlab.cli.multirun.naming import apart, label
from attnlab.cli.multirun.plan import Plan, plan_of
from attnlab.cli.multirun.swept import values, wrong_sweeps
from attnlab.cli.trials import trial
from attnlab.data.progress import bar
from attnlab.errors import ConfigError
from attnlab.private.hydra import composed, composing

LOCAL = "local/default"  # settings of one machine
# Of Hydra, and what it lets through: values that refer to nothing, defaults in a circle, overrides it cannot use.
REFUSED = (HydraException, OmegaConfBaseException, RecursionError, ValueError)


class Composer:
    """Hydra's own composition, with the search path and the flags of the run that follows.

    Args:
        name: of the primary config.
        arguments: Hydra's parsed command line.
        options: a TypedDict, the schema of the plain values at the root.
    """

    def __init__(self, name: str, arguments: Namespace, options: type) -> None:
        self.name = arguments.config_name or name
        self.arguments, self.options = arguments, options
        self.mistakes: dict[str, None] = {}  # a set that keeps the order
        self.to_come: list[tuple[list[str], DictConfig]] = []  # the jobs of a multirun
        self.unread: dict[str, str] = {}  # what jobs do not read of the command line, and why
        self.read: set[str] = set()  # and what they do
        self.plan = Plan()  # of a multirun

    def __enter__(self) -> "Composer":
        folder = Path(self.arguments.config_path or project.configuration()).absolute()
        self.require_folders(folder)
        further = Path(self.arguments.config_dir).absolute() if self.arguments.config_dir else None
        self.hydra = composing(self.name, folder, further, YamlFiles)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        HydraConfig.instance().cfg = None  # type: ignore[assignment]
        GlobalHydra.instance().clear()

    def require_folders(self, folder: Path) -> None:
        """See that the folders and the file are there that flags name.

        Raises:
            MistakesError: one is not.
        """
        if self.arguments.config_dir and not Path(self.arguments.config_dir).is_dir():
            raise MistakesError([f"--config-dir {self.arguments.config_dir}: there is no such folder"])
        names = [path.stem for path in folder.glob("*.yaml")]
        if self.arguments.config_name and not self.arguments.config_dir and self.name not in names:
            raise MistakesError([f"--config-name {self.name}: there is no such file; {nearest(self.name, names)}"])

    @cached_property
    def groups(self) -> Groups:
        return Groups(self.hydra.config_loader, self.name)

    def compose(self, overrides: Sequence[str], mode: RunMode = RunMode.RUN) -> DictConfig:
        """Compose one config with Hydra's node, and make its interpolations resolvable."""
        try:
            config = composed(self.hydra, self.name, overrides, mode)
        except (AttributeError, AssertionError) as error:  # of OmegaConf, which merges no mapping into a null one
            raise ConfigCompositionException(f"a mapping cannot be merged ({error})") from error
        check_expansion(config)
        with open_dict(config):
            config.hydra.runtime.output_dir = "."  # known only when the run has its folder
        HydraConfig.instance().set_config(config)
        return config

    def check(self) -> DictConfig | None:
        """Check every job; return the config of a single run, None for a multirun.

        Raises:
            MistakesError: everything that is wrong.
        """
        overrides, wrong = parse(self.arguments.overrides)
        self.mistakes.update(dict.fromkeys(wrong))
        config = None
        if not self.arguments.multirun:
            config = self.check_job([str(item.input_line) for item in overrides])
        if self.arguments.multirun or (config is not None and config.hydra.mode is RunMode.MULTIRUN):
            config, jobs = None, self.jobs(overrides)
            with bar("jobs checked", len(jobs)) as shown:
                self.to_come = [(job, found) for job in shown.over(jobs) if (found := self.check_job(job)) is not None]
        elif config is not None and config.get("compare_after"):
            self.mistakes["compare_after=true: one run has nothing to be compared with; a multirun has, with -m"] = None
        told = {text.partition(":")[0] for text in self.mistakes}
        unread = (
            (text.lstrip("+").partition("=")[0], why) for text, why in self.unread.items() if text not in self.read
        )
        self.mistakes.update((why, None) for key, why in unread if key not in told)
        if self.mistakes:
            raise MistakesError(list(self.mistakes))
        return config

    def rehearse(self, look: Callable[[DictConfig], None]) -> None:
        """Take a look at every job of the multirun that :meth:`check` has found to be well-formed.

        Raises:
            MistakesError: what would end jobs when they start, each with the first of them.
        """
        failures: dict[str, list[str]] = {}
        with bar("jobs rehearsed", len(self.to_come)) as shown:
            for job, config in shown.over(self.to_come):
                HydraConfig.instance().set_config(config)
                try:
                    look(config)
                except Exception as error:
                    if (known := user_error(error)) is None:
                        raise
                    for line in getattr(known, "messages", None) or [str(known)]:
                        failures.setdefault(line, []).append(label(apart(job, self.plan.varying)))
        if failures:
            total = len(self.to_come)
            raise MistakesError([f"{line} (of {of_jobs(jobs, total)})" for line, jobs in failures.items()])

    def jobs(self, overrides: list[Override]) -> list[list[str]]:
        """Overrides of the jobs of a multirun."""
        try:
            config = self.compose([str(item.input_line) for item in overrides], RunMode.MULTIRUN)
            hydra = config.hydra
            found = OmegaConf.select(hydra, "sweeper.params") or {}
            lists_only = str(OmegaConf.select(hydra, "sweeper._target_")).endswith(".BasicSweeper")
        except REFUSED:  # to be told by the check of the jobs
            config, found, lists_only = None, {}, False
        everything = [*parse([f"{key}={value}" for key, value in found.items()])[0], *overrides]
        choices: dict[str, list[str]] = {}
        for override in everything:
            override.config_loader = self.hydra.config_loader
        wrong = list(wrong_sweeps(everything, lists_only))
        self.mistakes.update(dict.fromkeys(text for _, text in wrong))
        most = MOST if all(override is not None for override, _ in wrong) else 1  # of too many jobs one is looked at
        for override in (item for item in everything if all(item is not other for other, _ in wrong)):
            if not override.is_sweep_override():
                choices[override.get_key_element()] = [str(override.input_line)]
            elif override.is_discrete_sweep():
                key = override.get_key_element()
                choices[key] = [f"{key}={value}" for value in values(override, most)]
        if not wrong and config is not None:
            self.plan = plan_of(everything, config)
        return combinations(choices)

    def check_job(self, overrides: list[str]) -> DictConfig | None:
        config = self.repaired(overrides)
        if config is not None:
            self.note(parse(overrides)[0], vain(parse(overrides)[0], config, self.groups))
            with open_dict(config):
                hydra = config.pop("hydra")
            self.mistakes.update(dict.fromkeys(self.wrong(overrides, config, hydra)))
            with open_dict(config):
                config.hydra = hydra
        return config

    def wrong(self, overrides: list[str], config: DictConfig, hydra: DictConfig) -> list[str]:
        """The mistakes of a composed job; what only follows from a model that the task does not take is left out."""
        parsed, choices = parse(overrides)[0], hydra.runtime.choices
        told = list(as_far_as_it_goes(check(config, HydraConfig.get(), self.options, self.groups.all)))
        told = [self.with_its_file(with_a_way_out(text, keys_of(parsed)), parsed) for text in told]
        places = {text.partition(":")[0].rpartition(".")[2] for text in told}
        told += [text for text in idle(config, choices) if text.partition("=")[0] not in places]
        if strange := strangers(config, choices, self.groups):
            typed = tuple(
                f"{item.key_or_group}{mark}" for item in parsed for mark in ":=." if item.key_or_group not in strange
            )
            return [*strange.values(), *(text for text in told if text.startswith(typed))]
        self.unread |= (ignored := unread(parsed, config))
        self.read |= {line(item) for item in parsed} - ignored.keys()
        return told or [*monitored(config, hydra), *conflicts(config, choices)]

    def with_its_file(self, text: str, overrides: list[Override]) -> str:
        """A mistake that nobody has typed but that stands in the settings of this machine, with their file."""
        key = text.partition(":")[0]
        typed = any(item.key_or_group in (key, key.partition(".")[0]) for item in overrides)
        found = None if typed else self.groups.repository.load_config(LOCAL)
        there = found is not None and first_missing(found.config, key) is None  # type: ignore[arg-type]
        return f"{text} ({LOCAL}.yaml, in conf/)" if there else text

    def repaired(self, overrides: list[str]) -> DictConfig | None:
        """Compose; what Hydra refuses is noted and left out, so that the rest can be checked too."""
        before, parsed = len(self.mistakes), parse(overrides)[0]
        further = any(item.key_or_group == "hydra.searchpath" for item in parsed)
        early = [item for item in parsed if not plain(item) or (not further and misspelt(item, self.groups))]
        parsed = self.note(parsed, wrong_choices(early, self.groups))
        try:
            return self.compose([str(item.input_line) for item in parsed])
        except REFUSED as error:
            good = self.note(parsed, wrong_choices(parsed, self.groups))
            try:
                picked = [item for item in good if self.groups.chooses(item)]
                choices = self.compose([str(item.input_line) for item in picked])
                good = self.note(good, wrong_keys(good, choices, self.groups))
                return choices if good == picked else self.compose([str(item.input_line) for item in good])
            except REFUSED as second:
                if len(self.mistakes) == before:
                    self.mistakes[cleaned(error)] = None
                elif str(second) != str(error):
                    self.mistakes[cleaned(second)] = None
        return None

    def note(self, overrides: list[Override], wrong: dict[str, str]) -> list[Override]:
        """Keep the mistakes, by override, and return the overrides without them."""
        self.mistakes.update(dict.fromkeys(wrong.values()))
        return [override for override in overrides if override.input_line not in wrong]

    def reserve(self, config: DictConfig | None) -> Path:
        """Take a folder for the run (or the multirun) that no other job started in this second has taken.

        Args:
            config: of a run; None for a multirun.

        Returns:
            The folder.

        Raises:
            MistakesError: the multirun to go on with is not there.
        """
        if config is not None:
            return folders.reserve(lambda: Path(config.hydra.run.dir))
        multirun = self.compose(self.arguments.overrides, RunMode.MULTIRUN)
        if "sweep_name" not in multirun:  # of a command whose multiruns are no results of their own
            return folders.reserve(lambda: Path(multirun.hydra.sweep.dir))
        sweeps = Path(multirun.paths.root, "sweeps", multirun.sweep_name)
        folders.check_resume(multirun.resume, sweeps, Path(multirun.hydra.sweep.dir))
        folder = folders.reserve(lambda: Path(multirun.hydra.sweep.dir))
        folders.link_latest(sweeps, folder, trial(multirun.trainer) is not None)
        return folder

    def listing(self) -> str:
        """The settings of the command, and the groups that it chooses from, with their options."""
        file = Path(self.arguments.config_path or project.configuration()) / f"{self.name}.yaml"
        return "\n".join(filter(None, [settings(file, columns()), groups(self.groups, columns())]))


def keys_of(overrides: Sequence[Override]) -> set[str]:
    return {item.key_or_group for item in overrides}


def of_jobs(jobs: Sequence[str], total: int) -> str:
    """Which jobs a mistake is of, out of those that were looked at: by what sets the first one apart, or all."""
    if len(jobs) == total > 1:
        return "all jobs"
    return f"the job {jobs[0]}" + " and others" * (len(jobs) > 1)


def monitored(config: DictConfig, hydra: DictConfig) -> Iterator[str]:
    """Messages for what is monitored; with other mistakes nobody gets that far, and the quantities are not imported."""
    from attnlab.cli.config.monitors import monitors

    return monitors(config, hydra)


def as_far_as_it_goes(told: Iterator[str]) -> Iterator[str]:
    """Messages, and last that a file could not be read that the check needs."""
    try:
        yield from told
    except ConfigError as error:
        yield str(error)
