"""From a corpus to arrays on disk, once for each content and setting.

A prepared folder ``<cache>/<corpus>-<key>/`` holds, for each split, the plain texts, the gold alignments and
the token ids of both sides as :mod:`attnlab.data.prepared.ragged` rows, both tokenizers, and ``meta.json`` with the
counts and the size and checksum of every file. The key is a hash of the corpus's fingerprint, the tokenizers'
settings and library versions, and what is chosen here. The folder is built beside its place under a lock and
moved there whole, so a second process finds all of it or nothing; one that is damaged is built again.

The corpus is read once a split, as a stream; memory holds a few chunks, and a tokenizer's counts as it learns.
Large splits are tokenized by all cores (:mod:`attnlab.data.prepared.workers`).
"""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from attnlab.data.corpus import Corpus, Pair, checked
from attnlab.data.prepared.folder import SIDES, checksum, complete, open_texts, read_pair
from attnlab.data.prepared.ragged import Ragged, RaggedWriter, row_text, text_bytes
from attnlab.data.prepared.workers import RANGE, Lines, work
from attnlab.data.progress import Bar, bar
from attnlab.data.tokenizers.base import Counted, Tokenizer
from attnlab.data.tokenizers.load import digest, load
from attnlab.types import UNK, DataError

FORMAT = 1  #: of the prepared folder; a change makes every folder a new one
_SAMPLE_SEED = 0


class Recipe(NamedTuple):
    """What decides the prepared data.

    Attributes:
        tokenizer: language -> an unfitted tokenizer.
        shared: one vocabulary, fitted on both sides of the training split.
        train_size: use this many training pairs at most, drawn at random: the same ones in every run, and a
            smaller draw is part of a larger one. ``None`` for all.
        saved: a folder with ``source.json`` and ``target.json`` to use as they are, instead of fitting.
        splits: prepare these only; ``None`` for all of the corpus.
        processes: that tokenize; ``None`` for all cores where a split is large. No part of the key.
    """

    corpus: Corpus
    tokenizer: Callable[[str], Tokenizer]
    shared: bool = False
    train_size: int | None = None
    saved: Path | None = None
    splits: tuple[str, ...] | None = None
    processes: int | None = None

    def new_tokenizers(self) -> list[Tokenizer]:
        """Source and target tokenizer: the saved ones, or unfitted ones; one object twice when shared."""
        if self.saved is not None:
            return [load(self.saved / f"{side}.json") for side in SIDES]
        source = self.tokenizer(self.corpus.source_language)
        return [source, source if self.shared else self.tokenizer(self.corpus.target_language)]

    def key(self) -> str:
        """Hash of everything that decides the prepared files."""
        if self.saved is None:
            vocabulary: Any = [tokenizer.signature() for tokenizer in self.new_tokenizers()]
        else:
            vocabulary = [digest(self.saved / f"{side}.json") for side in SIDES]
        chosen = [
            FORMAT,
            self.corpus.name,
            self.corpus.source_language,
            self.corpus.target_language,
            self.corpus.fingerprint(),
            vocabulary,
            self.shared,
            self.train_size,
            self.splits,
        ]
        return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:20]


def prepare(recipe: Recipe, cache: Path) -> Path:
    """Make sure that the prepared folder is there and whole; return it.

    Raises:
        DataError: a split has nothing left, a sentence to be scored has no token, or the cache cannot be written.
    """
    folder = cache / f"{recipe.corpus.name}-{recipe.key()}"
    if complete(folder):
        return folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _make(recipe, cache, folder)
    except OSError as error:
        raise DataError(
            f"{cache}: the prepared data cannot be written there ({error.strerror or error}); make room, or set "
            "paths.cache (variable ATTNLAB_CACHE)"
        ) from error
    return folder


