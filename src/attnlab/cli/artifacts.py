"""Runs that lie in W&B, by the name of an artifact."""

import re
from pathlib import Path

from attnlab.cli.trust import CONFIG
from attnlab.errors import ConfigError

NAME = re.compile(r"(?:[\w.-]+/){0,2}[\w.-]+:[\w.-]+")


def is_artifact(name: str) -> bool:
    """Whether a name is of the form ``entity/project/name:version`` and is no folder."""
    return NAME.fullmatch(name) is not None and not Path(name).exists()


def fetched(name: str) -> Path:
    """The run folder in an artifact, downloaded to where W&B keeps artifacts.

    Raises:
        ConfigError: W&B has none of this name, cannot be reached, or there is no run in it.
    """
    from attnlab.private.wandb import api

    try:
        root = Path(api().artifact(name).download())
    except Exception as error:  # of W&B: no key, no network, no such artifact
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"run={name}: W&B gives no such artifact ({reason}); give a folder, or log in") from error
    for config in (root / CONFIG, *sorted(root.glob(f"*/{CONFIG}"))):
        if config.is_file():
            return config.parent.parent
    raise ConfigError(f"run={name}: the artifact has no {CONFIG}, so it is no run folder")
