"""Instances of a model of the library ``transformers`` and of texts, for ``attnlab explain run=<its folder>``."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int
from omegaconf import DictConfig
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from attnlab.cli.lines import device_of
from attnlab.cli.viewing.view import texts_of
from attnlab.errors import ConfigError, DataError
from attnlab.pretrained.attending import NAME, register
from attnlab.pretrained.loading import FILLS, TRANSLATES, Loaded, Pair, kind_of, load, parted, until
from attnlab.pretrained.texts import Reader, ReadInstances, Whole, positions_of
from attnlab.pretrained.translations import Decoder, SaidInstances
from attnlab.tasks.explaining import About, Instances
from attnlab.tasks.translation.explaining import spread

Found = tuple[Instances, list[About]]


class Line(NamedTuple):
    """A text as the model reads it."""

    number: int  #: of the line, from 0
    ids: list[int]
    types: list[int]
    positions: list[int]  #: the places of what is no special piece
    second: str  #: of a pair: the translation


def instances_of(config: DictConfig, folder: Path) -> Iterator[Found]:
    """What is asked of the model about ``config.items`` of the lines of ``config.input``.

    Raises:
        ConfigError, DataError: with what to change.
    """
    wanted = require_texts(config, folder)
    kind = kind_of(folder)
    if not kind:
        raise ConfigError(
            f"run={folder}: this model was saved without a head, so it has no output that could be explained; save one "
            "that classifies, fills blanks or translates (…ForSequenceClassification, …ForMaskedLM, …)"
        )
    register()
    loaded = load(folder, kind, NAME)
    loaded.model.to(device_of(config.device)).requires_grad_(False)
    texts = texts_of(wanted, False)
    count = len(texts) if config["items"] is None else min(config["items"], len(texts))
    chosen = (np.arange(count) * len(texts) // count).tolist()
    lines = [line_of(loaded, number, parted(texts[number]), kind == TRANSLATES) for number in chosen]
    lines.sort(key=lambda line: len(line.ids))
    if kind == TRANSLATES:
        return translated(loaded, lines, config.batch, config.steps)
    reader = Reader(loaded, kind == FILLS)
    if kind == FILLS:
        return blanks(reader, lines, config.batch, config.steps)
    return classified(reader, lines, config.batch)


def require_texts(config: DictConfig, folder: Path) -> str:
    """The file of texts.

    Raises:
        ConfigError: there is none, or something is set that is a run's.
    """
    if config.input is None:
        raise ConfigError(f"run={folder}: a model of transformers; give it texts, a line each: input=my.txt")
    for name, empty in (("checkpoint", "best"), ("split", None), ("words", False), ("baselines", [])):
        if config[name] != empty:
            raise ConfigError(f"{name}={config[name]}: it is of runs, and {folder} is a model of transformers")
    return str(config.input)


def line_of(loaded: Loaded, number: int, pair: Pair, translates: bool) -> Line:
    """The pieces of a text, or of two that are read together.

    Raises:
        DataError: it is too long for the model, or nothing in it is a word.
    """
    first, second = pair
    read = loaded.tokenizer(first, None if translates or not second else second)
    ids = list(read["input_ids"])
    if len(ids) > loaded.most:
        raise DataError(f"input, text {number + 1}: {len(ids)} pieces, over the {loaded.most} positions of the model")
    special = set(loaded.tokenizer.all_special_ids) - {loaded.tokenizer.unk_token_id}
    positions = [place for place, piece in enumerate(ids) if piece not in special]
    if not positions:
        raise DataError(f"input, text {number + 1}: no word in it that the model would look at")
    types = read.get("token_type_ids")
    return Line(number, ids, [0] * len(ids) if types is None else list(types), positions, second)


def classified(reader: Reader, lines: Sequence[Line], size: int) -> Iterator[Found]:
    """Texts, each once."""
    names = reader.loaded.config.id2label
    for start in range(0, len(lines), size):
        part = lines[start : start + size]
        read = padded(reader.loaded, part)
        found = read_by(reader, part, read, reader.query(read), first=not start)
        said = zip(part, found.output.max(1).values.tolist(), found.predicted.tolist(), strict=True)
        yield (
            found,
            [
                About(
                    line.number, named(reader.loaded, line, line.positions), str(names[output]), {"probability": share}
                )
                for line, share, output in said
            ],
        )


def blanks(reader: Reader, lines: Sequence[Line], size: int, steps: int) -> Iterator[Found]:
    """Pieces of texts, some of each, that are blank and looked for.

    Raises:
        DataError: a text is one piece, beside which there is nothing.
    """
    loaded = reader.loaded
    if alone := next((line for line in lines if len(line.positions) == 1), None):
        raise DataError(f"input, text {alone.number + 1}: one piece; a blank needs others to be told by")
    asked = [(line, place) for line in lines for place in spread(len(line.positions), steps)]
    for start in range(0, len(asked), size):
        part, hidden = [], []
        for line, place in asked[start : start + size]:
            spot = line.positions[place]
            ids = [*line.ids[:spot], loaded.tokenizer.mask_token_id, *line.ids[spot + 1 :]]
            part.append(line._replace(ids=ids, positions=[other for other in line.positions if other != spot]))
            hidden.append((place, spot, line.ids[spot]))
        read = padded(loaded, part)
        query = torch.tensor([spot for _, spot, _ in hidden], device=loaded.model.device)
        found = read_by(reader, part, read, query, first=not start)
        said = zip(part, hidden, found.output.max(1).values.tolist(), found.predicted.tolist(), strict=True)
        yield found, [
            About(line.number, named(loaded, line, line.positions), loaded.word(output),
                  {"step": place, "target": loaded.word(target), "probability": share})
            for line, (place, _, target), share, output in said
        ]  # fmt: skip


def translated(loaded: Loaded, lines: Sequence[Line], size: int, steps: int) -> Iterator[Found]:
    """Words of translations, some of each; behind the words of the text, or of its own translation without one."""
    decoder = Decoder(loaded)
    for start in range(0, len(lines), size):
        part = lines[start : start + size]
        targets = [target_of(loaded, line) for line in part]
        inputs = [loaded.shifted(torch.tensor([target], device=loaded.model.device)) for target in targets]
        if not start:
            alone = padded(loaded, part[:1])
            decoder.look_into(alone["input_ids"], mask_of(alone), inputs[0][:, :1])
        by_step: dict[int, list[int]] = {}
        for row, target in enumerate(targets):
            for step in spread(len(target) - 1 or 1, steps):  # without its end
                by_step.setdefault(step, []).append(row)
        for step, rows in sorted(by_step.items()):
            chosen = [part[row] for row in rows]
            those = padded(loaded, chosen)
            with torch.no_grad():
                embedded_all = decoder.embedded(those["input_ids"])
            none = torch.zeros(len(rows), dtype=torch.long, device=embedded_all.device)
            whole, places = Whole(embedded_all, mask_of(those), None, none), places_of(chosen, those)
            previous = torch.cat([inputs[row][:, : step + 1] for row in rows])
            found = SaidInstances(*embedded(whole, places), decoder, whole, places, previous)
            said = zip(rows, found.output.max(1).values.tolist(), found.predicted.tolist(), strict=True)
            yield found, [
                About(part[row].number, named(loaded, part[row], part[row].positions), loaded.word(output), {
                    "step": step, "target": loaded.word(targets[row][step]), "probability": share,
                    "before": loaded.words(targets[row][:step]),
                })
                for row, share, output in said
            ]  # fmt: skip


def target_of(loaded: Loaded, line: Line) -> list[int]:
    """The pieces of the translation that is given, or of the model's own."""
    if line.second:
        return list(loaded.tokenizer(text_target=line.second)["input_ids"])
    ids = torch.tensor([line.ids], device=loaded.model.device)
    with torch.no_grad():
        made = loaded.model.generate(
            input_ids=ids, num_beams=1, do_sample=False, max_new_tokens=min(2 * len(line.ids) + 20, loaded.most - 1)
        )
    return until(made[0, 1:].tolist(), loaded.model.generation_config.eos_token_id)


