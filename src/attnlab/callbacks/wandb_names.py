"""Names that W&B takes."""

import hashlib
import re
from pathlib import Path

from attnlab.types import ConfigError

LONGEST_TAG, LONGEST_NAME = 64, 128  # characters that W&B takes; a job type is held to those of a tag
LONGEST_ALERT = 63  # of a title
NOT_IN_A_PROJECT = "/\\#?%:"


def cut(text: str, longest: int) -> str:
    """A text that W&B takes; of one that is too long the beginning, and eight digits that stand for all of it."""
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    return f"{text[: longest - 9]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def artifact_name(text: str) -> str:
    """A name that artifacts can have."""
    return cut(re.sub(r"[^\w.-]+", "-", text, flags=re.ASCII).strip("-") or "unnamed", LONGEST_NAME)


def config_key(key: str) -> str:
    """Where W&B's views find a setting: ours are flat, and without this ``optimizer.lr`` is sought in ``optimizer``."""
    return f"{key}.value"


def check_project(project: str) -> None:
    """See that W&B can have a project of this name.

    Raises:
        ConfigError: it cannot.
    """
    wrong = sorted(set(project) & set(NOT_IN_A_PROJECT))
    if wrong or not 0 < len(project) <= LONGEST_NAME:
        why = f"it has {' '.join(wrong)}" if wrong else f"it has {len(project)} characters"
        raise ConfigError(
            f"logger.wandb.project={project}: {why}; expected a name of 1 to {LONGEST_NAME} characters "
            f"without any of {' '.join(NOT_IN_A_PROJECT)}"
        )


def multirun_group(group: str | None, directory: Path) -> str | None:
    """``<name>/<date>_<time>`` of a multirun that ``directory`` is a job of; a plain name stays as it is."""
    if group is None or not Path(group).is_absolute():
        return group
    folder = Path(group).resolve()
    return "/".join(folder.parts[-2:]) if folder in directory.resolve().parents else None
