"""Where things lie: the project folder, its configuration, and a fresh name for every run."""

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path

from omegaconf import OmegaConf

from attnlab.cli.errors import MistakesError

PROJECT = Path(__file__).resolve().parents[3]


def configuration() -> Path:
    """The folder ``conf`` of an editable install.

    Raises:
        MistakesError: the package was installed without its project folder.
    """
    folder = PROJECT / "conf"
    if not folder.is_dir():
        raise MistakesError([f"no folder {folder}: install the project from its folder with `pip install -e .`"])
    return folder


def register() -> None:
    """Make the project folder and the resolvers known that the configuration uses."""
    os.environ.setdefault("ATTNLAB_ROOT", str(PROJECT))
    OmegaConf.register_new_resolver("job_folder", job_folder, replace=True)
    stamp(datetime.now().strftime("%Y-%m-%d_%H-%M-%S"))


def stamp(text: str) -> None:
    """Fix what ``${stamp:}`` gives: one text for all jobs of this process, so a multirun has one folder."""
    OmegaConf.register_new_resolver("stamp", lambda: text, replace=True)


def reserve(folder: Callable[[], Path]) -> Path:
    """Make the folder that ``folder()`` names, under another stamp where a job has just taken that name."""
    base = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    first = path = folder()
    for number in count(2):
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            stamp(f"{base}_{number}")
            path = folder()
            if path == first:  # a fixed name, chosen by the user: results go there
                return path
        else:
            return path
    raise AssertionError("count() has no end")


def job_folder(number: int, overrides: str) -> str:
    """``3_luong_dot_seed-2`` for job 3 of a multirun with ``attention=luong_dot,seed=2``."""
    return short([str(number), *words(overrides)])


def words(overrides: str) -> list[str]:
    """``["luong_dot", "seed-2"]`` for ``attention=luong_dot,seed=2``: an option, a value with its name."""
    found = []
    for override in overrides.split(","):
        key, _, value = override.rpartition("=")
        plain = "." in key or not value[:1].isalpha()
        leaf = key.lstrip("+~").rpartition(".")[2]
        found.append(f"{leaf}-{value}" if plain else value)
    return [word for word in found if word]


def short(parts: Sequence[str], longest: int = 80) -> str:
    """A file name without "=" (``ckpt_path=<path>`` has to parse), never longer than file systems allow."""
    name = re.sub(r"[^\w.-]+", "-", "_".join(parts)).strip("-_.")
    if len(name) <= longest:
        return name
    return f"{name[: longest - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