def padded(loaded: Loaded, lines: Sequence[Line]) -> dict[str, Tensor]:
    """What the model reads."""
    pad = loaded.tokenizer.pad_token_id or 0
    rows = {"input_ids": [line.ids for line in lines], "attention_mask": [[1] * len(line.ids) for line in lines],
            "token_type_ids": [line.types for line in lines]}  # fmt: skip
    tensors = {
        name: pad_sequence([torch.tensor(row) for row in each], True, pad if name == "input_ids" else 0)
        for name, each in rows.items()
    }
    return {name: tensor.to(loaded.model.device) for name, tensor in loaded.taken(tensors).items()}


def mask_of(read: dict[str, Tensor]) -> Bool[Tensor, "N M"]:
    return read["attention_mask"].bool()


def places_of(lines: Sequence[Line], read: dict[str, Tensor]) -> Int[Tensor, "N S"]:
    """Where the positions of each text are; behind them, as many as there are pieces."""
    room = read["input_ids"].size(1)
    found = pad_sequence([torch.tensor(line.positions) for line in lines], True, room)
    return found.to(read["input_ids"].device)


def read_by(
    reader: Reader, lines: Sequence[Line], read: dict[str, Tensor], query: Int[Tensor, " N"], first: bool
) -> ReadInstances:
    """Texts, looked at from these pieces; with the first ones the model is looked into."""
    with torch.no_grad():
        inputs = reader.loaded.embedded(read["input_ids"])
    whole, places = Whole(inputs, mask_of(read), read.get("token_type_ids"), query), places_of(lines, read)
    if first:
        reader.look_into(whole, read)
    return ReadInstances(*embedded(whole, places), reader, whole, places)


def embedded(whole: Whole, places: Int[Tensor, "N S"]) -> tuple[Tensor, Tensor]:
    """The positions of instances, and which there are."""
    return positions_of(whole.inputs, places), places < whole.there.size(1)


def named(loaded: Loaded, line: Line, places: Sequence[int]) -> list[str]:
    return loaded.words([line.ids[place] for place in places])
