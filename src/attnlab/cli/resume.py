"""``resume=…``: a recorded command line in the place of the one that was typed, with what was typed on top of it.

``resume=<run folder>`` goes on with a run in its folder, ``resume=latest`` with the run in outputs/ that was at work
last, ``ckpt_path=<run folder>`` from its last checkpoint in a new folder. Everything is as it was recorded but for
``paths``, which are those of the running command. With -m the same of a multirun, by
:mod:`attnlab.cli.multirun.resume_multirun`.
"""

import sys
from argparse import Namespace
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hydra.core.override_parser.types import Override
from omegaconf import OmegaConf

from attnlab.bounded import read_yaml
from attnlab.cli import trust
from attnlab.cli.config.command_line import literal
from attnlab.cli.config.compose import REFUSED, Composer
from attnlab.cli.config.kinds import declared
from attnlab.cli.config.overrides import cleaned, line
from attnlab.cli.config.parsing import parse
from attnlab.cli.errors import MistakesError
from attnlab.cli.multirun.resumable import LAST, of_a_single_run
from attnlab.cli.multirun.resume_multirun import another, recall
from attnlab.cli.resume_changes import Change, differing, leaves, pinned, refusals, said
from attnlab.cli.resume_trust import gated, kept, require_own, roots
from attnlab.cli.runs import find, within
from attnlab.console import visible
from attnlab.errors import DataError
from attnlab.moved import currently
from attnlab.runs.ending import FINISHED

if TYPE_CHECKING:
    from attnlab.cli.app import Command

KEYS = ("resume", "ckpt_path")
PROLONGS = ("trainer.max_epochs", "trainer.max_steps", "trainer.max_time", "callbacks.early_stopping")


class Recorded(NamedTuple):
    """What a run folder says of how the run was started."""

    folder: Path
    config: dict[str, Any]  #: composed, its references as they were written
    choices: dict[str, Any]  #: the chosen option of each group
    overrides: list[str]  #: of the command line, without those of a multirun and of an earlier resume
    config_dir: str | None  #: the user's own folder of configurations, if it is still there


def go_on(command: "Command", arguments: Namespace) -> None:
    """Put the recorded command line into ``arguments`` and ``sys.argv`` where the one that was typed asks for it.

    Raises:
        MistakesError: there is nothing to go on with, or not with these settings.
        SystemExit: the run is finished, and not to be prolonged.
    """
    given = parse(arguments.overrides)[0]
    asked = {item.key_or_group: item.value() for item in given if item.key_or_group in KEYS}
    typed = list(arguments.overrides)
    if not any(value is not None for value in asked.values()) or len(given) != len(typed):
        return
    sweep = any(item.key_or_group == "sweep" and item.value() is not None for item in given)
    folder = None if arguments.multirun or sweep else folder_of(asked)
    if folder is not None and asked.get("resume") is not None:  # it goes on there
        within(folder, ".")
    run = None if folder is None else read(folder)
    added, own = [], None
    if run is not None and another(run.config_dir, arguments):
        with Composer(command.name, arguments, command.options) as composer:
            own = composer.compose([line(item) for item in given if roots(item.key_or_group) & {"hydra", "paths"}])
        arguments.config_dir, arguments.unsaid, added = run.config_dir, None, ["--config-dir", str(run.config_dir)]
    if run is not None:
        with Composer(command.name, arguments, command.options) as composer:
            arguments.overrides = whole(composer, run, given, asked.get("resume") is not None, own)
    elif asked.get("resume") is not None:
        compose = partial(Composer, command.name, arguments, command.options)
        added = recall(compose, arguments, str(asked["resume"]), given)
    if arguments.overrides != typed:
        flags = [text for text in sys.argv[1:] if text not in (*typed, "-m", "--multirun")]
        sys.argv[1:] = [*flags, *added, *(["-m"] if arguments.multirun else []), *arguments.overrides]


def folder_of(asked: dict[str, Any]) -> Path | None:
    """The run folder that ``resume`` names, or ``ckpt_path`` (a run folder, or a checkpoint in one); else None."""
    if asked.get("resume") is not None:
        return find(str(asked["resume"]), "resume").resolve()
    path = asked.get("ckpt_path")
    if path is None:
        return None
    places = (Path(str(path)), *Path(str(path)).absolute().parents[:2])
    return next((place.resolve() for place in places if (place / trust.CONFIG).is_file()), None)


