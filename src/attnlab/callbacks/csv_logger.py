"""Tables of what is logged, as CSV files."""

from pathlib import Path

from pytorch_lightning.loggers import CSVLogger as LightningCSVLogger

from attnlab.ranges import OneOrMore, PathText


class CsvLogger(LightningCSVLogger):
    """``<directory>/csv/metrics.csv``; a training that goes on writes ``csv-2/metrics.csv``, ``csv-3/…``.

    Lightning's own deletes the table that is there.
    """

    def __init__(self, directory: PathText, flush_logs_every_n_steps: OneOrMore = 100) -> None:
        self.directory, self.every = Path(directory), flush_logs_every_n_steps
        self.begin("csv")

    def begin(self, name: str) -> None:
        super().__init__(str(self.directory), name="", version=name, flush_logs_every_n_steps=self.every)

    def go_on(self) -> None:
        """Leave the tables of the parts before as they are."""
        names = ["csv", *(f"csv-{number}" for number in range(2, 1000))]
        self.begin(next(name for name in names if not (self.directory / name).exists()))
