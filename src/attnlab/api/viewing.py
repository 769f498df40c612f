"""Looking into runs from Python."""

import html
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from attnlab.api.runs import TrainedRun
from attnlab.atomic import write_text
from attnlab.cli import folders
from attnlab.errors import ConfigError
from attnlab.viz.palette import colored

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from attnlab.analysis.viewer.collected import Collected

HEIGHT = 780  # pixels of a page in a notebook


class View:
    """A page that shows what runs look at, or pictures of that. In a notebook it shows itself.

    Args:
        collected: what is shown.
        megabytes: that the page has at most.
    """

    def __init__(self, collected: "Collected", megabytes: float = 25.0) -> None:
        self._collected, self._megabytes = collected, megabytes

    @cached_property
    def html(self) -> str:
        """The page, one file that needs no network.

        Raises:
            DataError: it is larger than was asked for.
        """
        from attnlab.analysis.viewer.page import render

        return render(self._collected, self._megabytes)

    def plot(self, item: int = 1, *, cmap: str | None = None, **chosen: Any) -> "Figure":
        """All runs on one item, a matplotlib figure.

        Args:
            item: its number, from 1, as the page counts them.
            cmap: a colour map of matplotlib's, in the place of white to dark blue.
            chosen: ``look``, ``layer``, ``head``, ``joined``, ``width``: as in :meth:`save`.

        Raises:
            ConfigError: there is no such thing here.
        """
        from attnlab.analysis.viewer.pictures import Chosen, picture_of

        with colored(cmap):
            return picture_of(self._collected, item, Chosen(**chosen))

    def save(
        self,
        path: str | Path,
        item: int | None = None,
        *,
        look: str | None = None,
        layer: int | None = None,
        head: int | None = None,
        joined: bool = False,
        width: str | None = None,
        cmap: str | None = None,
    ) -> Path:
        """Write the page (``.html``), or a picture of all runs on one item: ``.pdf``, ``.svg``, ``.png``, ``.tex``.

        ``.gif`` is a film over the moments of training. Missing folders are made. What follows is of pictures alone.

        Args:
            path: of the file.
            item: its number, from 1, as the page counts them; None is the first.
            look: ``own source``, ``own target``, ``own text``: self-attention; None for what is shown first.
            layer: from 1; None for the last.
            head: from 1; None for the mean of all.
            joined: draw words, of weights of pieces of them.
            width: of a column, with its unit, ``8.4cm``; None for as wide as it is drawn.
            cmap: a colour map of matplotlib's.

        Raises:
            ConfigError: there is no such thing here, or no such format.
        """
        from attnlab.analysis.viewer.films import save_film
        from attnlab.analysis.viewer.pictures import Chosen, save_picture

        place, chosen = Path(path), Chosen(look, layer, head, joined, width)
        if place.suffix not in (".html", ".htm"):
            draw = save_film if place.suffix.lower() == ".gif" else save_picture
            with colored(cmap):
                draw(self._collected, item or 1, chosen, place)
        elif item is not None or cmap is not None or chosen != Chosen():
            raise ConfigError(f"{place}: item, look, layer, head, joined, width and cmap are of a picture (.pdf)")
        else:
            write_text(place, self.html)
        return place

    def _repr_html_(self) -> str:
        frame = "width:100%;border:1px solid #888;border-radius:4px"
        return (
            f'<iframe title="Attention" sandbox="allow-scripts allow-downloads allow-modals" height="{HEIGHT}" '
            f'style="{frame}" srcdoc="{html.escape(self.html)}"></iframe>'
        )

    def __repr__(self) -> str:
        return f"View({len(self._collected.items):,} items; .save('view.html' or 'seen.pdf'), or show it in a notebook)"


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
    over_training: bool = False,
    trust: Sequence[str] = (),
) -> View:
    """What finished runs look at, as ``attnlab view`` shows it: one page, to be shown or saved; or pictures.

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
        over_training: the validation items that the runs looked at after each validation, in place of the tested ones.
        trust: packages of yours that the runs may be built from.

    Raises:
        ConfigError, DataError, MistakesError: what is wrong, and what to change.
    """
    from attnlab.cli.viewing.collecting import runs_of
    from attnlab.cli.viewing.settings import Settings
    from attnlab.cli.viewing.view import collect

    if isinstance(texts, str):
        raise TypeError(f"texts: got the text {texts[:40]!r}, expected a list of texts: [{texts[:40]!r}]")
    folders.register()
    several = [runs] if isinstance(runs, str | Path | TrainedRun) else list(runs)
    names = [run.folder if isinstance(run, TrainedRun) else run for run in several]
    trusted = {*trust, *(name for run in several if isinstance(run, TrainedRun) for name in run.trust)}
    settings = Settings(
        split, items, own, target, tuple(checkpoints), tuple(sorted(trusted)), megabytes, None, over_training
    )
    return View(collect(runs_of(names), None if texts is None else lambda _: list(texts), settings), megabytes)
