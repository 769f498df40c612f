"""What is taken over of a recorded command line: a run, or a multirun, may be somebody else's."""

import re
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override, QuotedString, Transformer
from omegaconf import OmegaConf

from attnlab.cli.config.overrides import line
from attnlab.cli.errors import MistakesError
from attnlab.cli.gate import GIVEN, Gate
from attnlab.cli.resume_changes import FREE, leaves, pinned
from attnlab.cli.trust import SOFT, trusted
from attnlab.console import visible

OF_THE_COMMAND = ("hydra", "paths", "trust", "resume", "ckpt_path")  # never of a recording: they write and execute
OF_HYDRA = ("hydra.sweeper", "hydra.launcher")  # of a multirun; the rest is up to the running command
BUILDS = "_target_"
WORDS = re.compile(r"[\w.,:+-]*")  # numbers and names, no path and no command
PLACES = ("folder", "python", "storage")  # in names of such settings
# Of Hydra's node, what writes, imports or tells something.
AT_WORK = ("callbacks", "job_logging", "hydra_logging", "output_subdir", "searchpath", "run", "sweep", "job.chdir",
           "job.env_set", "job.env_copy")  # fmt: skip


def gated(config: Any, typed: list[Override], asked: str) -> list[str]:
    """Overrides for what is not taken over: the run may be somebody else's (:mod:`attnlab.cli.gate`).

    Raises:
        MistakesError: it would build what is not trusted, or refers to what is none of its business.
    """
    plain: Any = OmegaConf.to_container(config)
    parts = {str(name): node for name, node in plain.items() if name not in FREE}
    gate = Gate(
        trusted([line(item) for item in typed]), {*parts, *SOFT, "paths"}, {item.key_or_group for item in typed}
    )
    taken = leaves({name: gate.take(node, (name,)) for name, node in parts.items()})
    if gate.mistakes:
        raise MistakesError([f"{asked}: {text}" for text in gate.mistakes])
    for text in gate.moved:
        print(visible(text), file=sys.stderr)
    return pinned({key: value for key, value in taken.items() if value != GIVEN}, leaves(parts))


def roots(override: str) -> set[str]:
    """The top-level keys that an override, or the key of one, sets: also ``group@package=option``."""
    key = override.partition("=")[0].lstrip("+~")
    return {re.split("[./]", part.strip().lstrip("/"))[0] for part in re.split("[@:]", key)}


def kept(overrides: Iterable[str]) -> list[str]:
    """Of a recorded run, without what is up to the running command; paths that are on this machine are named."""
    found = []
    for text in overrides:
        key, _, value = text.lstrip("+~").partition("=")
        if roots(text).isdisjoint(OF_THE_COMMAND):
            found.append(text)
        elif key.startswith("paths.") and Path(value.strip("'\"")).exists():
            told = f"{key}={value} of the run is not taken over; give {key}=… to change it"
            print(visible(told), file=sys.stderr)
    return found


def require_own(config: Any, own: Any, folder: str) -> None:
    """See that a recorded folder of configurations leaves alone what is up to the running command.

    Args:
        config: composed with it, of a run or of a multirun.
        own: composed without it.
        folder: its path.

    Raises:
        MistakesError: it does not.
    """
    for key in (*(f"hydra.{name}" for name in AT_WORK), *OF_HYDRA, "paths"):
        given, expected = (written(node, key) for node in (config, own))
        brought = [name for name in given if key in OF_HYDRA and of_a_multirun(f"{name}={given[name]}")]
        if any(name not in brought and given.get(name) != expected.get(name) for name in {*given, *expected}):
            raise MistakesError([not_its_own(key, folder)])


def written(config: Any, key: str) -> dict[str, Any]:
    """The settings from a key on, as they are written: what they refer to is another matter."""
    node = OmegaConf.select(config, key)
    return leaves(OmegaConf.to_container(node) if OmegaConf.is_config(node) else node, key)


def not_its_own(key: str, folder: str) -> str:
    return (
        f"the configurations in {folder}, of the run, set {key}, which is up to the command that runs; if you know who "
        f"made them, name them yourself: --config-dir {folder}"
    )


def of_a_multirun(override: str) -> bool:
    """Whether an override of a recorded multirun is taken over: of Hydra's own, the choice of sweeper and launcher and
    their numbers and names; no commands, and no places to write to.
    """
    key, _, value = override.lstrip("+~").partition("=")
    name = key.replace("/", ".")
    if "paths" in roots(override) or roots(override).isdisjoint(OF_THE_COMMAND):
        return bool(kept([override]))
    if "@" in key or not f"{name}.".startswith(tuple(f"{start}." for start in OF_HYDRA)):
        return False
    if name.startswith("hydra.sweeper.params"):
        return BUILDS not in override  # looked at when they are composed
    return WORDS.fullmatch(value) is not None and not any(word in key for word in (*PLACES, BUILDS))


def gated_sweep(swept: Collection[Override], config: Any, typed: list[Override], asked: str) -> None:
    """The same for the swept values of a multirun.

    Raises:
        MistakesError: as ``gated``, or a place to write to is swept.
    """
    given = {item.key_or_group for item in typed}
    gate = Gate(trusted([line(item) for item in typed]), {*map(str, config), *SOFT, "paths"} - {"hydra"}, given)
    for item in swept:
        key = item.key_or_group
        if not roots(key).isdisjoint(OF_THE_COMMAND):
            gate.refuse((key,), "a recorded multirun cannot sweep what is up to the running command")
        elif BUILDS in line(item):
            gate.refuse((key,), "a sweep of what is built is not gone on with")
        elif item.is_choice_sweep() or not item.is_sweep_override():
            values = item.sweep_iterator(Transformer.identity) if item.is_sweep_override() else [item.value()]
            for value in values:
                gate.take(value.text if isinstance(value, QuotedString) else value, tuple(key.split(".")))
    if found := [*gate.mistakes, *gate.moved]:
        raise MistakesError([f"{asked}: {text}" for text in found])
