"""The files that other commands and other people's tools read: their names and keys are stable."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from attnlab.atomic import replacing
from attnlab.strict_json import dumps

Value = str | int | float | bool | None


UNDRAWN = ("number", "heads")
TRAINING = "training"  #: the folder in attention/ with a file a validation
Links = Sequence[tuple[int, int]]  #: (column, row), 0-based


class Map(NamedTuple):
    """The attention of one item: what one figure shows."""

    number: int  #: of the item in its split
    weights: Float[np.ndarray, "T S"]  #: a row for each that looks, a column for each that is looked at
    columns: list[str]  #: names of what is looked at: the words of a source sentence
    rows: list[str]  #: names of what looks: the words of a translation, "last state"
    heads: Float[np.ndarray, "L H T S"] | None = None  #: the same by layer and head, where there are any
    text: bool = False  #: columns are read as running text, shaded by each row's weights
    note: str = ""  #: what a figure says of the item besides: its class, and the one that it was given
    sentences: list[int] | None = None  #: of a text that is a document: columns of each sentence, one after another
    sentence_weights: Float[np.ndarray, "R N"] | None = None  #: of R looks at the sentences
    lags: bool = False  #: columns are numbers on an axis: how many points before a forecast each lies
    back: Float[np.ndarray, "S T"] | None = None  #: what the columns look at among the rows, where both sides look
    sides: tuple[str, str] = ("columns", "rows")  #: what the text of the columns is called, and that of the rows
    gold: tuple[Links, Links] | None = None  #: of two texts, links known to be true: sure ones, and possible ones

    def drawn(self, title: str) -> dict[str, Any]:
        """What a picture of it is made from; numbers and heads are of other ones."""
        return {"title": title, **{name: value for name, value in self._asdict().items() if name not in UNDRAWN}}


def save_metrics(path: Path, metrics: Mapping[str, Any]) -> None:
    """Write one JSON object; a number that JSON has not (NaN, infinity) is null."""
    _save_text(path, [dumps(dict(metrics), indent=2)])


def save_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write a JSON line an item."""
    _save_text(path, (dumps(dict(line)) for line in lines))


def save_maps(path: Path, maps: Sequence[Map], moment: tuple[int, int] | None = None) -> None:
    """Write maps as one ``.npz`` that ``numpy.load(path, allow_pickle=False)`` reads.

    ``sentences`` lists the item numbers n; for each there are ``weights_n`` [T, S] (float32), the names of the columns
    as ``source_tokens_n`` [S] and those of the rows as ``target_tokens_n`` [T]. Where columns are a running text,
    ``text_n`` is there, with what is to be said of it; of a document ``sentences_n`` [N], the tokens of each sentence,
    and ``sentence_weights_n`` [R, N], where sentences are looked at. Where columns are lags, ``lags_n`` is there; where
    they look at the rows, too, ``weights_back_n`` [S, T]; where true links are known, ``sure_n`` and ``possible_n``
    [K, 2], of columns and rows.

    Args:
        path: of the file.
        maps: of items.
        moment: of training, its epoch (from 1) and update: kept as ``epoch`` and ``step``, and besides of every item
            ``heads_n`` [L, H, T, S] (float16), where there are heads.
    """
    arrays: dict[str, NDArray[Any]] = {"sentences": np.array([item.number for item in maps], dtype=np.int64)}
    for item in maps:
        arrays[f"weights_{item.number}"] = np.asarray(item.weights, dtype=np.float32)
        arrays[f"source_tokens_{item.number}"] = np.array(item.columns, dtype=np.str_)
        arrays[f"target_tokens_{item.number}"] = np.array(item.rows, dtype=np.str_)
        if item.back is not None:
            arrays[f"weights_back_{item.number}"] = np.asarray(item.back, dtype=np.float32)
        if item.text:
            arrays[f"text_{item.number}"] = np.array(item.note, dtype=np.str_)
        if item.sentences is not None:
            arrays[f"sentences_{item.number}"] = np.array(item.sentences, dtype=np.int64)
        if item.sentence_weights is not None:
            arrays[f"sentence_weights_{item.number}"] = np.asarray(item.sentence_weights, dtype=np.float32)
        if item.lags:
            arrays[f"lags_{item.number}"] = np.array(True)
        for name, links in zip(("sure", "possible"), item.gold or (), strict=False):
            arrays[f"{name}_{item.number}"] = np.array(list(links), dtype=np.int64).reshape(-1, 2)
        if moment is not None and item.heads is not None:
            arrays[f"heads_{item.number}"] = np.asarray(item.heads, dtype=np.float16)
    if moment is not None:
        arrays["epoch"], arrays["step"] = (np.array(number, dtype=np.int64) for number in moment)
    with replacing(path) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)


def _save_text(path: Path, lines: Iterable[str]) -> None:
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
