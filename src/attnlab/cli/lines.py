"""Translating lines of text: reading, batching, writing."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, open_dict

from attnlab.cli import build
from attnlab.cli.quiet import quiet, set_up_torch
from attnlab.cli.runs import checkpoint_file, find
from attnlab.cli.translator import Translation, Translator
from attnlab.cli.weights import load_weights
from attnlab.data.reading import clean
from attnlab.data.tokenizers.load import load
from attnlab.strict_json import dumps
from attnlab.types import ConfigError, DataError

Numbered = tuple[int, str]


def translate_lines(config: DictConfig) -> None:
    """Translate the input to the output, in order, a chunk at a time.

    Raises:
        ConfigError, DataError: with what to change.
    """
    quiet()
    set_up_torch()
    if config.chunk < 1 or config.nbest < 1:
        raise ConfigError(f"chunk={config.chunk} nbest={config.nbest}: expected 1 or more")
    translator = restore(config)
    plot = Path(config.plot) if config.plot else None
    if plot is not None and not translator.model.draws_alignment:
        raise ConfigError(f"plot={plot}: the attention of this run draws no alignment; leave plot out")
    with open_input(config.input) as source, open_output(config.output) as target:
        lines = sentences(source, config.input or "standard input")
        for chunk in chunks(lines, 1 if source.isatty() else config.chunk):
            found = translator([line for _, line in chunk])
            for (number, line), translations in zip(chunk, found, strict=True):
                write(target, config.format, number, line, translations)
                if plot is not None and translations:
                    draw(plot / f"{number}.png", translations[0])
            target.flush()


def restore(config: DictConfig) -> Translator:
    """The model and the tokenizers of the run, ready to translate."""
    folder = find(str(config.run)).resolve()
    source, target = (load(folder / "tokenizer" / f"{side}.json") for side in ("source", "target"))
    if config.nbest > 1:
        ask_for(config, config.nbest)
    network = build.model(config, len(source), len(target))
    load_weights(network, checkpoint_file(folder, config.checkpoint), folder)
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device=cuda: torch finds no CUDA device; use device=cpu")
    cuda = config.device != "cpu" and torch.cuda.is_available()
    return Translator(network, source, target, instantiate(config.search), torch.device("cuda" if cuda else "cpu"))


def ask_for(config: DictConfig, number: int) -> None:
    """Let the search keep ``number`` translations of a sentence, and be wide enough to find them."""
    keys = {"n_best": "beam", "samples": "samples"}
    key = next((key for key in keys if key in config.search), None)
    if key is None:
        raise ConfigError(f"nbest={number}: this search finds one translation; add search=beam or search=sampling")
    with open_dict(config):
        config.search[key] = number
        config.search[keys[key]] = max(number, config.search[keys[key]])


def chunks(lines: Iterator[Numbered], size: int) -> Iterator[list[Numbered]]:
    """So many lines together; what stands before a line that cannot be read is handed on before the error."""
    chunk: list[Numbered] = []
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


def sentences(source: Iterable[bytes], name: str) -> Iterator[Numbered]:
    """Cleaned lines with their numbers; an empty line is an empty sentence.

    Raises:
        DataError: a line is not UTF-8.
    """
    for number, raw in enumerate(source, 1):
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(f"{name}, line {number}: invalid UTF-8 ({error.reason}); convert it to UTF-8") from error
        yield number, clean(text)


def open_input(path: str | None) -> Any:
    if path is None:
        return nullcontext(sys.stdin.buffer)
    if not Path(path).is_file():
        raise ConfigError(f"input={path}: there is no such file")
    return Path(path).open("rb")


def open_output(path: str | None) -> Any:
    if path is None:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        return nullcontext(sys.stdout)
    return Path(path).open("w", encoding="utf-8", newline="\n")


def write(target: IO[str], kind: str, number: int, source: str, translations: list[Translation]) -> None:
    """One line a translation (an empty one for an empty sentence), or one JSON object a sentence."""
    if kind == "text":
        target.writelines(f"{item.text}\n" for item in translations)
        if not translations:
            target.write("\n")
        return
    found = [item.as_json() for item in translations]
    line = {"line": number, "source": source, "translations": found}
    target.write(dumps(line) + "\n")


def draw(path: Path, best: Translation) -> None:
    """A picture of what the translation looked at."""
    from attnlab.viz.heatmap import heatmap, save

    assert best.weights is not None
    save(heatmap(best.weights, best.source_tokens, best.tokens), path)
