"""A run folder may come from somebody else: its configuration, as far as it may be built here."""

import re
import sys
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from hydra.core.override_parser.types import Override
from omegaconf import OmegaConf

from attnlab.atomic import write_text
from attnlab.bounded import check_yaml, read_text, read_yaml
from attnlab.cli import project
from attnlab.cli.config.parsing import parse
from attnlab.cli.errors import MistakesError
from attnlab.cli.gate import Gate, references, shown
from attnlab.cli.provided import NAME
from attnlab.console import visible
from attnlab.errors import DataError
from attnlab.runs.legacy import with_new_names

# What it takes to build the model and the data again; loggers and callbacks belong to training.
PARTS = (
    "seed", "dataset", "tokenizer", "data", "encoder", "bridge", "decoder", "attention", "pooling",
    "sentence_encoder", "sentence_pooling", "model", "search", "optimizer", "scheduler", "task", "trainer",
)  # fmt: skip
# Of models and tasks that have a use for them.
OPTIONAL = (
    "position", "self_attention", "tokenizer", "encoder", "bridge", "decoder", "attention", "pooling", "search",
    "sentence_encoder", "sentence_pooling", "optimizer", "scheduler",
)  # fmt: skip
TRAINING = {"optimizer": "sgd", "scheduler": "constant"}  # no command but train.py has a use for these: stand-ins
SOFT = ("model", *TRAINING)  # are read where there is one
MODEL_PARTS = (
    "encoder", "bridge", "decoder", "attention", "pooling", "sentence_encoder",
    "sentence_pooling", "model",
)  # fmt: skip
CONFIG = project.RECORD


def recorded(
    folder: Path, parts: Sequence[str], overrides: Sequence[str], groups: Collection[str] = ()
) -> dict[str, Any]:
    """Parts of the configuration that a run recorded, nothing resolved.

    Args:
        folder: of the run.
        parts: the top-level keys that are wanted; those that they refer to come along.
        overrides: the command line. What it sets is not looked at.
        groups: of which the command line can choose another option; such a one is left out.

    Raises:
        MistakesError: it is no configuration, or each thing in it that is refused, with how to trust it.
    """
    config = read(folder)
    config |= {name: stand_in(name) for name in TRAINING if config.get(name) is not None}
    given = {item.key_or_group: item for item in parse(overrides)[0] if not item.is_delete()}
    replaced = {name for name in groups if name in given and chooses_another(given[name])}
    needed = {key for name in parts if name in config for key in references(config[name])} - set(SOFT)
    missing = [
        name
        for name in dict.fromkeys((*parts, *PARTS))
        if name not in config and name not in replaced and (name in needed or (name in parts and name not in OPTIONAL))
    ]
    if missing:
        raise MistakesError([f"run={folder}: {CONFIG} has no {missing[0]}; expected what train.py records"])
    known = dict.fromkeys((*parts, *PARTS, *OPTIONAL))
    wanted = [name for name in known if name in config and name not in replaced and name in (*parts, *OPTIONAL)]
    for name in wanted:  # it grows
        wanted += [key for key in known if key in references(config[name]) and key in config and key not in wanted]
    gate = Gate(trusted(overrides), {*known, "paths"}, set(given))
    taken = {name: gate.take(config[name], (name,)) for name in wanted if name not in replaced}
    if gate.mistakes:
        raise MistakesError([f"run={folder}: {line}" for line in gate.mistakes])
    for line in gate.moved:
        print(visible(line), file=sys.stderr)
    return taken


def stand_in(group: str) -> Any:
    """For a part that nothing will call, whatever was recorded: nobody has to trust it."""
    return read_yaml(project.configuration() / group / f"{TRAINING[group]}.yaml")


def chooses_another(override: Override) -> bool:
    return override.is_sweep_override() or override.value() != "recorded"


def read(folder: Path) -> dict[str, Any]:
    """The configuration of a run as it stands in the file.

    Raises:
        MistakesError: it is none.
    """
    path = folder / CONFIG
    try:
        text = read_text(path)
        check_yaml(text, str(path))
        config: Any = OmegaConf.to_container(OmegaConf.create(text), resolve=False)
    except DataError as error:
        raise MistakesError([str(error)]) from error
    except Exception as error:  # of several libraries and kinds: whatever they make of other people's text
        raise MistakesError([f"{path}: no configuration ({type(error).__name__})"]) from error
    if not isinstance(config, dict):
        raise MistakesError([f"{path}: no configuration; expected the keys that train.py records"])
    return with_new_names(config)


def trusted(overrides: Sequence[str]) -> frozenset[str]:
    """What the user trusts: ``trust=[…]`` on the command line, and ``trust`` in ``conf/local/trust.yaml``.

    Raises:
        MistakesError: it is no list of packages.
    """
    given = [item for item in parse(overrides)[0] if item.key_or_group == "trust"]
    if given and given[-1].is_sweep_override():
        raise MistakesError(["trust: came several, expected one list of packages, trust=[my_package]"])
    return packages("trust", given[-1].value() if given else []) | local()


def local() -> frozenset[str]:
    return frozenset().union(*(listed(file) for file in project.trust_files() if file.exists()))


def listed(file: Path) -> frozenset[str]:
    """The packages of a ``trust.yaml``.

    Raises:
        MistakesError: it is no list of packages.
    """
    try:
        found = read_yaml(file)
    except DataError as error:
        raise MistakesError([str(error)]) from error
    if not isinstance(found, dict) or set(found) != {"trust"}:
        raise MistakesError([f"{file}: came {shown(found)}, expected one key, trust: [my_package]"])
    return packages(f"{file}: trust", found["trust"])


def add(file: Path, name: str) -> None:
    """Add a package to a ``trust.yaml``, which may be new; everything else in it stays as it was written.

    Raises:
        MistakesError: it is no list of packages, or written in a way that is left to its author.
    """
    if not file.exists():
        write_text(file, f"# Packages of yours that a run folder may name.\ntrust: [{name}]\n")
        return
    listed(file)
    text = read_text(file)
    there = yaml.safe_load(text)["trust"]
    flow = re.sub(r",?\s*\](?=[^\[\]]*$)", f"{', ' * bool(there)}{name}]", text)
    indent = (re.findall(r"^( *)- ", text, re.MULTILINE) or [""])[-1]
    for changed in (flow, f"{text.rstrip()}\n{indent}- {name}\n"):
        with suppress(yaml.YAMLError):
            if yaml.safe_load(changed) == {"trust": [*there, name]}:
                write_text(file, changed)
                return
    raise MistakesError([f"{file}: add {name} to its list yourself; nothing was written"])


def packages(key: str, names: Any) -> frozenset[str]:
    if not isinstance(names, list):
        raise MistakesError([f"{key}: came {shown(names)}, expected a list of packages, [my_package]"])
    wrong = [name for name in names if not (isinstance(name, str) and NAME.fullmatch(name))]
    if wrong:
        raise MistakesError([f"{key}: {shown(wrong[0])} is the name of no package"])
    return frozenset(names)
