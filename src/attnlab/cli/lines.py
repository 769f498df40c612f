"""Translating lines of text: reading, batching, writing."""

import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, open_dict

from attnlab.cli import build
from attnlab.cli.quiet import quiet, set_up_torch
from attnlab.cli.runs import checkpoint_file, find
from attnlab.cli.streams import make_folder, note, open_input, open_output
from attnlab.cli.translator import Translation, Translator
from attnlab.cli.weights import load_weights
from attnlab.data import files
from attnlab.data.encoding import foreign
from attnlab.data.files import bounded, too_long, unpacked
from attnlab.data.text import parse
from attnlab.data.tokenizers.load import load
from attnlab.strict_json import dumps
from attnlab.types import ConfigError, DataError


class Line(NamedTuple):
    """A line of the input, cleaned; why it is not translated, where it is not."""

    number: int
    text: str
    fault: str = ""


def translate_lines(config: DictConfig) -> None:
    """Translate the input to the output, in order, a chunk at a time.

    Raises:
        ConfigError, DataError: with what to change.
    """
    quiet()
    set_up_torch()
    if config.chunk < 1 or config.nbest < 1:
        raise ConfigError(f"chunk={config.chunk} nbest={config.nbest}: expected 1 or more")
    name = config.input or "standard input"
    with open_input(config.input) as source, open_output(config.output, source) as target:
        translator = restore(config)
        plot = Path(config.plot) if config.plot else None
        if plot is not None:
            make_room(plot, translator)
        wanted, left = candidates(config), 0
        lines = sentences(source, name)
        for read in chunks(lines, 1 if source.isatty() else config.chunk):
            chunk = [fitting(line, translator, config.max_source_length) for line in read]
            found = translator([line.text for line in chunk])
            for line, translations in zip(chunk, found, strict=True):
                if line.fault:
                    left += 1
                    note(f"{name}, line {line.number}: {line.fault}; its translation is left empty")
                target.write(written(config.format, line, translations, wanted))
                if plot is not None and translations:
                    draw(plot / f"{line.number}.png", translations[0])
            target.flush()
        if left:
            note(f"{left} of the lines of {name} were not translated")


def require_no_file_of_a_run(output: str | None, folder: Path) -> None:
    """Raise ConfigError where a translation would take the place of something that the run itself has left."""
    place = None if output is None else Path(output).resolve()
    if place is not None and place.exists() and place.is_relative_to(folder):
        raise ConfigError(f"output={output}: this is a file of the run {folder} itself; choose another name")


def restore(config: DictConfig) -> Translator:
    """The model and the tokenizers of the run, ready to translate."""
    folder = find(str(config.run)).resolve()
    require_no_file_of_a_run(config.output, folder)  # nothing takes its place before the end
    source, target = (load(folder / "tokenizer" / f"{side}.json") for side in ("source", "target"))
    if config.nbest > 1:
        ask_for(config, config.nbest)
    network: Any = build.model(config, {"source_vocabulary": len(source), "target_vocabulary": len(target)})
    load_weights(network, checkpoint_file(folder, config.checkpoint), folder)
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device=cuda: torch finds no CUDA device; use device=cpu")
    cuda = config.device != "cpu" and torch.cuda.is_available()
    return Translator(network, source, target, instantiate(config.search), torch.device("cuda" if cuda else "cpu"))


KEYS = {"n_best": "beam", "samples": "samples"}  #: how many translations a search gives: how wide it is


def ask_for(config: DictConfig, number: int) -> None:
    """Let the search keep ``number`` translations of a sentence, and be wide enough to find them."""
    key = next((key for key in KEYS if key in config.search), None)
    if key is None:
        raise ConfigError(f"nbest={number}: this search finds one translation; add search=beam or search=sampling")
    with open_dict(config):
        config.search[key] = number
        config.search[KEYS[key]] = max(number, config.search[KEYS[key]])


def candidates(config: DictConfig) -> int:
    """Translations of a sentence that the search is asked for."""
    return next((int(config.search[key]) for key in KEYS if key in config.search), 1)


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


def sentences(source: BufferedReader, name: str) -> Iterator[Line]:
    """Cleaned lines with their numbers, plain or out of a gzip stream; a line where nothing shows is empty.

    Raises:
        DataError: what comes is no UTF-8.
    """
    try:
        file = unpacked(source)
        seen = foreign(file.peek())
        if seen is not None:
            raise DataError(f"{name}: {seen}")
        for number, raw in enumerate(bounded(file, name), 1):
            text, fault = ("", f"over {files.LONGEST_LINE} bytes") if too_long(raw) else parse(raw)
            if fault in ("", "empty side") or too_long(raw):
                yield Line(number, text, fault if too_long(raw) else "")
            else:
                raise DataError(f"{name}, line {number}: {fault}; expected UTF-8 text")
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name}: cannot be read on ({error})") from error


def fitting(line: Line, translator: Translator, most: int | None) -> Line:
    """The line, or what is wrong with it if it has more tokens than may be or than the model knows positions."""
    limits = {f"max_source_length={most}": most, "the end of the run's positions": translator.model.longest_source}
    known = [(limit, name) for name, limit in limits.items() if limit is not None]
    if not known or len(line.text) < min(known)[0]:  # a token is a character at least, and one blank goes before all
        return line
    tokens = len(translator.source.encode(line.text))
    limit, name = min(known)
    if tokens <= limit:
        return line
    return Line(line.number, "", f"{tokens} tokens, over the {limit} of {name}")


def written(kind: str, line: Line, translations: list[Translation], wanted: int) -> str:
    """``wanted`` lines (empty ones where there is no translation), or one JSON object."""
    if kind == "text":
        texts = [item.text for item in translations]
        return "".join(f"{text}\n" for text in [*texts, *[""] * (wanted - len(texts))])
    found = [item.as_json() for item in translations]
    told = {"line": line.number, "source": line.text, "translations": found}
    return dumps(told | ({"error": line.fault} if line.fault else {})) + "\n"


def make_room(plot: Path, translator: Translator) -> None:
    """See to it, before anything is translated, that pictures can be drawn and have a folder."""
    if not translator.model.draws_alignment:
        raise ConfigError(f"plot={plot}: the attention of this run draws no alignment; leave plot out")
    make_folder("plot", plot)


def draw(path: Path, best: Translation) -> None:
    """A picture of what the translation looked at."""
    from attnlab.viz.heatmap import heatmap, save

    assert best.weights is not None
    save(heatmap(best.weights, best.source_tokens, best.tokens), path)
