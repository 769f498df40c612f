"""Making something of lines of text with a trained run: reading, batching, writing."""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BufferedReader
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from omegaconf import DictConfig

from attnlab.cli.ensembles import folders_of_members
from attnlab.cli.logging import quiet, set_up_torch
from attnlab.cli.runs import checkpoint_file, find
from attnlab.cli.streams import make_folder, note, open_input, open_output
from attnlab.cli.wandb_noting import note_answers, recorded
from attnlab.data import files
from attnlab.data.encoding import foreign
from attnlab.data.files import bounded, too_long, unpacked
from attnlab.data.text import EMPTY, INVALID, NUL, WITH_NUL, Field, decoded, field, visible
from attnlab.tasks.prediction import Seen
from attnlab.types import ConfigError, DataError
from attnlab.viz.palette import colored


class Line(NamedTuple):
    """A line of the input, cleaned; why nothing is made of it, where nothing is."""

    number: int
    text: str
    fault: str = ""


class Answers(ABC):
    """What a command makes of lines, and how that is written."""

    output: ClassVar[str]  #: what is made of a line: "translation"
    done: ClassVar[str]  #: what is done with it: "translated"

    @property
    def whole(self) -> bool:
        """Whether all of an input is one item, line ends and all."""
        return False

    @property
    @abstractmethod
    def limits(self) -> Mapping[str, int | None]:
        """Most tokens of a line, by what says so; None is any number."""

    @property
    @abstractmethod
    def undrawable(self) -> str:
        """Why no picture can be drawn; empty where one can."""

    @property
    def remark(self) -> str:
        """What is to be said of all answers, once they are given; empty where there is nothing."""
        return ""

    def fault(self, text: str) -> str:
        """Why nothing can be made of a line, in which something shows; empty where something can."""
        return ""

    @abstractmethod
    def tokens(self, text: str) -> int:
        """How many tokens a line has."""

    def clean(self, text: str) -> Field:
        """A line as the rest takes it, or what is wrong with it."""
        return field(text)

    @abstractmethod
    def unknown(self, text: str) -> list[str]:
        """The tokens of a line that the run's vocabulary does not have."""

    @abstractmethod
    def __call__(self, texts: Sequence[str]) -> Sequence[Any]:
        """What is made of each line; something that is false where nothing is."""

    @abstractmethod
    def seen(
        self, texts: Sequence[str], outputs: Sequence[str | None] | None = None, own: bool = True
    ) -> list[tuple[str, Seen | None]]:
        """What is made of texts, and what is looked at for each, by all layers and heads; None where nothing is.

        Args:
            texts: in each of which something shows.
            outputs: to be made of them; None for the run's own.
            own: besides, what layers look at in their own sentence.

        Raises:
            ConfigError: this output cannot be made.
        """

    @abstractmethod
    def written(self, line: Line, found: Any) -> str:
        """That, as the output has it, line ends and all."""

    @abstractmethod
    def draw(self, path: Path, number: int, found: Any) -> None:
        """Draw what a line was looked at for it."""


def answer_lines(config: DictConfig, kind: type[Answers], restore: Callable[[], Answers]) -> None:
    """Answer the input in the output, in order, a chunk at a time.

    Args:
        config: ``input``, ``output``, ``chunk``, ``plot`` and ``cmap``, as conf/translate.yaml has them.
        kind: of answers.
        restore: makes the run ready, once input and output are known to be there.

    Raises:
        ConfigError, DataError: with what to change.
    """
    quiet()
    set_up_torch()
    name = config.input or "standard input"
    folder = find(str(config.run)).resolve() if config.wandb else None
    if folder is not None:
        recorded(folder)
    with (
        colored(config.cmap),
        open_input(config.input) as source,
        open_output(config.output, source, kind.done) as target,
    ):
        answers = restore()
        plot = Path(config.plot) if config.plot else None
        if plot is not None:
            make_room(plot, answers)
        count, left, strange = 0, 0, Strange(name)
        lines = table(source, name) if answers.whole else sentences(source, name, answers.clean)
        for read in chunks(lines, 1 if source.isatty() else config.chunk):
            chunk = [fitting(line, answers) for line in read]
            for line, found in zip(chunk, answers([line.text for line in chunk]), strict=True):
                count += 1
                if line.fault:
                    left += 1
                    note(f"{name}, line {line.number}: {line.fault}; its {kind.output} is left empty")
                strange.see(line, answers)
                target.write(answers.written(line, found))
                if plot is not None and found:
                    answers.draw(plot / f"{line.number}.png", line.number, found)
            target.flush()
        strange.close()
        if remark := answers.remark:
            note(remark)
        if left:
            note(f"{left} of the lines of {name} were not {kind.done}")
    if config.output is not None:
        note(f"{count - left:,} of {count:,} lines {kind.done}: {config.output}")
    if folder is not None:
        further = folders_of_members(config)
        note_answers(folder, checkpoint_file(folder, config.checkpoint), further, config.output, kind.output)


