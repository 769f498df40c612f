"""What the console has shown, for W&B's page of logs."""

import logging
from pathlib import Path
from typing import Any


class Console:
    """Reads on in the run's log, where all that is printed stands, tracebacks too.

    W&B would listen to ``sys.stdout``, once a process: of a multirun in one process it would hear the first job alone,
    and of each job only what comes after its start.

    Args:
        directory: of the run.
    """

    def __init__(self, directory: Path) -> None:
        self.directory, self.read = directory, 0

    @property
    def log(self) -> Path | None:
        """The file; None where nothing is logged to the run directory."""
        files = (item for item in logging.getLogger().handlers if isinstance(item, logging.FileHandler))
        paths = [Path(item.baseFilename) for item in files]
        return next((path for path in paths if path.parent == self.directory.resolve() and path.is_file()), None)

    def go_on(self) -> None:
        """What an earlier process has told is not told again."""
        self.read = 0 if self.log is None else self.log.stat().st_size

    def tell(self, run: Any, more: str = "") -> None:
        """Write what is new, and ``more``, to a run of W&B's; a line that is not whole waits."""
        log, new = self.log, b""
        if log is not None and log.stat().st_size > self.read:
            with log.open("rb") as file:
                file.seek(self.read)
                new = file.read()
            new = new[: new.rfind(b"\n") + 1]
            self.read += len(new)
        if text := new.decode("utf-8", errors="replace") + more:
            run.write_logs(text)
