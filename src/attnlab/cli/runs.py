"""Find a finished run, and make its configuration the starting point of another command."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from attnlab.cli.config.command_line import quoted
from attnlab.cli.config.parsing import parse
from attnlab.cli.errors import MistakesError, nearest
from attnlab.cli.multirun.naming import sanitized
from attnlab.cli.trust import CONFIG, PARTS, recorded
from attnlab.runs.ending import ending

RESULTS = "evaluations"  # of evaluate.py, in the run folder
EXPLANATIONS = "explanations"  # likewise of attnlab explain
LONGEST = 80  # characters of a name in it
NO_WORDS = {"true", "false", "null"}


def recall(overrides: list[str], groups: Sequence[str], parts: Sequence[str] = PARTS) -> Path:
    """Find the run that ``run=…`` names, offer its configuration to the composition that follows, return its folder.

    Each of ``groups`` gets the option ``recorded``, so that another can be chosen and single values be
    changed; the rest of ``parts`` stands fast in a config ``recorded``. ``${run_folder:}`` gives the folder.

    Raises:
        MistakesError: there is no such run, or it may not be built.
    """
    folder = find(wanted(overrides)).resolve()
    offer(folder, recorded(folder, parts, overrides, groups), groups)
    return folder


def offer(folder: Path, found: Mapping[str, Any], groups: Sequence[str]) -> None:
    """Offer a configuration that was found to the composition that follows, as ``recall`` does; None of a group is
    none.
    """
    OmegaConf.register_new_resolver("run_folder", lambda: str(folder), replace=True)
    OmegaConf.register_new_resolver("evaluation_name", evaluation_name, replace=True)
    store = ConfigStore.instance()
    store.store(name="recorded", node={name: node for name, node in found.items() if name not in groups})
    for group in groups:
        if group in found and found[group] is None:
            store.store(group=group, name="recorded", node={group: None}, package="_global_")
        else:
            store.store(group=group, name="recorded", node=found.get(group, {}))


def within(folder: Path, name: str) -> Path:
    """A place in a run folder, or the folder itself (``.``), to write to.

    Raises:
        MistakesError: something in it is a link that leads out of the folder, or a pipe or a device, on which writing
            would wait for ever.
    """
    place, home = folder / name, folder.resolve()
    inside = place.rglob("*") if place.is_dir() and not place.is_symlink() else ()
    for path in (place, *inside):
        if path.is_symlink() and not path.resolve().is_relative_to(home) and not of_wandb(path, home):
            raise MistakesError([f"{path}: a link that leads out of the run folder, so nothing is written; remove it"])
        if path.exists() and not path.is_file() and not path.is_dir():
            raise MistakesError([f"{path}: a pipe or a device, expected a file or a folder; remove it"])
    return place


def of_wandb(link: Path, home: Path) -> bool:
    """Whether W&B itself has made a link: to a log of its service, in the folder of a run that has ended; of the run,
    of a job of a multirun, of a comparison or an evaluation.
    """
    runs = link.parents[2].resolve()
    return link.parts[-2:] == ("logs", "debug-core.log") and runs.name == "wandb" and runs.is_relative_to(home)


def wanted(overrides: list[str]) -> str:
    given = [override for override in parse(overrides)[0] if override.key_or_group == "run"]
    if not given:
        return "latest"
    if given[-1].is_sweep_override():
        raise MistakesError(["run: came several runs, expected one; call the command once for each"])
    return str(given[-1].value())


def find(name: str, option: str = "run") -> Path:
    """A run folder by its path; ``latest``: the result that was at work last, of ``resume`` any run.

    Args:
        name: the path, or ``latest``.
        option: that the name was given for. ``run`` may be any run with a checkpoint, ``resume`` any in outputs/, as
            jobs of a multirun are gone on with together.

    Raises:
        MistakesError: nothing of a run is there; or what is there is unfinished, or a trial, and has to be named.
    """
    root = Path(os.environ["ATTNLAB_ROOT"])
    if name == "latest":
        newest = newest_first(root, option)
        if not newest:
            what, sweeps = ("trained run", f" or {root / 'sweeps'}") if option == "run" else ("run", "")
            raise MistakesError([f"{option}=latest: there is no {what} in {root / 'outputs'}{sweeps}"])
        if option == "resume":
            return newest[0]
        return result(newest)
    folder = next((path for path in (Path(name), root / name) if path.is_dir()), None)
    if folder is None:
        raise MistakesError([f"{option}={name}: there is no such folder; {near(Path(name), root, option)}"])
    if not (folder / CONFIG).is_file():
        inside = sorted(path.parent.parent.name for path in folder.glob("*/.hydra/config.yaml"))
        hint = f"; it is a multirun, choose one of its jobs: {', '.join(inside)}" if inside else ""
        raise MistakesError([f"{option}={name}: not a run folder, it has no {CONFIG}{hint}"])
    return folder


def newest_first(root: Path, option: str) -> list[Path]:
    """The folders that :func:`find` chooses the latest from; the one that was at work last comes first."""
    of_any = [*root.glob("outputs/*/*/*/.hydra"), *(root.glob("sweeps/*/*/*/.hydra") if option == "run" else ())]
    runs = {path.parent for path in of_any if option == "resume" or (path.parent / "checkpoints").is_dir()}
    return sorted(runs, key=at_work, reverse=True)


def near(path: Path, root: Path, option: str) -> str:
    """What to write instead of a folder that is not there: one beside it that is a run's, or the last one."""
    beside = {found.parents[1].name for found in path.parent.glob(f"*/{CONFIG}")}
    if beside:
        return f"in {path.parent} {nearest(path.name, beside)}"
    newest = newest_first(root, option)
    return f"the last run is {newest[0]}" if newest else f"runs are outputs/…/<date>_<time>; in {root} there is none"


