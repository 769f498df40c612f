"""The data of a page: weights as bytes, compressed, in chunks that the page unpacks when it needs them.

The page has elements ``<script type="application/octet-stream" id="chunk-K">``, each the base64 of a zlib stream. One
with the id ``index`` is JSON: what :func:`attnlab.analysis.viewer.page.index` makes. A chunk holds what one run has of
consecutive items: 4 bytes, the length N of a JSON text (little-endian); that text, N bytes; the weights. The text is

    {"labels": [[text, …], …],                     names of rows and columns, each list once
     "items": [{"look": {"attention": [rows, columns, layers, heads, at, scale, zero], …},  rows, columns: of ``labels``
                "kind": "words" | "text" | "lags", "note": text, "sentences": [count, …] | null,
                "gold": [[[column, row], …] sure, [[column, row], …] possible] | null}, …]}

The weights of a look begin ``at`` bytes behind the text, ordered layer, head, row, column. A byte q is the weight
``scale · q / levels``: ``scale`` is the largest weight of the look, ``levels`` stands in the index. It is 255, so that
no weight is off by more than a 510th of the largest; or less, where the file would be larger than was asked for.
``zero`` stands there where some weights are below 0: q is then the weight ``scale · (q - zero) / zero``.
"""

import json
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from attnlab.analysis.viewer.collected import Viewed
from attnlab.viz.palette import SLACK

LEVELS = (255, 127, 63, 31, 15)  #: the first with which all fits
SAMPLED = 8  #: chunks by which it is judged how large all will be
CHUNK = 300_000  #: bytes of weights, more or less: they are unpacked in a hundredth of a second


class Packed(NamedTuple):
    """What one run has of all items."""

    first: tuple[int, ...]  #: of each chunk, the number of its first item
    chunks: tuple[str, ...]  #: base64


def pack(items: Sequence[Viewed], levels: int) -> Packed:
    """All items of a run."""
    groups = list(grouped(items))
    firsts = np.cumsum([0, *map(len, groups)])[:-1]
    return Packed(tuple(firsts.tolist()), tuple(chunk(group, levels) for group in groups))


def likely(runs: Sequence[Sequence[Viewed]], most: int) -> int:
    """The first of ``LEVELS`` with which all items will have at most so many bytes, judged by some of them."""
    groups = [group for items in runs for group in grouped(items)]
    some = groups[:: max(1, len(groups) // SAMPLED)]
    for number, levels in enumerate(LEVELS):
        if sum(len(chunk(group, levels)) for group in some) * len(groups) <= most * len(some):
            return number
    return len(LEVELS) - 1


def grouped(items: Sequence[Viewed]) -> Iterator[list[Viewed]]:
    """Consecutive items whose weights make a chunk."""
    group: list[Viewed] = []
    size = 0
    for item in items:
        own = sum(look.weights.size for look in item.looks.values())
        if group and size + own > CHUNK:
            yield group
            group, size = [], 0
        group.append(item)
        size += own
    if group:
        yield group


def chunk(items: Sequence[Viewed], levels: int) -> str:
    """Some items."""
    labels: dict[tuple[str, ...], int] = {}
    parts: list[bytes] = []
    told, at = [], 0
    for item in items:
        looks: dict[str, list[Any]] = {}
        for name, look in item.looks.items():
            numbers = [labels.setdefault(tuple(side), len(labels)) for side in (look.rows, look.columns)]
            data, *scale = quantized(look.weights, levels)
            looks[name] = [*numbers, *look.weights.shape[:2], at, *scale]
            parts.append(data.tobytes())
            at += data.size
        gold = None if item.gold is None else [list(map(list, links)) for links in item.gold]
        more = {"kind": item.kind, "note": item.note, "sentences": item.sentences, "gold": gold}
        told.append({"look": looks, **more})
    head = compact({"labels": list(map(list, labels)), "items": told})
    return packed(len(head).to_bytes(4, "little") + head + b"".join(parts))


def quantized(weights: Float[np.ndarray, "L H T S"], levels: int) -> tuple[Any, ...]:
    """Bytes [L, H, T, S], and the weight that ``levels`` stands for; of signed ones also the byte of 0."""
    if (least := float(weights.min(initial=0.0))) < -SLACK:
        zero, scale = levels // 2, max(float(weights.max()), -least)
        return np.rint(weights * (zero / scale) + zero).astype(np.uint8), round(scale, 6), zero
    scale = float(weights.max(initial=0.0))
    return np.rint(weights * (levels / (scale or 1.0))).clip(0, levels).astype(np.uint8), round(scale, 6)


def packed(data: bytes) -> str:
    return b64encode(zlib.compress(data, 7)).decode()


def compact(value: Mapping[str, Any]) -> bytes:
    """JSON without blanks; there are no numbers in it that JSON has not."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
