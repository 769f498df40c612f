"""``compare_after=true``: a multirun ends as if ``python compare.py runs=<this multirun>`` had been typed."""

import sys
from pathlib import Path

from attnlab.cli.config.command_line import as_called, as_value, quoted
from attnlab.cli.errors import Stop
from attnlab.console import visible


def compare_jobs(multirun: Path, report: str | None = None) -> Exception | None:
    """Compare the finished jobs.

    Args:
        multirun: its folder.
        report: of compare.py; None for what that does anyway.

    Returns:
        What went wrong, told with how to try again: the runs are whole.
    """
    from attnlab.cli.app import attempt
    from attnlab.cli.commands.compare import COMMAND
    from attnlab.cli.main import typed

    try:
        print(flush=True)
        more = [] if report is None else [f"report={report}"]
        with typed([COMMAND.name, f"runs={as_value(str(multirun))}", *more]):
            attempt(COMMAND)
    except (Exception, Stop) as stopped:
        again = as_called(f"python compare.py runs={quoted(str(multirun))}")
        print(visible(f"compare_after: the comparison failed, the runs are whole; again: {again}"), file=sys.stderr)
        return stopped.error if isinstance(stopped, Stop) else stopped
    return None