def result(runs: Sequence[Path]) -> Path:
    """The first run that is finished and no trial.

    Raises:
        MistakesError: there is none.
    """
    ends = []
    for folder in runs:
        found = ending(folder)
        if found.result:
            return folder
        ends.append(found)
    raise MistakesError([
        f"run=latest: no finished run yet but trials; the last one {ends[0].told}: name it, run={quoted(str(runs[0]))}"
    ])  # fmt: skip


def at_work(folder: Path) -> float:
    """When a run was started, or wrote a checkpoint, last."""
    return max((path.stat().st_mtime for path in (folder / CONFIG, folder / "checkpoints") if path.exists()), default=0)


def checkpoint_file(folder: Path, name: str) -> Path:
    """``best`` and ``last`` of a run, or any checkpoint by its path, from here or from the run folder.

    Raises:
        MistakesError: there is no such file.
    """
    path = folder / "checkpoints" / f"{name}.ckpt" if name in ("best", "last") else Path(name)
    if not path.is_file() and (folder / name).is_file():
        return folder / name
    if not path.is_file():
        raise MistakesError([f"checkpoint={name}: there is no file {path}; did the training end?"])
    return path


def resume_from(path: str | None) -> str | None:
    """A checkpoint file; for a run folder, its last checkpoint.

    Raises:
        MistakesError: there is no such file.
    """
    if path is None:
        return None
    file = Path(path) / "checkpoints" / "last.ckpt" if Path(path).is_dir() else Path(path)
    if not file.is_file():
        raise MistakesError([f"ckpt_path={path}: there is no file {file}; give a checkpoint or a run folder"])
    return str(file)


def evaluation_name(overrides: str) -> str:
    """``tatoeba_beam-10`` for the overrides of an evaluation; ``recorded`` for none.

    A file name without "=" (what is given has to parse), never longer than file systems allow.
    """
    name = sanitized("_".join(words(overrides)))
    if len(name) > LONGEST:
        name = f"{name[: LONGEST - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return name or "recorded"


def words(overrides: str) -> list[str]:
    """``["luong_dot", "seed-2"]`` for ``attention=luong_dot,seed=2``: an option, a value with its name.

    A word stands for itself, but one that says nothing without its name: ``captum-false``.
    """
    found = []
    for override in overrides.split(","):
        key, _, value = override.rpartition("=")
        plain = "." in key or not value[:1].isalpha() or value.lower() in NO_WORDS
        leaf = key.lstrip("+~").rpartition(".")[2]
        found.append(f"{leaf}-{value}" if plain else value)
    return [word for word in found if word]
