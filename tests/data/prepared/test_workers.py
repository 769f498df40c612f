"""Work shared out over processes gives what one process gives."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from attnlab.data.corpora.parallel import Parallel
from attnlab.data.module import TranslationData
from attnlab.data.prepared import workers
from attnlab.data.prepared.folder import Prepared
from attnlab.data.prepared.ragged import Ragged, RaggedWriter, text_bytes
from attnlab.data.tokenizers.bpe import Bpe
from attnlab.data.tokenizers.word import Word

ROWS = 3 * workers.RANGE + 17


def lengths_of(tokenizer: Word, lines: workers.Lines) -> list[int]:
    return [len(tokenizer.tokenize(line)) for line in lines.read()]


def fail(tokenizer: Word, lines: workers.Lines) -> None:
    raise LookupError(f"rows {lines.start} to {lines.stop}")


@pytest.fixture(scope="module")
def column(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("column") / "source"
    with RaggedWriter(path, np.uint8) as out:
        out.extend(text_bytes(" ".join(["wörter"] * (row % 7))) for row in range(ROWS))
    return path


@pytest.mark.parametrize("processes", [1, 2])
def test_every_row_once_and_in_order(column: Path, processes: int) -> None:
    found = list(workers.work(lengths_of, Word("de"), column, processes))
    assert [len(part) for part in found] == [workers.RANGE] * 3 + [17]
    assert [length for part in found for length in part] == [row % 7 for row in range(ROWS)]


@pytest.mark.long
def test_an_error_in_a_process_arrives(column: Path) -> None:
    with pytest.raises(LookupError, match="rows 0 to"):
        list(workers.work(fail, Word("de"), column, 2))


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "shared", [pytest.param(True, marks=pytest.mark.long), pytest.param(False, marks=pytest.mark.long)]
)
def test_prepared_data_are_the_same_to_the_byte(tmp_path: Path, shared: bool) -> None:
    text = "".join(f"line {i} has {i * 37 % 101} words\tzeile {i} hat {i % 13} wörter\n" for i in range(5000))
    (tmp_path / "text.tsv").write_text(text)
    for processes in (1, 2):
        corpus = Parallel(str(tmp_path), "en", "de", train="text.tsv", val_size=50, test_size=50)
        cache = tmp_path / str(processes)
        TranslationData(corpus, Word, str(cache), shared_vocabulary=shared, prepare_processes=processes).prepare_data()
    one, two = (next((tmp_path / name).glob("parallel-*")) for name in ("1", "2"))
    assert files(one) == files(two)


def test_subwords_are_learnt_from_a_sample_spread_over_the_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"{'anfang' if i < 500 else 'ende'} {i}" for i in range(1000)]
    (tmp_path / "text.tsv").write_text("".join(f"{line}\t{line}\n" for line in lines))
    corpus = Parallel(str(tmp_path), "de", "de", train="text.tsv", val_size=1, test_size=1)
    seen: list[Counter[str]] = []

    fit = Bpe.fit

    def watched(self, lines):  # type: ignore[no-untyped-def]
        lines = list(lines)
        seen.append(Counter(line.split()[0] for line in lines))
        fit(self, lines)

    monkeypatch.setattr(Bpe, "fit", watched)
    data = TranslationData(corpus, lambda language: Bpe(language, vocab_size=60, fit_lines=100), str(tmp_path / "c"))
    data.prepare_data()
    assert abs(seen[0]["anfang"] - 50) <= 1  # two lines were held out
    assert sum(seen[0].values()) == 100
    assert len(Ragged(Prepared(data._folder).folder / "train" / "source.ids")) == 998
