"""Comparing finished runs, from their folders to the files of a comparison."""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from attnlab.analysis.comparing import Settings, compare
from attnlab.analysis.comparison import Comparison
from attnlab.analysis.explained import SPLIT, explanations
from attnlab.analysis.exports import FIGURES, FILES, REPORT, write_files
from attnlab.analysis.finding import default_output, find_runs
from attnlab.atomic import require_place
from attnlab.cli.runs import within
from attnlab.cli.streams import make_folder


class Comparing:
    """A comparison that is made when it is asked for, after it is known where it will be written.

    Args:
        names: of runs, see :func:`attnlab.analysis.finding.find_runs`.
        explanation: compare these explanations of the runs, in the place of their tests; None for the tests.
        settings: what to test.
        command: gives this comparison again.

    Raises:
        ConfigError: there are no such runs.
    """

    def __init__(self, names: Sequence[str], settings: Settings, command: str, explanation: str | None = None) -> None:
        self.found = find_runs(names, Path(os.environ["ATTNLAB_ROOT"]))
        if explanation is not None:
            self.found = explanations(self.found, explanation)
            settings = settings._replace(split=SPLIT)
        self.settings, self.command = settings, command

    @cached_property
    def comparison(self) -> Comparison:
        """What was found out.

        Raises:
            ConfigError, DataError: with what to change.
        """
        return compare(self.found, self.settings, self.command)

    @property
    def beside(self) -> Path:
        """Where it is written unless told otherwise."""
        place = default_output(self.found, Path(os.environ["ATTNLAB_ROOT"]))
        return within(place.parent, place.name)

    def files(self, output: Path) -> list[Path]:
        """All that was written there, figures too."""
        named = [output / name for name in (*FILES, REPORT)]
        return [path for path in (*named, *sorted((output / FIGURES).glob("*"))) if path.is_file()]

    def write(self, output: Path, report: bool = True) -> list[Path]:
        """Write tables and, if wanted, the report.

        Returns:
            What was written.

        Raises:
            StorageError: it cannot be written there, told before anything is computed.
        """
        for name in (*FILES, REPORT, f"{FIGURES}/x") if report else FILES:
            require_place(output / name)
        comparison = self.comparison
        make_folder("output", output)
        written = write_files(comparison, output)
        if report:
            from attnlab.analysis.report.page import write_report

            written += write_report(comparison, output / REPORT)[:1]
        return written

    def paper(self, folder: Path, width: str) -> Path:
        """Write the parts of a paper; :func:`require_paper` has seen that it can be done.

        Args:
            folder: for them.
            width: of a column: ``8.4cm``.

        Returns:
            The page that has them all.
        """
        from attnlab.analysis.paper.kit import write_paper

        comparison = self.comparison
        make_folder("paper", folder)
        return write_paper(comparison, folder, width)[0]


def require_paper(folder: Path, width: str) -> None:
    """See that a paper can be written, before anything is computed.

    Raises:
        ConfigError: the width is none, or no column's.
        StorageError: it cannot be written there.
    """
    from attnlab.analysis.paper.kit import FILES as PARTS
    from attnlab.analysis.paper.kit import room_of

    room_of(width)
    for name in (*PARTS, f"{FIGURES}/x"):
        require_place(folder / name)
