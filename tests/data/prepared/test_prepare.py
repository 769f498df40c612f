"""Preparing once, sharing the result, and noticing when it is damaged."""

import json
import multiprocessing
import pickle
import subprocess
import sys
import tracemalloc
from collections import Counter
from functools import partial

import numpy as np
import pytest
from listed_corpus import Listed, numbered, small

from attnlab.data.corpus import Alignment, Pair
from attnlab.data.prepared import prepare as preparing
from attnlab.data.prepared import workers
from attnlab.data.prepared.folder import Prepared, complete
from attnlab.data.prepared.prepare import Recipe, prepare
from attnlab.data.prepared.ragged import Ragged, RaggedWriter
from attnlab.data.tokenizers.bpe import Bpe
from attnlab.data.tokenizers.char import Char
from attnlab.data.tokenizers.word import Word
from attnlab.types import UNK, ConfigError, DataError

ALIGNED = Pair("a b", "„x y“", Alignment(("a", "b"), ("x", "y"), ((0, 0),), ((0, 0), (1, 1))))


def test_texts_alignments_and_ids_come_back(tmp_path):
    corpus = small(train=[ALIGNED, *numbered(30), ("ünï 漢", "\U0001f600")])
    prepared = Prepared(prepare(Recipe(corpus, Word), tmp_path))
    assert prepared.splits == ("train", "val", "test")
    for split in prepared.splits:
        assert [prepared.text(split, i) for i in range(len(corpus.pairs[split]))] == corpus.pairs[split]
        for side, ids, tokenizer in zip((0, 1), prepared.ids(split), prepared.tokenizers, strict=True):
            for row, pair in enumerate(corpus.pairs[split]):
                assert ids[row].tolist() == tokenizer.encode(pair[side])
    # np.load(mmap_mode="r"): the arrays are files, not memory
    assert isinstance(prepared.ids("train")[0].values, np.memmap)


LINKS = [
    (-1, 0),
    (0, -1),
    (2, 0),
    (0, 2),
    (10**30, 0),
    (0.5, 0),
    (0.0, 0),
    ("0", "0"),
    "00",
    (True, 0),
    (None, 0),
    (0,),
    (0, 0, 0),
    3,
    None,
]


@pytest.mark.parametrize("link", [*LINKS, (np.int64(0), 0), (float("nan"), 0)], ids=repr)
@pytest.mark.parametrize("kind", ["sure", "possible"])
def test_a_gold_link_of_no_two_words_is_told_with_its_pair(tmp_path, link, kind):
    wrong = ALIGNED._replace(alignment=ALIGNED.alignment._replace(**{kind: ((0, 0), link)}))
    corpus = small(val=[*numbered(3), wrong])
    with pytest.raises(
        DataError, match=rf"^listed, val, pair 3 \('a b'\): {kind} link .*: expected \(source word,"
    ) as told:
        prepare(Recipe(corpus, Word), tmp_path)
    assert "below 2 and 2" in str(told.value)
    assert not list(tmp_path.rglob("meta.json"))


def test_vocabulary_is_of_the_training_split(tmp_path):
    corpus = small(val=[("word never", "Wort nie")], test=[("never w1", "v1")])
    prepared = Prepared(prepare(Recipe(corpus, Word), tmp_path))
    assert prepared.ids("val")[0][0].tolist()[1] == UNK
    assert prepared.meta["splits"]["val"] == {
        "pairs": 1, "source_tokens": 2, "source_unknown": 1, "target_tokens": 2, "target_unknown": 1
    }  # fmt: skip
    assert prepared.meta["splits"]["train"]["source_unknown"] == 0


def test_a_second_run_reads_nothing(tmp_path):
    corpus = small()
    first = prepare(Recipe(corpus, Word), tmp_path)
    assert corpus.reads == len(corpus.splits)
    again = small()
    assert prepare(Recipe(again, Word), tmp_path) == first
    assert again.reads == 0


