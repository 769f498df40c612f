"""A trained run, from its folder."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnlab.analysis.reading import read_lines
from attnlab.analysis.runs import Item, Point, Run, read_run
from attnlab.api.commands import execute, noting, words
from attnlab.bounded import read_json
from attnlab.cli import folders
from attnlab.cli.app import composed
from attnlab.cli.artifacts import fetched, is_artifact
from attnlab.cli.commands import evaluate, explain, predict, translate
from attnlab.cli.config.command_line import literal, trusting
from attnlab.cli.runs import EXPLANATIONS, RESULTS, find
from attnlab.cli.trust import read
from attnlab.errors import ConfigError, DataError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from attnlab.api.weights import AttentionWeights
    from attnlab.cli.lines import Answers
    from attnlab.cli.translator import TranslationResult
    from attnlab.tasks.prediction import Prediction

CHUNK = 64  # texts at a time


def load(name: str | Path = "latest", *, trust: Sequence[str] = (), checkpoint: str = "best") -> "TrainedRun":
    """A run by its folder (a job of a sweep is one, too), ``latest``, or the name of a W&B artifact that holds one.

    Args:
        name: ``outputs/grammar/bahdanau/2026-11-23_10-00-00``, ``latest``, ``my-team/my-project/run-abc123:v0``.
        trust: packages of yours that the run may be built from.
        checkpoint: ``best``, ``last`` or a file.

    Raises:
        MistakesError: there is no such run, which ones there are.
        ConfigError: an artifact that cannot be fetched.
    """
    folders.register()
    text = str(name)
    folder = fetched(text) if is_artifact(text) else find(text)
    return TrainedRun(folder.resolve(), tuple(trust), checkpoint)


class TrainedRun:
    """A run, ready to be asked. Its model is built when it is first needed, and kept.

    Args:
        folder: what ``train.py`` left.
        trust: packages that it may be built from besides what attnlab provides.
        checkpoint: whose weights are taken.
    """

    def __init__(self, folder: Path, trust: Sequence[str] = (), checkpoint: str = "best") -> None:
        self.folder, self.trust, self.checkpoint = folder, tuple(trust), checkpoint
        self._built: dict[tuple[str, ...], Any] = {}

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The configuration as composed; interpolations are left as they stand."""
        return read(self.folder)

    @cached_property
    def files(self) -> Run:
        """Everything that the run has left, as comparisons read it.

        Raises:
            DataError: it is not finished, and why.
        """
        return read_run(self.folder)

    @property
    def metrics(self) -> Mapping[str, Any]:
        """``metrics.json``: ``test/bleu``, ``params``, …

        Raises:
            DataError: the run is not finished.
        """
        return self.files.metrics

    @property
    def history(self) -> tuple[Point, ...]:
        """The learning curves: step, epoch, seconds, and the values known at each point."""
        return self.files.history

    def items(self, split: str = "test") -> tuple[Item, ...]:
        """What was tested: input, reference, output of each item, and its whole record.

        Raises:
            DataError: the run has no such split.
        """
        return self.files.items(split)

    @property
    def translates(self) -> bool:
        """Whether it makes translations; else it makes predictions."""
        return self.config.get("search") is not None

    def translate(self, texts: Sequence[str], overrides: Sequence[str] = (), *, nbest: int = 1) -> list[Any]:
        """Translate sentences, as ``translate.py`` does.

        Args:
            texts: the sentences; an empty one has an empty translation.
            overrides: of its command line, ``["search=beam", "search.beam=10"]``.
            nbest: translations of each; more than one takes a beam or sampling.

        Returns:
            A text a sentence; with ``nbest`` > 1 a list of texts, the best one first, fewer where fewer were found.

        Raises:
            ConfigError, DataError, MistakesError: what is wrong: a run that does not translate, a sentence too long.
        """
        found = self.translations(texts, overrides, nbest=nbest)
        if nbest > 1:
            return [[item.text for item in several] for several in found]
        return [several[0].text if several else "" for several in found]

    def translations(
        self, texts: Sequence[str], overrides: Sequence[str] = (), *, nbest: int = 1
    ) -> "list[list[TranslationResult]]":
        """As :meth:`translate`, with score, log-probability, tokens and weights of every translation."""
        return self._answers(self._translations(overrides, nbest), texts)

    def predict(self, texts: Sequence[str], overrides: Sequence[str] = ()) -> "list[Prediction | None]":
        """What the run makes of texts, as ``attnlab predict`` tells it; None for a text where nothing shows.

        Of a classification each has ``predicted``, ``probabilities``, ``tokens``, ``weights``. Of a forecasting a text
        is all of a CSV, and each has ``values``, ``quantiles``, ``lags``, ``weights``.

        Raises:
            ConfigError, DataError, MistakesError: what is wrong: a run that translates, a text too long.
        """
        return self._answers(self._predictions(overrides), texts)

    def attend(self, text: str, output: str | None = None, overrides: Sequence[str] = ()) -> "AttentionWeights":
        """What the run looks at in a text: weights as numpy, with the names of both axes, of all layers and heads.

        Args:
            text: a sentence.
            output: a translation to be decoded by force; None for the run's own.
            overrides: of the command line of ``translate.py`` or ``attnlab predict``.

        Raises:
            ConfigError: the run draws no attention, or nothing shows in the text.
        """
        from attnlab.api.weights import weights_of

        if not isinstance(text, str):
            raise TypeError(f"attend: got {type(text).__name__}, expected one text")
        answers = self._translations(overrides) if self.translates else self._predictions(overrides)
        (line,) = self._checked(answers, [text])
        ((said, seen),) = answers.seen([line], [output]) if line else [("", None)]
        if seen is None:
            raise ConfigError(f"attend: {answers.undrawable or f'nothing shows in {text!r}'}")
        return weights_of(seen, text, said)

    def evaluate(self, overrides: Sequence[str] = ()) -> dict[str, Any]:
        """Score the run again, as ``evaluate.py`` does; the files are written, too.

        Args:
            overrides: of its command line, ``["dataset=newstest", "search=beam"]``.

        Returns:
            ``{"test/bleu": …}`` and what was asked.
        """
        named: list[str] = []
        command = noting(evaluate.COMMAND, lambda config: named.append(str(config.name)))
        execute(command, self._asked(words(overrides)))
        found: dict[str, Any] = read_json(self.folder / RESULTS / f"{named[-1]}.json")
        return found

    def explain(self, overrides: Sequence[str] = ()) -> dict[str, Any]:
        """Measure whether its attention explains what it says, as ``attnlab explain`` does; the files are written, too.

        Args:
            overrides: of its command line, ``["items=20", "starts=0"]``.

        Returns:
            ``{"explanation/tau_gradient": …}``, what was asked, and ``lines``, a table an instance.
        """
        named: list[str] = []
        command = noting(explain.COMMAND, lambda config: named.append(str(config.name)))
        execute(command, self._asked(words(overrides)))
        place = self.folder / EXPLANATIONS / named[-1]
        found: dict[str, Any] = read_json(place / "explanation.json")
        return found | {"lines": list(read_lines(place / "explanation.jsonl"))}

    def plot(self, quantity: str | None = None) -> "Figure":
        """The learning curve, a matplotlib figure.

        Args:
            quantity: ``val/bleu``, ``train/loss``, …; None is what checkpoints were chosen by.

        Raises:
            ConfigError: it was not recorded.
        """
        from attnlab.api.pages import learning_curve

        return learning_curve(self, quantity)

    @property
    def name(self) -> str:
        """``grammar bahdanau 2026-11-23_10-00-00``: the last parts of the folder."""
        return " ".join(self.folder.parts[-3:])

    def _asked(self, overrides: Sequence[str]) -> list[str]:
        trust = trusting(self.trust)
        return [f"run={literal(str(self.folder))}", f"checkpoint={literal(str(self.checkpoint))}", *trust, *overrides]

    def _restored(self, command: Any, kind: Any, overrides: Sequence[str]) -> Any:
        key = (command.name, *overrides)
        if key not in self._built:
            self._built[key] = kind.restore(composed(command, self._asked(overrides)))
        return self._built[key]

    def _translations(self, overrides: Sequence[str], nbest: int = 1) -> Any:
        from attnlab.cli.translating import Translations

        if not self.translates:
            raise ConfigError(f"{self}: translates nothing; use run.predict([…])")
        return self._restored(translate.COMMAND, Translations, [*words(overrides), f"nbest={nbest}"])

    def _predictions(self, overrides: Sequence[str]) -> Any:
        from attnlab.cli.predicting import Predictions

        if self.translates:
            raise ConfigError(f"{self}: searches for translations; use run.translate([…])")
        return self._restored(predict.COMMAND, Predictions, words(overrides))

    def _answers(self, answers: "Answers", texts: Sequence[str]) -> list[Any]:
        """The answers to texts, in order."""
        from attnlab.data.progress import bar

        lines = self._checked(answers, texts)
        found: list[Any] = []
        with bar("texts", len(lines)) as shown:
            for start in range(0, len(lines), CHUNK):
                found += answers(lines[start : start + CHUNK])
                shown.advance(len(lines[start : start + CHUNK]))
        return found

    def _checked(self, answers: "Answers", texts: Sequence[str]) -> list[str]:
        """The texts, cleaned; empty ones where nothing shows.

        Raises:
            TypeError: one text instead of a list.
            DataError: a text that is too long or has what no text has, which.
        """
        from attnlab.cli.lines import Line, fitting
        from attnlab.data.text import EMPTY

        if isinstance(texts, str):
            raise TypeError(f"got the text {texts[:40]!r}, expected a list of texts: [{texts[:40]!r}]")
        lines = []
        for number, text in enumerate(texts):
            clean, fault = (text, "") if answers.whole else answers.clean(text)
            line = fitting(Line(number, clean), answers)
            if line.fault or fault not in ("", EMPTY):
                raise DataError(f"texts[{number}]: {line.fault or fault}")
            lines.append(line.text)
        return lines

    def _repr_html_(self) -> str:
        from attnlab.api.pages import page

        return page(self)

    def __repr__(self) -> str:
        return f"attnlab.load({str(self.folder)!r})"