def _make(recipe: Recipe, cache: Path, folder: Path) -> None:
    from filelock import FileLock

    with FileLock(cache / f"{folder.name}.lock"):
        if complete(folder):  # another process made it while this one waited
            return
        work = cache / f".{folder.name}.partial"
        shutil.rmtree(work, ignore_errors=True)  # of a process that was killed
        shutil.rmtree(folder, ignore_errors=True)
        try:
            _build(recipe, work)
            if f"{recipe.corpus.name}-{recipe.key()}" != folder.name:
                raise DataError(f"{recipe.corpus.name}: its files changed while they were read; start again")
            work.replace(folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _build(recipe: Recipe, folder: Path) -> None:
    tokenizers = recipe.new_tokenizers()
    for tokenizer in tokenizers:
        tokenizer.check()
    splits = recipe.splits or recipe.corpus.splits
    for split in splits:
        _store_texts(recipe, split, folder / split)
    if recipe.saved is None:
        _fit(recipe, tokenizers, folder / "train")
    counts = {split: _store_ids(split, folder / split, tokenizers, recipe.processes) for split in splits}
    (folder / "tokenizer").mkdir()
    for side, tokenizer in zip(SIDES, tokenizers, strict=True):
        tokenizer.save(folder / "tokenizer" / f"{side}.json")
    files = {
        path.relative_to(folder).as_posix(): checksum(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    meta = {"splits": counts, "skipped": recipe.corpus.report.lines(), "files": files}
    (folder / "meta.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")


def _store_texts(recipe: Recipe, split: str, folder: Path) -> None:
    with bar(f"reading {recipe.corpus.name} {split}") as progress:
        rows = _write_texts(folder, checked(recipe.corpus, split), progress)
    if not rows:
        skipped = "; ".join(recipe.corpus.report.lines()) or "nothing was skipped"
        raise DataError(f"{recipe.corpus.name}: split {split!r} has no sentence pair left ({skipped})")
    size = recipe.train_size
    if split == "train" and size is not None and size < rows:
        drawn = np.sort(np.random.default_rng(_SAMPLE_SEED).permutation(rows)[:size]).tolist()
        texts = open_texts(folder)
        kept = folder.with_name("drawn")
        _write_texts(kept, (read_pair(texts, row) for row in drawn), Bar())
        shutil.rmtree(folder)
        kept.replace(folder)


def _write_texts(folder: Path, pairs: Iterator[Pair], progress: Bar) -> int:
    rows = 0
    columns = [RaggedWriter(folder / name, np.uint8) for name in (*SIDES, "alignment")]
    with columns[0] as source, columns[1] as target, columns[2] as alignment:
        while chunk := list(islice(pairs, RANGE)):
            source.extend(text_bytes(pair.source) for pair in chunk)
            target.extend(text_bytes(pair.target) for pair in chunk)
            alignment.extend(
                text_bytes(json.dumps(pair.alignment, ensure_ascii=False) if pair.alignment else "") for pair in chunk
            )
            rows += len(chunk)
            progress.advance(len(chunk))
    return rows


def _fit(recipe: Recipe, tokenizers: list[Tokenizer], folder: Path) -> None:
    """Make the vocabularies from the training split only."""
    columns = [folder / side for side in SIDES]
    with bar("learning the vocabulary", total=sum(len(Ragged(column)) for column in columns)) as progress:
        if recipe.shared:
            _learn(tokenizers[0], columns, recipe.processes, progress)
        else:
            for tokenizer, column in zip(tokenizers, columns, strict=True):
                _learn(tokenizer, [column], recipe.processes, progress)


def _learn(tokenizer: Tokenizer, columns: list[Path], processes: int | None, progress: Bar) -> None:
    if not isinstance(tokenizer, Counted):
        tokenizer.fit(line for column in columns for line in _sample(column, tokenizer.fit_lines, progress))
        return
    counts: Counter[str] = Counter()
    for column in columns:
        for some in work(_count, tokenizer, column, processes):
            counts.update(some)
            progress.advance(RANGE)
    tokenizer.learn(counts)


def _sample(column: Path, most: int | None, progress: Bar) -> Iterator[str]:
    """All lines, or ``most`` of them, evenly spread."""
    texts = Ragged(column)
    rows = len(texts)
    taken = rows if most is None else min(most, rows)
    for number in range(taken):
        yield row_text(texts[number * rows // taken])
        progress.advance(1)


def _count(tokenizer: Tokenizer, lines: Lines) -> Counter[str]:
    return cast(Counted, tokenizer).count(lines.read())


class _Encoded(NamedTuple):
    """The ids of a range of lines, one line after another."""

    values: NDArray[np.int32]
    lengths: NDArray[np.int64]


def _encode(tokenizer: Tokenizer, lines: Lines) -> _Encoded:
    rows = [tokenizer.encode(line) for line in lines.read()]
    values = np.fromiter(chain.from_iterable(rows), np.int32)
    return _Encoded(values, np.fromiter(map(len, rows), np.int64, len(rows)))


def _store_ids(split: str, folder: Path, tokenizers: list[Tokenizer], processes: int | None) -> dict[str, int]:
    """Encode both sides; count pairs, tokens and unknown ones."""
    counts: dict[str, int] = {}
    for side, tokenizer in zip(SIDES, tokenizers, strict=True):
        texts = folder / side
        dtype = np.uint16 if len(tokenizer) <= 2**16 else np.int32
        rows = tokens = unknown = 0
        with RaggedWriter(folder / f"{side}.ids", dtype) as ids, bar(f"tokenizing {split} {side}") as progress:
            for values, lengths in work(_encode, tokenizer, texts, processes):
                if split != "train" and not lengths.all():
                    _refuse(split, side, rows + int(np.argmin(lengths)), texts)
                ids.append(values, lengths)
                rows, tokens = rows + len(lengths), tokens + len(values)
                unknown += int((values == UNK).sum())
                progress.advance(len(lengths))
        counts |= {"pairs": rows, f"{side}_tokens": tokens, f"{side}_unknown": unknown}
    return counts


def _refuse(split: str, side: str, row: int, texts: Path) -> None:
    raise DataError(
        f"{split} sentence {row} ({side}) has no token: {row_text(Ragged(texts)[row])!r}; "
        "sentences to be scored are never dropped: correct the line, or use another tokenizer"
    )
