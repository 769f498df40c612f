"""The files that other commands and other people's tools read: their names and keys are stable."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from attnlab.callbacks.atomic import replacing
from attnlab.strict_json import dumps
from attnlab.tasks.records import Record
from attnlab.types import EOS, SPECIALS

Value = str | int | float | bool | None


class Map(NamedTuple):
    """An alignment: what one figure shows."""

    number: int  #: of the sentence in its split
    weights: Float[np.ndarray, "T S"]
    source_tokens: list[str]
    target_tokens: list[str]


def save_metrics(path: Path, metrics: Mapping[str, Value]) -> None:
    """Write one flat JSON object; a number that JSON has not (NaN, infinity) is null."""
    _save_text(path, [dumps(dict(metrics), indent=2)])


def save_records(path: Path, records: Iterable[Record]) -> None:
    """Write a JSON line a sentence.

    ``alignment`` has, for every token of the hypothesis, the number of the source token with most weight;
    null where the token looks nowhere, or as a whole where the mechanism draws no alignment. From ``loss`` and
    ``target_tokens`` comes the perplexity, from ``links`` (|A∩S|, |A∩P|, |A|, |S|) the AER, both of forced decoding;
    from ``counts``, which are sacreBLEU's, come BLEU, chrF and TER.
    """
    _save_text(path, (dumps(_line(record)) for record in records))


def save_maps(path: Path, maps: Sequence[Map]) -> None:
    """Write maps as one ``.npz`` that ``numpy.load(path, allow_pickle=False)`` reads.

    ``sentences`` lists the sentence numbers n; for each there are ``weights_n`` [T, S] (float32),
    ``source_tokens_n`` [S] and ``target_tokens_n`` [T].
    """
    arrays: dict[str, NDArray[Any]] = {"sentences": np.array([item.number for item in maps], dtype=np.int64)}
    for item in maps:
        arrays[f"weights_{item.number}"] = np.asarray(item.weights, dtype=np.float32)
        arrays[f"source_tokens_{item.number}"] = np.array(item.source_tokens, dtype=np.str_)
        arrays[f"target_tokens_{item.number}"] = np.array(item.target_tokens, dtype=np.str_)
    with replacing(path) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)


def maps_of(records: Iterable[Record], limit: int | None = None) -> list[Map]:
    """The alignments of the first sentences; the end of a sentence has a row where it was produced."""
    maps = []
    for number, record in enumerate(records):
        if limit is not None and number >= limit:
            break
        if record.weights is not None and record.weights.size and np.isfinite(record.weights).all():
            tokens = list(record.hypothesis_tokens)
            tokens += [SPECIALS[EOS]] * (len(record.weights) - len(tokens))
            maps.append(Map(number, record.weights, list(record.source_tokens), tokens))
    return maps


def _line(record: Record) -> dict[str, Any]:
    alignment = None
    if record.weights is not None:
        rows = record.weights[: len(record.hypothesis_tokens)]
        alignment = [int(row.argmax()) if row.sum() > 0 else None for row in rows]
    return {
        "source": record.source,
        "reference": record.reference,
        "hypothesis": record.hypothesis,
        "score": record.score,
        "source_tokens": list(record.source_tokens),
        "hypothesis_tokens": list(record.hypothesis_tokens),
        "alignment": alignment,
        "counts": record.counts,
        "loss": record.loss,
        "target_tokens": record.target_tokens,
        "links": record.links,
    }


def _save_text(path: Path, lines: Iterable[str]) -> None:
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
