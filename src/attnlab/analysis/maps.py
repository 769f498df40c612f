"""The attention that a run has kept of some items: ``attention/maps.npz``, and after each validation in training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from attnlab.analysis.reading import BROKEN
from attnlab.errors import DataError
from attnlab.runs.writing import TRAINING

Links = Sequence[tuple[int, int]]


class AttentionMap(NamedTuple):
    """The attention weights of one item."""

    number: int  #: of the item in its split, from 0
    weights: Float[np.ndarray, "T S"]
    source_tokens: list[str]
    target_tokens: list[str]  #: of the hypothesis; the end of the sentence has a row where it was produced
    note: str | None = None  #: of a running text whose words are looked at, what is said of it; None where it is none
    sentences: list[int] | None = None  #: of a document, the words of each
    sentence_weights: Float[np.ndarray, "R N"] | None = None  #: where sentences are looked at
    lags: bool = False  #: columns are numbers on an axis
    back: Float[np.ndarray, "S T"] | None = None  #: what the source looks at in the target, where it does
    heads: Float[np.ndarray, "L H T S"] | None = None  #: by layer and head, where they were kept
    gold: tuple[Links, Links] | None = None  #: sure and possible links (column, row), where they are known


class Moment(NamedTuple):
    """What was looked at after a validation."""

    epoch: int  #: from 1
    step: int  #: updates until then
    maps: Sequence[AttentionMap]


def recorded(folder: Path) -> list[Moment]:
    """What a run has recorded over its training, in its order; empty where nothing was.

    Raises:
        DataError: a file is damaged.
    """
    found = []
    for path in sorted((folder / "attention" / TRAINING).glob("*.npz")):
        try:
            with np.load(path, allow_pickle=False) as arrays:
                maps = [detailed(arrays, number) for number in arrays["sentences"].tolist()]
                found.append(Moment(int(arrays["epoch"]), int(arrays["step"]), maps))
        except BROKEN as error:
            raise DataError(f"{path}: cannot be read ({type(error).__name__}: {error})") from error
    return sorted(found, key=lambda moment: moment.step)


def detailed(arrays: Mapping[str, Any], number: int) -> AttentionMap:
    """An item with its heads and true links.

    Raises:
        ValueError, KeyError: what is there is no map.
    """
    found = map_of(arrays, number)
    heads, sure, possible = (arrays.get(f"{name}_{number}") for name in ("heads", "sure", "possible"))
    if heads is not None:
        if heads.ndim != 4 or heads.shape[2:] != found.weights.shape or not np.isfinite(heads).all():
            raise ValueError(f"heads_{number}: {heads.shape} of a map of {found.weights.shape}")
        found = found._replace(heads=heads.astype(np.float32))
    if sure is None or possible is None:
        return found
    for links in (sure, possible):
        if links.ndim != 2 or links.shape[1] != 2 or not ((links >= 0) & (links < found.weights.shape[::-1])).all():
            raise ValueError(f"sentence {number}: links outside of a map of {found.weights.shape}")
    return found._replace(gold=(list(map(tuple, sure.tolist())), list(map(tuple, possible.tolist()))))


def map_of(arrays: Mapping[str, Any], number: int) -> AttentionMap:
    """Item ``number`` of an archive.

    Raises:
        ValueError, KeyError: what is there is no map.
    """
    source, target = (arrays[f"{side}_tokens_{number}"].tolist() for side in ("source", "target"))
    weights = arrays[f"weights_{number}"]
    if weights.shape != (len(target), len(source)) or not np.isfinite(weights).all():
        raise ValueError(f"sentence {number}: weights {weights.shape} of {len(target)} by {len(source)} tokens")
    if (key := f"weights_back_{number}") in arrays:
        back = arrays[key]
        if back.shape != weights.T.shape or not np.isfinite(back).all():
            raise ValueError(f"{key}: weights {back.shape} of {len(source)} by {len(target)} tokens")
        return AttentionMap(number, weights, source, target, back=back)
    if (key := f"text_{number}") not in arrays:
        return AttentionMap(number, weights, source, target, lags=f"lags_{number}" in arrays)
    note = arrays[key]
    if note.shape or note.dtype.kind != "U":
        raise ValueError(f"{key} is {note.dtype} {note.shape}, expected a text")
    found = AttentionMap(number, weights, source, target, str(note))
    return with_sentences(found, arrays) if f"sentences_{number}" in arrays else found


def with_sentences(found: AttentionMap, arrays: Mapping[str, Any]) -> AttentionMap:
    """Of a document.

    Raises:
        ValueError: its sentences have other words than it, or other weights.
    """
    lengths = arrays[f"sentences_{found.number}"]
    counted = lengths.ndim == 1 and lengths.dtype.kind == "i" and bool((lengths > 0).all())
    if not counted or lengths.sum() != len(found.source_tokens):
        raise ValueError(f"sentences_{found.number}: expected the words of each, {len(found.source_tokens)} in all")
    above = arrays.get(f"sentence_weights_{found.number}")
    if above is not None and (above.ndim != 2 or above.shape[1] != len(lengths) or not np.isfinite(above).all()):
        raise ValueError(f"sentence_weights_{found.number}: {above.shape} of {len(lengths)} sentences")
    return found._replace(sentences=lengths.tolist(), sentence_weights=above)
