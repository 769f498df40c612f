"""W&B's records of runs, read back from the disk by its own program."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any


@cache
def written(run: Path) -> list[dict[str, Any]]:
    """The records of the one W&B run in a run directory; it has been closed."""
    (folder,) = (run / "wandb").glob("offline-run-*")
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(folder)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in text.splitlines()]


def records(run: Path, kind: str) -> list[dict[str, Any]]:
    return [record[kind] for record in written(run) if record["type"] == kind]


def history(run: Path, key: str) -> list[Any]:
    return [item["item"][key] for item in records(run, "history") if key in item["item"]]


def summary(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for record in records(run, "summary"):
        found |= record["update"]
    return found


def media(run: Path, path: str) -> Path:
    (folder,) = (run / "wandb").glob("offline-run-*")
    return folder / "files" / path


def table(run: Path, key: str) -> dict[str, Any]:
    """The table that was logged last under a name."""
    found: dict[str, Any] = json.loads(media(run, history(run, f"{key}.path")[-1]).read_text(encoding="utf-8"))
    return found


def console(run: Path) -> str:
    """What W&B shows on its page of logs."""
    return "".join(record["line"] for record in records(run, "output_logger"))
