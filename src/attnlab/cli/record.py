"""What a run folder says of how the run went: the console's text in its log, and the reason why it is not finished."""

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO, cast

from attnlab.atomic import replacing
from attnlab.cli.errors import user_error
from attnlab.environment import first_process
from attnlab.interruption import Interrupted
from attnlab.runs.ending import FAILED

LINES = 20  # of a traceback
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
UPDATE = "update"  # attribute of an exception: the update of the training that it ended


class Logged:
    """A text stream that also hands its lines on to files of a log; of a bar, what it showed at last."""

    def __init__(self, console: TextIO, name: str, files: Sequence[logging.Handler]) -> None:
        self.console, self.name, self.files = console, name, files
        self.rest, self.busy = "", False

    def write(self, text: str) -> int:
        written = self.console.write(text)
        if not self.busy:  # a log that cannot be written complains here
            self.busy = True
            try:
                *lines, rest = (self.rest + text).split("\n")
                self.rest = rest[rest.rfind("\r", 0, -1) + 1 :]
                for line in lines:
                    self.log(line)
            finally:
                self.busy = False
        return written

    def log(self, line: str) -> None:
        shown = ESCAPES.sub("", line.rstrip("\r").rpartition("\r")[2])
        if shown.strip():
            note(self.files, self.name, shown)

    def end(self) -> None:
        """Hand on what stands on a line that was not ended."""
        self.log(self.rest)
        self.rest = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.console, name)


def note(files: Sequence[logging.Handler], name: str, text: str, level: int = logging.INFO) -> None:
    for file in files:
        file.handle(logging.LogRecord(name, level, __file__, 0, text, None, None))


@contextmanager
def recorded(folder: Path) -> Iterator[None]:
    """Within, what is printed goes to the run's log, too; a failure leaves its reason, whole in the log.

    Args:
        folder: of the run.
    """
    files = [handler for handler in logging.getLogger().handlers if isinstance(handler, logging.FileHandler)]
    if first_process():
        (folder / FAILED).unlink(missing_ok=True)  # what ended the attempt before is no reason of this one
    output, errors = (Logged(stream, name, files) for stream, name in ((sys.stdout, "stdout"), (sys.stderr, "stderr")))
    try:
        with redirect_stdout(cast(TextIO, output)), redirect_stderr(cast(TextIO, errors)):
            yield
    except BaseException as error:
        note(files, "run", "".join(trace(error)).rstrip(), logging.ERROR)
        if first_process():
            save_failure(folder, error)
        raise
    finally:
        output.end()
        errors.end()


def trace(error: BaseException) -> list[str]:
    """The traceback; where a signal found us is of no interest."""
    if isinstance(error, Interrupted):
        return traceback.format_exception_only(error)
    return traceback.format_exception(error)


def save_failure(folder: Path, error: BaseException) -> None:
    """Write ``failed.json``: error, message, when, after which update of the training; of a bug where in the code."""
    known = user_error(error)
    told = known is not None or isinstance(error, Interrupted)  # the message says all of it
    known = known or error
    reason = {
        "error": type(known).__name__,
        "message": str(known),
        "traceback": [] if told else "".join(trace(error)).splitlines()[-LINES:],
        "when": datetime.now().astimezone().isoformat(timespec="seconds"),
        UPDATE: getattr(error, UPDATE, None),
    }
    try:
        with replacing(folder / FAILED) as temporary:
            temporary.write_text(json.dumps(reason, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as problem:  # what is to be told is the failure itself
        print(f"the reason of the failure is not kept: {problem}", file=sys.stderr)
