"""Gold word alignments as a corpus: bases, kinds of links, blanks, both directions, and what training may read."""

import gzip

import pytest

from attnlab.data.corpora.word_alignment import WordAlignment
from attnlab.types import ConfigError, DataError


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "word_alignment"
    folder.mkdir()
    texts = {
        "deen": ("Das Haus ||| the house\nja ||| Yes , Sir\n", "0-0 1-1\n0-0\n"),
        "enfr": ("a  b ||| c d \n", "1-1 2p2\n"),
        "jaen": ("x \u3000 y ||| z\n", "3-1\n"),
        "grcen": ("a b ||| c\n", "0-0S 1-0P\n"),
    }
    for name, (pairs, links) in texts.items():
        (folder / f"{name}.src-tgt").write_text(pairs, "utf-8")
        (folder / f"{name}.gold").write_text(links, "utf-8")
    (tmp_path / "more.de").write_text(
        "".join(f"Herr {n}!\n" for n in range(20)) + "Ein langer Satz ist das.\n", "utf-8"
    )
    with gzip.open(tmp_path / "more.en.gz", "wt", encoding="utf-8") as file:
        file.write("".join(f"Mr {n}!\n" for n in range(20)) + "This is long.\n")
    return tmp_path


MORE = {"train": ["more.de", "more.en"], "val_size": 4}


def test_training_reads_the_text_of_the_gold_pairs_and_never_their_links(root):
    corpus = WordAlignment(str(root), max_length=4, **MORE)
    train, val, test = (list(corpus.read(split)) for split in corpus.splits)
    assert [pair.texts for pair in train[:2]] == [pair.texts for pair in test]
    assert test[0].texts == ("das haus", "the house")
    assert not any(pair.alignment for pair in train + val)
    assert (len(train), len(val)) == (2 + 16, 4)
    assert train[2].texts[0].endswith(" !")  # as words of the gold pairs are
    assert not {pair.texts for pair in train} & {pair.texts for pair in val}
    assert corpus.report.lines() == ["train: 1 skipped: more than 4 words (first: pair 21)"]
    without = list(WordAlignment(str(root), own_text=False, **MORE).read("train"))
    assert not {pair.texts for pair in test} & {pair.texts for pair in without}


@pytest.mark.parametrize(
    ("pair", "sure", "possible"),
    [
        ("deen", ((0, 0), (1, 1)), ((0, 0), (1, 1))),
        ("enfr", ((0, 0),), ((0, 0), (1, 1))),
        ("jaen", ((2, 0),), ((2, 0),)),  # an ideographic blank is a word
        ("grcen", ((0, 0),), ((0, 0), (1, 0))),
    ],
)
def test_links_are_those_of_the_source(root, pair, sure, possible):
    more = MORE if pair == "deen" else {}
    first = next(iter(WordAlignment(str(root), pair=pair, **more).read("test"))).alignment
    assert (first.sure, first.possible) == (sure, possible)
    turned = next(iter(WordAlignment(str(root), pair=pair, turned=True, **more).read("test"))).alignment
    assert turned.sure == tuple((t, s) for s, t in sure)
    assert (turned.source_words, turned.target_words) == (first.target_words, first.source_words)


def test_gold_pairs_alone_are_read_and_tested(root):
    corpus = WordAlignment(str(root), pair="enfr")
    assert [[pair.texts for pair in corpus.read(split)] for split in corpus.splits] == [[("a b", "c d")]] * 3
    assert corpus.fingerprint() != WordAlignment(str(root), pair="enfr", turned=True).fingerprint()


def test_what_is_wrong_is_told(root):
    with pytest.raises(ConfigError, match="names 1 files; expected"):
        WordAlignment(str(root), train=["more.de"])
    with pytest.raises(ConfigError, match="leaves nothing to learn from"):
        WordAlignment(str(root), pair="enfr", own_text=False)
    with pytest.raises(DataError, match=r"zhen\.src-tgt.*put it there"):
        list(WordAlignment(str(root), pair="zhen").read("test"))
    (root / "word_alignment" / "enfr.gold").write_text("1-1\n1-1\n", "utf-8")
    with pytest.raises(DataError, match="2 lines of links for 1 lines of text"):
        list(WordAlignment(str(root), pair="enfr").read("test"))


@pytest.mark.parametrize(  # counted when they were published there
    ("pair", "pairs", "sure", "possible"), [("enfr", 224, 2056, 6350), ("deen", 50, None, 0)]
)
def test_the_real_ones(shared_data, pair, pairs, sure, possible):
    corpus = WordAlignment(str(shared_data), pair=pair)
    found = [item.alignment for item in corpus.read("test")]
    assert len(found) == pairs
    assert sure is None or sum(len(one.sure) for one in found) == sure
    assert sum(len(one.possible) - len(one.sure) for one in found) == possible