def read(folder: Path) -> Recorded:
    """Read what Hydra has recorded.

    Raises:
        MistakesError: it is not whole.
    """
    config = trust.read(folder)
    try:
        hydra: Any = read_yaml((folder / trust.CONFIG).with_name("hydra.yaml"))["hydra"]
        choices = {name: option for name, option in hydra["runtime"]["choices"].items() if "hydra/" not in name}
        overrides = of_a_single_run(
            [*map(currently, hydra["overrides"]["task"])]
        )  # where it ran is up to the running command
        sources = [item["path"] for item in hydra["runtime"]["config_sources"] if item["provider"] == "command-line"]
    except (DataError, OSError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise MistakesError([f"resume={folder}: its .hydra does not say how it was started: {reason}"]) from error
    there = [path for path in sources if Path(path).is_dir()]
    return Recorded(folder, config, choices, kept(overrides), there[0] if there else None)


def whole(composer: Composer, run: Recorded, given: list[Override], here: bool, own: Any) -> list[str]:
    """The overrides of the command that goes on with a run; ``own`` is composed without the recorded folder."""
    added = [item for item in given if item.key_or_group not in KEYS]
    asked = f"{'resume' if here else 'ckpt_path'}={run.folder}"
    try:
        now = leaves(OmegaConf.to_container(composer.compose(run.overrides)))
        before = {**now, **leaves(run.config)}
        base = [*run.overrides, *pinned(before, now)]
        lines, composed = merged(composer, parse(base)[0], added)
    except REFUSED as error:
        why = refusals(options(composer, run, added), composer.groups.all)  # of which what is wrong may only follow
        raise MistakesError([f"{asked}: {why or cleaned(error)}"]) from error
    if own is not None:
        require_own(composed, own, str(run.config_dir))
    if moved := gated(composed, added, asked):
        lines, composed = merged(composer, parse([*base, *moved])[0], added)
    choices = {str(name): option for name, option in composed.hydra.runtime.choices.items()}
    after = leaves(OmegaConf.to_container(composed))
    found = list(differing(before, after, run.choices, choices))
    if wrong := refusals(found, choices):
        raise MistakesError([f"{asked}: {wrong}"])
    elsewhere = not here or any(item.key_or_group == "hydra.run.dir" for item in added)
    prolonged = any(before.get(key) != after.get(key) for key in {*before, *after} if key.startswith(PROLONGS))
    if not elsewhere and (run.folder / FINISHED).is_file() and not prolonged:
        longer = declared(str(OmegaConf.select(composed, "model._target_")), "fitted_at_once") is not True
        print(f"finished before: {run.folder}" + "\nto prolong it: trainer.max_epochs=<more than before>" * longer)
        sys.exit(0)
    print(visible("\n  ".join([f"goes on with {run.folder}", *said(found)])), flush=True)
    return [*lines, *places(run.folder, given, here, elsewhere)]


def options(composer: Composer, run: Recorded, added: list[Override]) -> Iterator[Change]:
    """The options that are typed in the place of recorded ones."""
    for item in added:
        key, option = item.key_or_group, item.value()
        if key in composer.groups.all and not item.is_delete() and option != run.choices.get(key):
            yield Change(key, run.choices.get(key), option)


def places(folder: Path, given: list[Override], here: bool, elsewhere: bool) -> list[str]:
    """Where the run goes on, and from which checkpoint; from its beginning where it has none yet."""
    last = folder / LAST
    asked = next((line(item) for item in given if item.key_or_group == "ckpt_path" and item.value() is not None), None)
    found = []
    if not here and asked is not None:
        found.append(asked)
    elif last.is_file():
        found.append(f"ckpt_path={literal(str(last))}")
    if here:
        found.append(f"resume={literal(str(folder))}")
    if not elsewhere:
        found.append(f"hydra.run.dir={literal(str(folder))}")
    return ["hydra.mode=RUN", *found]


def merged(composer: Composer, base: list[Override], added: list[Override]) -> tuple[list[str], Any]:
    """What was typed on top of what was recorded; where another option of a group is chosen, settings of the recorded
    one that the other does not have are left out.
    """
    keys = {item.key_or_group for item in added}
    kept = [item for item in base if item.key_or_group not in keys]
    new = {item.key_or_group for item in base if item.is_add() or item.is_force_add()}  # not in conf/
    top = [f"++{line(item).lstrip('+')}" if item.key_or_group in new and not item.is_delete() else line(item)
           for item in added if not (item.is_delete() and item.key_or_group in new)]  # fmt: skip
    lines = [*map(line, kept), *top]
    chosen = tuple(f"{key.replace('/', '.')}." for key in keys if key in composer.groups.all)
    try:
        return lines, composer.compose(lines)
    except REFUSED:
        if not chosen:
            raise
        lines = [*(line(item) for item in kept if not item.key_or_group.startswith(chosen)), *top]
        return lines, composer.compose(lines)
