"""Where a run of W&B goes, found out without a question; and what lies beside it on the disk."""

import json
import os
import shlex
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from attnlab.atomic import write_text
from attnlab.callbacks.dashboards import first_line
from attnlab.types import ConfigError

# The content of artifacts (W&B keeps a table as one) waits here to be uploaded; W&B's own place for it is outside
# of the run, and an offline run would lose it when it is moved to another machine.
STAGING = Path("wandb") / "staging"
PLACE = Path("wandb") / "place.txt"  # where the run folder was when W&B was started last


RUN = Path("wandb") / "run.json"  # which of W&B's runs the run folder is of


class Recorded(NamedTuple):
    """A run of W&B's."""

    id: str
    project: str
    entity: str | None  #: a user or team; None for a run that began offline
    group: str | None
    name: str | None


class Choice(NamedTuple):
    mode: str
    reason: str  #: why offline, in words for the user


def copied(folder: Path) -> bool:
    """Whether the run that this folder is of is also still where it was."""
    with suppress(OSError, ValueError):  # of an earlier version, or not text
        before = Path((folder / PLACE).read_text("utf-8").strip())
        return before.is_dir() and not before.samefile(folder)
    return False


def note_run(folder: Path, run: Any) -> None:
    """Write down which run it is, for commands that tell of it later."""
    of = Recorded(run.id, str(run.project), run.entity or None, run.group or None, run.name or None)
    write_text(folder / RUN, json.dumps(of._asdict(), ensure_ascii=False) + "\n")


def run_of(folder: Path) -> Recorded | None:
    """The run of W&B's that a run folder is of; None where there is none."""
    with suppress(OSError, ValueError, TypeError):
        return Recorded(**json.loads((folder / RUN).read_text("utf-8")))
    return None


def of_an_agent(group: str | None) -> dict[str, str | None]:
    """What changes for a run that ``wandb agent`` has started: the sweep is its group, and decides on the rest."""
    sweep = os.environ.get("WANDB_SWEEP_ID")
    return {"group": group or f"sweep-{sweep}", "project": None, "id": None} if sweep else {}


def forget_staging() -> None:
    """Take back the staging folder of an earlier run of this process; one that the user chose stays."""
    if Path(os.environ.get("WANDB_DATA_DIR", "")).parts[-2:] == STAGING.parts:
        del os.environ["WANDB_DATA_DIR"]


def choose_mode(mode: str | None) -> Choice:
    """Where the run goes, found out without a question and without the network.

    Raises:
        ConfigError: online was asked for and there is no key, or the key is none.
    """
    import wandb

    asked = mode or os.environ.get("WANDB_MODE")
    if asked in ("offline", "dryrun"):
        return Choice("offline", "as asked")
    if asked == "disabled":
        return Choice("disabled", "")
    if asked not in (None, "", "online"):
        raise ConfigError(f"WANDB_MODE={asked}: expected online, offline or disabled")
    try:
        if wandb.login(prompt=False, verify=False):
            return Choice("online", "")
    except wandb.errors.AuthenticationError as error:
        raise ConfigError(
            f"W&B cannot use the key that it finds: {first_line(error)}. Set it right (`wandb login --relogin`, "
            "WANDB_API_KEY), or choose logger.wandb.mode=offline (or logger=csv, logger=none)"
        ) from error
    if asked == "online":
        raise ConfigError(
            "W&B is to run online and finds no key. Log in with `wandb login`, set WANDB_API_KEY, "
            "or choose logger.wandb.mode=offline (or logger=csv, logger=none)"
        )
    return Choice("offline", "no key found, see `wandb login`")


def tell(run: Any, choice: Choice) -> None:
    """One line: where the run can be seen."""
    if choice.mode == "online":
        print(f"W&B: {run.url}", file=sys.stderr)
    elif choice.mode == "offline":
        command = f"wandb sync {shlex.quote(str(run.settings.sync_dir))}"
        print(f"W&B: offline, {choice.reason}; to upload the run later: {command}", file=sys.stderr)


def sync_all(folder: Path) -> str | None:
    """The one line that uploads all that was recorded offline of a sweep; W&B leaves out what is there.

    Its jobs, its comparison, and what was told of them later (evaluations, translations). None where nothing was.
    """
    kinds = [kind for kind in ("*", "*/*") if any(folder.glob(f"{kind}/wandb/offline-run-*"))]
    return " ".join(["wandb sync", *(f"{shlex.quote(str(folder))}/{kind}/wandb" for kind in kinds)]) if kinds else None


def sync_each(folders: Iterable[Path]) -> str | None:
    """The like of these folders alone, and of what lies in them; None where nothing was recorded offline."""
    places = dict.fromkeys(path.parent for folder in folders for kind in (".", "*")
                           for path in sorted(folder.glob(f"{kind}/wandb/offline-run-*")))  # fmt: skip
    return " ".join(["wandb sync", *(shlex.quote(str(place)) for place in places)]) if places else None
