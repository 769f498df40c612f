"""``-m resume=…``: the rest of a multirun, by its own command line.

``latest`` is the multirun that was started last, of those called ``sweep_name`` or ``sweep`` where the command line
names one, else of all; it can also be named by its date and time, or its folder. What was recorded holds: options,
swept values, sweeper and launcher. A sweep that is typed adds its values to those that are there (``seed=4,5``: two
more jobs for each of the others); another value of what is not swept would make other jobs of all, and is refused.
Where the jobs run and who is told (``hydra.…``, ``logger``, ``paths``) is up to the running command.
"""

import json
import os
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import OmegaConf

from attnlab.atomic import replacing
from attnlab.bounded import read_json, read_yaml
from attnlab.cli.config.command_line import literal
from attnlab.cli.config.compose import REFUSED, Composer
from attnlab.cli.config.overrides import cleaned, line
from attnlab.cli.config.parsing import parse
from attnlab.cli.errors import MistakesError
from attnlab.cli.folders import LATEST, NO_PART_OF_A_JOB, started
from attnlab.cli.multirun.swept import wrong_sweeps
from attnlab.cli.resume_trust import gated, gated_sweep, not_its_own, of_a_multirun, require_own, roots
from attnlab.cli.runs import within
from attnlab.console import visible
from attnlab.errors import DataError
from attnlab.moved import currently
from attnlab.runs.multiruns import COMMAND, HYDRAS


def record(folder: Path, arguments: Namespace) -> None:
    """Keep the command line of a multirun in its folder."""
    said: dict[str, Any] = {"overrides": [text for text in arguments.overrides if not text.startswith("resume=")]}
    if arguments.config_dir:
        said["config_dir"] = str(Path(arguments.config_dir).absolute())
    with replacing(folder / COMMAND) as temporary:
        temporary.write_text(json.dumps(said, indent=2) + "\n", "utf-8")


def recorded(folder: Path) -> list[str] | None:
    """The overrides that a multirun was started with; None where nothing is known of them."""
    try:
        if (folder / COMMAND).is_file():
            return [currently(str(text)) for text in read_json(folder / COMMAND)["overrides"]]
        hydra = read_yaml(folder / HYDRAS)["hydra"]
        found = [*hydra["overrides"]["hydra"], *hydra["overrides"]["task"]]
        return [currently(str(text)) for text in found if not str(text).startswith(("resume=", "hydra.mode="))]
    except (DataError, KeyError, TypeError):
        return None


def recorded_config_dir(folder: Path) -> str | None:
    """The user's own folder of configurations that a multirun was started with, if it is still there."""
    with suppress(DataError, OSError, AttributeError, ValueError):
        found = read_json(folder / COMMAND).get("config_dir") if (folder / COMMAND).is_file() else None
        return found if isinstance(found, str) and Path(found).is_dir() else None
    return None


def recall(compose: Callable[[], Composer], arguments: Namespace, resume: str, given: list[Override]) -> list[str]:
    """Put what goes on with a multirun into ``arguments``; returns the flags that it has of it.

    Args:
        compose: a composer by ``arguments`` as they are then.
        arguments: Hydra's parsed command line.
        resume: which multirun.
        given: the overrides that were typed.

    Raises:
        MistakesError: what was typed would make other jobs of all that are there.
    """
    typed = [item for item in given if item.key_or_group != "resume"]
    arguments.multirun, arguments.overrides = True, [line(item) for item in given]
    with compose() as composer:
        folder = find(composer, resume, typed)
    before = recorded(folder) if folder is not None else None
    if folder is not None:
        within(folder, ".")
    if folder is None or before is None:
        return []  # to be told that it is not there; or one of which nothing is known
    before = [text for text in before if of_a_multirun(text)]
    theirs, ours = recorded_config_dir(folder), (arguments.config_dir, arguments.unsaid)
    if not another(theirs, arguments):
        theirs = None
    if theirs is not None:
        arguments.config_dir, arguments.unsaid = theirs, None
        with compose() as composer:
            config = composed(composer, before, folder)
        arguments.config_dir, arguments.unsaid = ours
        with compose() as composer:
            require_own(config, own(composer, config, [*before, *map(line, typed)], theirs), theirs)
        arguments.config_dir, arguments.unsaid = theirs, None
    with compose() as composer:
        arguments.overrides = going_on(composer, folder, before, typed)
    return [] if theirs is None else ["--config-dir", theirs]


def another(recorded: str | None, arguments: Namespace) -> bool:
    """Whether a recorded folder of configurations is to be taken: none was named, and it is not the user's own."""
    if recorded is None or (arguments.config_dir is not None and arguments.unsaid is None):
        return False
    return arguments.unsaid is None or Path(recorded).resolve() != Path(arguments.unsaid).resolve()


def composed(composer: Composer, overrides: list[str], folder: Path) -> Any:
    try:
        return composer.compose(overrides, RunMode.MULTIRUN)
    except REFUSED as error:
        raise MistakesError([f"resume={folder}: {cleaned(error)}"]) from error


