"""The attention that a run has kept of some items: ``attention/maps.npz``."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float


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
