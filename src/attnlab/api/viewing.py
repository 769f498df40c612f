"""Looking into runs from Python."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from attnlab.api.runs import TrainedRun
from attnlab.atomic import write_text
from attnlab.cli import folders
from attnlab.errors import ConfigError

HEIGHT = 780  # pixels of a page in a notebook


@dataclass(frozen=True, repr=False)
class View:
    """A page that shows what runs look at. In a notebook it shows itself.

    Attributes:
        html: all of it, one file that needs no network.
    """

    html: str

    def save(self, path: str | Path) -> Path:
        """Write it to a file; missing folders are made.

        Raises:
            ConfigError: the name does not end in ``.html``.
        """
        place = Path(path)
        if place.suffix not in (".html", ".htm"):
            raise ConfigError(f"{place}: expected a name that ends in .html")
        write_text(place, self.html)
        return place

    def _repr_html_(self) -> str:
        frame = "width:100%;border:1px solid #888;border-radius:4px"
        return (
            f'<iframe title="Attention" sandbox="allow-scripts allow-downloads allow-modals" height="{HEIGHT}" '
            f'style="{frame}" srcdoc="{html.escape(self.html)}"></iframe>'
        )

    def __repr__(self) -> str:
        return f"View({len(self.html) / 1e6:.1f} MB; .save('view.html'), or show it in a notebook)"


def view(
    runs: str | Path | TrainedRun | Sequence[str | Path | TrainedRun] = "latest",
    texts: Sequence[str] | None = None,
    *,
    checkpoints: Sequence[str] = ("best",),
    split: str = "test",
    items: int = 2000,
    own: int = 300,
    target: Literal["reference", "own"] = "reference",
    megabytes: float = 25.0,
    trust: Sequence[str] = (),
) -> View:
    """What finished runs look at, as ``attnlab view`` shows it: one page, to be shown or saved.

    Args:
        runs: run folders, sweeps, globs, or runs; ``latest`` is the run that was at work last.
        texts: of yours; of a run that translates one may be ``SOURCE ||| TARGET``, which is then decoded by force. None
            for the items that the runs were tested on.
        checkpoints: of each run: ``best``, ``last`` or files; several are shown as runs.
        split: whose items.
        items: at most so many of them.
        own: of the first so many also what layers look at in their own sentence.
        target: what translations of tested items are decoded to: the ``reference``, so that runs have the same words,
            or what each run finds itself (``own``).
        megabytes: that the page has at most.
        trust: packages of yours that the runs may be built from.

    Raises:
        ConfigError, DataError, MistakesError: what is wrong, and what to change.
    """
    from attnlab.cli.viewing.collecting import runs_of
    from attnlab.cli.viewing.settings import Settings
    from attnlab.cli.viewing.view import page

    if isinstance(texts, str):
        raise TypeError(f"texts: got the text {texts[:40]!r}, expected a list of texts: [{texts[:40]!r}]")
    folders.register()
    several = [runs] if isinstance(runs, str | Path | TrainedRun) else list(runs)
    names = [run.folder if isinstance(run, TrainedRun) else run for run in several]
    trusted = {*trust, *(name for run in several if isinstance(run, TrainedRun) for name in run.trust)}
    settings = Settings(split, items, own, target, tuple(checkpoints), tuple(sorted(trusted)), megabytes)
    return View(page(runs_of(names), None if texts is None else lambda _: list(texts), settings))