def own(composer: Composer, config: Any, overrides: list[str], folder: str) -> Any:
    """What is up to the running command, with the sweeper and the launcher that are chosen, as long as they are ours.

    Raises:
        MistakesError: they are not.
    """
    chosen = {name: config.hydra.runtime.choices[name] for name in ("hydra/sweeper", "hydra/launcher")}
    lines = [text for text in overrides if roots(text) & {"hydra", "paths"} and text.partition("=")[0] not in chosen]
    try:
        return composer.compose([*(f"{name}={option}" for name, option in chosen.items()), *lines], RunMode.MULTIRUN)
    except REFUSED as error:
        raise MistakesError([not_its_own(" or ".join(chosen), folder)]) from error


def going_on(composer: Composer, folder: Path, before: list[str], typed: list[Override]) -> list[str]:
    """The overrides of the command that goes on with a multirun.

    Raises:
        MistakesError: what was typed would make other jobs of all that are there.
    """
    asked, config = f"resume={folder}", composed(composer, before, folder)
    params = OmegaConf.select(config.hydra, "sweeper.params") or {}
    choices = [item for item in parse(before)[0] if item.is_sweep_override()]
    choices += parse([f"{key}={value}" for key, value in params.items()])[0]
    require_jobs([*choices, *typed], composer, asked)
    gated_sweep(choices, config, typed, asked)
    if moved := gated(config, typed, asked):  # the jobs would have other names
        keys = " ".join(text.lstrip("+").partition("=")[0] + "=…" for text in moved)
        raise MistakesError([f"{asked}: places that its jobs write to are for this command to say; give {keys}"])
    lines, mistakes, told = before, [], []
    for item in typed:
        key = item.key_or_group
        if key.replace("/", ".").partition(".")[0] in NO_PART_OF_A_JOB or key == "sweep":
            told += [] if line(item) in before else [line(item)]
            lines = [*without(lines, key), line(item)]
            continue
        there, swept = values(composer, config, parse(lines)[0], key)
        wanted = listed(composer, item)
        if wanted is None or set(wanted) <= set(there):
            continue
        every = ",".join(dict.fromkeys([*there, *wanted]))
        if swept or item.is_sweep_override():
            lines = [*without(lines, key), f"{key}={every}"]
            told.append(f"{key}: {','.join(there)} -> {every}, jobs are added")
        else:
            mistakes.append(
                f"{line(item)}: the jobs of {folder} have {key}={','.join(there)}, and with another one they would be "
                f"other jobs; leave it out, start a new multirun, or sweep it to add jobs: {key}={every}"
            )
    if mistakes:
        raise MistakesError(mistakes)
    print(visible("\n  ".join([f"goes on with {folder}", *told])), flush=True)
    return [*lines, f"resume={literal(str(folder))}"]


def require_jobs(swept: Sequence[Override], composer: Composer, asked: str) -> None:
    """See that all values of the sweeps can be listed; MistakesError where they cannot."""
    for item in swept:
        item.config_loader = composer.hydra.config_loader
    if wrong := [text for _, text in wrong_sweeps(swept)]:
        raise MistakesError([f"{asked}: {text}" for text in wrong])


def without(lines: Sequence[str], key: str) -> list[str]:
    return [line(item) for item in parse(lines)[0] if item.key_or_group != key]


def values(composer: Composer, config: Any, overrides: list[Override], key: str) -> tuple[list[str], bool]:
    """The values of a key in the jobs of a multirun, and whether it is swept."""
    params = OmegaConf.select(config.hydra, "sweeper.params") or {}
    known = [*parse([f"{name}={value}" for name, value in params.items()])[0], *overrides]
    for item in reversed(known):
        if item.key_or_group == key:
            return listed(composer, item) or [], item.is_sweep_override()
    if key in composer.groups.all:
        return [str(config.hydra.runtime.choices.get(key)).replace("None", "null")], False
    value = OmegaConf.select(config, key)
    (item,) = parse([f"{key}={'null' if value is None else value}"])[0] or [None]
    return (listed(composer, item) or [] if item is not None else []), False


def listed(composer: Composer, item: Override) -> list[str] | None:
    """Its values as they are typed; None for a sweep that is no list."""
    if not item.is_sweep_override():
        return ["" if item.is_delete() else str(item.get_value_element_as_str())]
    if not item.is_discrete_sweep():
        return None
    item.config_loader = composer.hydra.config_loader
    return list(item.sweep_string_iterator())


def find(composer: Composer, resume: str, typed: list[Override]) -> Path | None:
    """The folder of the multirun that ``resume`` names, if there is one."""
    root = Path(os.environ["ATTNLAB_ROOT"])
    if any(item.key_or_group in ("sweep", "sweep_name") for item in typed):
        try:
            lines = [*map(line, typed), f"resume='{resume}'"]
            folder = Path(composer.compose(lines, RunMode.MULTIRUN).hydra.sweep.dir)
        except REFUSED:
            return None
        return folder if folder.is_dir() else None
    named = [path for path in (Path(resume), root / resume) if path.is_dir()] if resume != LATEST else []
    if named:
        return named[0].resolve()
    pattern = "*" if resume == LATEST else resume
    found = [path for path in root.glob(f"sweeps/*/{pattern}") if started(path) and not path.is_symlink()]
    return max(found, key=started).resolve() if found else None