def test_loading_imports_no_tokenizer_library(tmp_path):
    folder = prepare(Recipe(small(), Word), tmp_path)
    saved = json.loads((folder / "tokenizer" / "source.json").read_text())
    (folder / "tokenizer" / "source.json").write_text(json.dumps(saved | {"tokenizer": "spacy"}))
    program = (
        "import sys; from pathlib import Path; from attnlab.data.prepared.folder import Prepared;"
        f"p = Prepared(Path({str(folder)!r})); print(type(p.tokenizers[0]).__name__);"
        "print(p.tokenizers[0].decode(p.ids('val')[0][0].tolist()));"
        "print([m for m in ('spacy', 'tokenizers', 'rich', 'filelock') if m in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert output.splitlines() == ["Spacy", "word word <unk>", "[]"]


def test_every_choice_has_its_own_folder(tmp_path):
    recipes = [
        Recipe(small(), Word),
        Recipe(small(), partial(Word, lowercase=True)),
        Recipe(small(), partial(Word, min_frequency=2)),
        Recipe(small(), Char),
        Recipe(small(), Word, shared=True),
        Recipe(small(), Word, train_size=20),
        Recipe(small(), Word, splits=("train", "val")),
        Recipe(small(val=numbered(6, 100)), Word),
    ]
    keys = [recipe.key() for recipe in recipes]
    assert len(set(keys)) == len(keys)
    assert keys[0] == Recipe(small(), Word).key()


@pytest.mark.parametrize("shared", [True, False])
def test_shared_vocabulary(shared, tmp_path):
    prepared = Prepared(prepare(Recipe(small(), Word, shared=shared), tmp_path))
    source, target = prepared.tokenizers
    assert (UNK not in source.encode("Wort v3")) == shared
    assert (source.state() == target.state()) == shared


def _damage_truncate(path):
    path.write_bytes(path.read_bytes()[:-2])


def _damage_bits(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "name",
    ["meta.json", "train/source.ids.values.npy", "val/target.offsets.npy", "tokenizer/source.json"],
)
@pytest.mark.parametrize("damage", [_damage_truncate, _damage_bits, lambda path: path.unlink()])
def test_a_damaged_folder_is_built_again(name, damage, tmp_path, caplog):
    folder = prepare(Recipe(small(), Word), tmp_path)
    damage(folder / name)
    corpus = small()
    assert prepare(Recipe(corpus, Word), tmp_path) == folder
    assert corpus.reads == 3
    assert "damaged" in caplog.text
    assert Prepared(folder).text("val", 0) == corpus.pairs["val"][0]


def test_a_killed_build_leaves_nothing_in_the_way(tmp_path):
    recipe = Recipe(small(), Word)
    stale = tmp_path / f".listed-{recipe.key()}.partial" / "train"
    stale.mkdir(parents=True)
    (stale / "junk").write_text("x")
    folder = prepare(recipe, tmp_path)
    assert complete(folder)
    assert not list(folder.rglob("junk"))


def test_a_failed_build_leaves_no_folder(tmp_path):
    with pytest.raises(DataError):
        prepare(Recipe(small(val=[]), Word), tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def _prepare_in_process(journal, cache, barrier, results):
    barrier.wait()
    corpus = small(train=numbered(300))
    corpus.journal = journal
    try:
        results.put(str(prepare(Recipe(corpus, Word), cache)))
    except BaseException as error:
        results.put(repr(error))
        raise


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # fork beside pytest-xdist's thread
def test_two_processes_at_once(tmp_path):
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(2), context.Queue()
    journal, cache = tmp_path / "journal", tmp_path / "cache"
    workers = [context.Process(target=_prepare_in_process, args=(journal, cache, barrier, results)) for _ in range(2)]
    for worker in workers:
        worker.start()
    folders = {results.get(timeout=300) for _ in workers}
    for worker in workers:
        worker.join(timeout=300)
    assert len(folders) == 1
    assert Counter(journal.read_text().split()) == {"train": 1, "val": 1, "test": 1}
    assert not list(cache.glob(".*.partial"))


def test_train_size_draws_the_same_pairs_and_smaller_from_larger(tmp_path):
    def drawn(size):
        prepared = Prepared(prepare(Recipe(small(), Word, train_size=size), tmp_path))
        rows = prepared.meta["splits"]["train"]["pairs"]
        return [prepared.text("train", i) for i in range(rows)]

    everything = small().pairs["train"]
    ten, twenty = drawn(10), drawn(20)
    assert (len(ten), len(twenty)) == (10, 20)
    assert set(ten) < set(twenty) < set(everything)
    assert ten != everything[:10]
    assert twenty == sorted(twenty, key=everything.index)
    assert drawn(500) == everything
    assert len(Prepared(prepare(Recipe(small(), Word, train_size=10), tmp_path)).tokenizers[0]) == 4 + 11


def test_saved_tokenizers_are_used_as_they_are(tmp_path):
    fitted = Prepared(prepare(Recipe(small(), Word), tmp_path))
    other = small(train=numbered(9, 900), test=[("word w3 w900", "Wort v3 v900")])
    recipe = Recipe(other, Char, saved=fitted.folder / "tokenizer", splits=("test",))
    prepared = Prepared(prepare(recipe, tmp_path))
    assert prepared.splits == ("test",)
    assert prepared.ids("test")[1][0].tolist() == [*fitted.tokenizers[1].encode("Wort v3"), UNK]
    assert other.reads == 1


def test_a_split_with_nothing_left(tmp_path):
    corpus = small(val=[])
    corpus.read = partial(_skipping_read, corpus)
    with pytest.raises(DataError, match=r"listed: split 'val' has no sentence pair.*2 skipped: empty side"):
        prepare(Recipe(corpus, Word), tmp_path)


def _skipping_read(corpus, split):
    if split == "val":
        corpus.report.skip("val", "empty side")
        corpus.report.skip("val", "empty side")
    yield from corpus.pairs[split]


def test_a_sentence_to_be_scored_without_a_token(tmp_path):
    corpus = small(test=[("a", "b"), ("\u200b\u3000 ", "b"), ("\u3000", "b")])
    with pytest.raises(DataError, match=r"test sentence 2 \(source\) has no token: '\\u3000'"):
        prepare(Recipe(corpus, Word), tmp_path)


def test_an_impossible_tokenizer_is_told_before_the_corpus_is_read(tmp_path):
    from attnlab.data.tokenizers.spacy import Spacy

    corpus = small()
    corpus.target_language = "xyz"
    with pytest.raises(ConfigError, match="xyz"):
        prepare(Recipe(corpus, Spacy), tmp_path)
    assert corpus.reads == 0


def test_memory_does_not_grow_with_the_corpus(tmp_path, monkeypatch):
    for module in (preparing, workers):
        monkeypatch.setattr(module, "RANGE", 16)
    long, count = "x" * 5000, 400
    corpus = small()
    corpus.read = lambda split: (Pair(long, long) for _ in range(count))
    prepare(Recipe(corpus, Word, splits=("train",)), tmp_path / "warm")
    tracemalloc.start()
    prepare(Recipe(corpus, Word, splits=("train",)), tmp_path / "measured")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * count * len(long) / 2  # half of the text


def test_large_vocabularies_need_wider_ids(tmp_path):
    lines = [(" ".join(f"w{i}" for i in range(start, start + 1000)), "x") for start in range(0, 66000, 1000)]
    prepared = Prepared(prepare(Recipe(small(train=lines), Word), tmp_path))
    source, target = prepared.ids("train")
    assert (source.values.dtype, target.values.dtype) == (np.int32, np.uint16)
    assert prepared.tokenizers[0].decode(source[65].tolist()) == lines[65][0]


def test_ragged_rows(tmp_path):
    rows = [[1, 2, 3], [], [4], []]
    with RaggedWriter(tmp_path / "rows", np.uint16) as writer:
        writer.extend(np.array(row, np.uint16) for row in rows[:3])
        writer.extend([])
        writer.extend(np.array(row, np.uint16) for row in rows[3:])
    for ragged in (Ragged(tmp_path / "rows"), pickle.loads(pickle.dumps(Ragged(tmp_path / "rows")))):
        assert len(ragged) == 4
        assert [ragged[i].tolist() for i in range(4)] == rows
        assert ragged.lengths.tolist() == [3, 0, 1, 0]
    assert np.load(tmp_path / "rows.values.npy").tolist() == [1, 2, 3, 4]  # plain .npy files for anyone
    with RaggedWriter(tmp_path / "none", np.uint8):
        pass
    assert len(Ragged(tmp_path / "none")) == 0


def test_bpe_through_the_cache(tmp_path):
    corpus = small()
    prepared = Prepared(prepare(Recipe(corpus, partial(Bpe, vocab_size=60)), tmp_path))
    ids = prepared.ids("train")[1]
    assert prepared.tokenizers[1].decode(ids[8].tolist()) == corpus.pairs["train"][8].target


def test_what_the_corpus_skipped_is_remembered(tmp_path):
    corpus = small(val=[("a", "b")])
    corpus.read = partial(_skipping_read, corpus)
    folder = prepare(Recipe(corpus, Word), tmp_path)
    assert json.loads((folder / "meta.json").read_text())["skipped"] == ["val: 2 skipped: empty side"]


def test_listed_is_a_corpus():
    from attnlab.data.corpus import Corpus

    assert isinstance(Listed(train=[]), Corpus)


def test_files_that_change_while_they_are_read_are_not_cached(tmp_path):
    """The folder is named by what the files held before; what was read is of another content."""
    corpus = small()
    original = corpus.read

    def read(split):
        yield from original(split)
        corpus.pairs["train"] = [Pair(*sides) for sides in numbered(9, 500)]

    corpus.read = read
    with pytest.raises(DataError, match="listed: its files changed while they were read; start again"):
        prepare(Recipe(corpus, Word), tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
    corpus.read = original
    assert Prepared(prepare(Recipe(corpus, Word), tmp_path)).text("train", 0)[:2] == numbered(1, 500)[0]


def test_a_cache_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"file/cache: the prepared data cannot be written there \(Not a directory\)"):
        prepare(Recipe(small(), Word), tmp_path / "file" / "cache")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(preparing.RaggedWriter, "append", full)
    with pytest.raises(DataError, match=r"No space left on device\); make room, or set paths.cache"):
        prepare(Recipe(small(), Word), tmp_path / "cache")
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]
