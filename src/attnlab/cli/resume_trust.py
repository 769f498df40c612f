"""What is taken over of a recorded command line: a run, or a multirun, may be somebody else's."""

import sys
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import OmegaConf

from attnlab.cli.errors import MistakesError
from attnlab.cli.gate import GIVEN, Gate
from attnlab.cli.overrides import line
from attnlab.cli.resume_changes import FREE, leaves, pinned
from attnlab.cli.trust import trusted

OF_HYDRA = ("hydra.sweeper", "hydra.launcher")  # of a multirun; the rest is up to the running command
BUILDS = "_target_"


def gated(config: Any, typed: list[Override], asked: str) -> list[str]:
    """Overrides for what is not taken over: the run may be somebody else's (:mod:`attnlab.cli.gate`).

    Raises:
        MistakesError: it would build what is not trusted, or refers to what is none of its business.
    """
    plain: Any = OmegaConf.to_container(config)
    parts = {str(name): node for name, node in plain.items() if name not in FREE}
    gate = Gate(trusted([line(item) for item in typed]), {*parts, "paths"}, {item.key_or_group for item in typed})
    taken = leaves({name: gate.take(node, (name,)) for name, node in parts.items()})
    if gate.mistakes:
        raise MistakesError([f"{asked}: {text}" for text in gate.mistakes])
    for text in gate.moved:
        print(text, file=sys.stderr)
    return pinned({key: value for key, value in taken.items() if value != GIVEN}, leaves(parts))


def of_hydra(override: str) -> bool:
    """Whether a setting of Hydra's own is taken over."""
    key = override.lstrip("+~").partition("=")[0].replace("/", ".")
    return not key.startswith("hydra.") or (key.startswith(OF_HYDRA) and BUILDS not in override)