class Strange:
    """Counts tokens that the vocabulary does not have, and says so at the end: of those nothing was learnt.

    Args:
        name: of the input.
    """

    def __init__(self, name: str) -> None:
        self.name, self.tokens, self.lines, self.first = name, 0, 0, ""

    def see(self, line: Line, answers: Answers) -> None:
        if words := answers.unknown(line.text) if line.text else []:
            self.first = self.first or f"{words[0]!r} in line {line.number}"
            self.tokens, self.lines = self.tokens + len(words), self.lines + 1

    def close(self) -> None:
        if self.tokens:
            note(
                f"{self.name}: unknown to the run: {self.tokens} of the tokens, in {self.lines} of the lines; first "
                f"{self.first} (format=json marks them)"
            )


def run_folder(config: DictConfig) -> Path:
    """The folder of the run that answers.

    Raises:
        ConfigError: the output would take the place of something that the run itself has left.
    """
    folder = find(str(config.run)).resolve()
    if str(config.run) == "latest":
        note(f"run: {folder}")
    place = None if config.output is None else Path(config.output).resolve()
    if place is not None and place.exists() and place.is_relative_to(folder):
        raise ConfigError(f"output={config.output}: this is a file of the run {folder} itself; choose another name")
    return folder


def device_of(name: str) -> torch.device:
    """The device of ``device=auto``, ``cpu`` or ``cuda``.

    Raises:
        ConfigError: there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device=cuda: torch finds no CUDA device; use device=cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def make_room(plot: Path, answers: Answers) -> None:
    """See to it, before anything is done, that pictures can be drawn and have a folder."""
    if answers.undrawable:
        raise ConfigError(f"plot={plot}: {answers.undrawable}; leave plot out")
    make_folder("plot", plot)


def chunks(lines: Iterator[Line], size: int) -> Iterator[list[Line]]:
    """So many lines together; what stands before a line that cannot be read is handed on before the error."""
    chunk: list[Line] = []
    try:
        for line in lines:
            chunk.append(line)
            if len(chunk) == size:
                yield chunk
                chunk = []
    except DataError:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk


def sentences(source: BufferedReader, name: str, clean: Callable[[str], Field] = field) -> Iterator[Line]:
    """Cleaned lines with their numbers, plain or out of a gzip stream; a line where nothing shows is empty.

    Args:
        source: where they come from.
        name: of the input.
        clean: says what a line is taken for, or what is wrong with it alone.

    Raises:
        DataError: what comes is no UTF-8.
    """
    try:
        file = unpacked(source)
        seen = foreign(file.peek())
        if seen is not None:
            raise DataError(f"{name}: {seen}")
        for number, raw in enumerate(bounded(file, name), 1):
            if too_long(raw):
                yield Line(number, "", f"over {files.LONGEST_LINE} bytes")
                continue
            text = decoded(raw)
            if text is None or (NUL in text and visible(text)):
                fault = INVALID if text is None else WITH_NUL
                raise DataError(f"{name}, line {number}: {fault}; expected UTF-8 text")
            cleaned, fault = clean(text)
            yield Line(number, cleaned, "" if fault == EMPTY else fault)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name}: cannot be read on ({error})") from error


def table(source: BufferedReader, name: str) -> Iterator[Line]:
    """All of an input as one text, plain or out of a gzip stream.

    Raises:
        DataError: what comes is no UTF-8, or has no end.
    """
    try:
        text = b"".join(bounded(unpacked(source), name)).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: byte {error.start}: invalid UTF-8; expected UTF-8 text") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name}: cannot be read on ({error})") from error
    yield Line(1, text)


def fitting(line: Line, answers: Answers) -> Line:
    """The line, or what is wrong with it, as that it has more tokens than may be or than the model knows positions."""
    if line.text and (fault := answers.fault(line.text)):
        return Line(line.number, "", fault)
    known = [(limit, name) for name, limit in answers.limits.items() if limit is not None]
    if not known or len(line.text) < min(known)[0]:  # a token is a character at least, and one blank goes before all
        return line
    tokens = answers.tokens(line.text)
    limit, name = min(known)
    if tokens <= limit:
        return line
    return Line(line.number, "", f"{tokens} tokens, over the {limit} of {name}")
