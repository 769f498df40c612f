"""Pieces against hand-made ones, spaCy itself and brute force; plain text must come back exactly."""

import gzip
import itertools
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnlab.data.tokenizers.base import Token
from attnlab.data.tokenizers.bpe import Bpe
from attnlab.data.tokenizers.char import Char
from attnlab.data.tokenizers.load import load
from attnlab.data.tokenizers.spacy import Spacy
from attnlab.data.tokenizers.unigram import Unigram
from attnlab.data.tokenizers.word import Word
from attnlab.types import BOS, EOS, PAD, SPECIALS, UNK, ConfigError, DataError

LINES = {
    "en": [
        'She said: "I don\'t know the well-known man (3.5 m tall)."',
        "Rock 'n' roll -- that's it... isn't it?!",
        "He paid $1,000.50 at 10:30 a.m., i.e. 50% more.",
        "she kissed him .",
        "don 't glue what was apart ; ever",
    ],
    "de": ["„Guten Tag“, sagte die 20-jährige Frau – »schön!«", "Straßen, Größe und ’nen Euro (€ 3,50)."],
    "fr": ["Quoi ? L'homme qu'il aime dit : « Je t'aime ! »"],
    "zh": ["我有3个苹果。他说：“你好！”", "Tom 在 家 吗 ?", "「A」和B。"],
    "ja": ["彼 は 学生 です 。", "私はビールを飲む。"],
}
KINDS = [
    Word,
    Spacy,
    Char,
    lambda language: Bpe(language, vocab_size=200),
    Unigram,
]


@pytest.mark.parametrize("make", KINDS, ids=["word", "spacy", "char", "bpe", "unigram"])
@pytest.mark.parametrize("language", LINES)
def test_plain_text_comes_back(make, language):
    if make is Spacy and language == "ja":
        pytest.skip("spaCy's Japanese needs a further package")
    tokenizer = make(language)
    tokenizer.fit(LINES[language])
    for line in LINES[language]:
        assert tokenizer.decode([BOS, *tokenizer.encode(line), EOS, PAD]) == line


printable = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="￭▁"), min_size=1, max_size=6)


ENGLISH = [Word("en"), Char("en"), Spacy("en")]


@settings(deadline=None, max_examples=150)
@given(st.lists(st.lists(printable, min_size=1, max_size=4), min_size=1, max_size=4))
def test_any_text_comes_back(lines):
    texts = [" ".join(words) for words in lines]
    for tokenizer in ENGLISH:  # made once: spaCy's rules take a while to load
        tokenizer.fit(texts)
        assert [tokenizer.decode(tokenizer.encode(text)) for text in texts] == texts


@settings(deadline=None, max_examples=150)
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=20))
def test_words_cover_everything_but_blanks(line):
    covered = [i for token in Word("en").tokenize(line) for i in range(token.start, token.end)]
    assert covered == [i for i, character in enumerate(line) if not character.isspace()]


def test_words_by_hand():
    def cut(line):
        return [token.text for token in Word("en").tokenize(line)]

    assert cut("Don't stop, well-known T-Shirt.") == ["Don't", "stop", ",", "well-known", "T-Shirt", "."]
    assert cut("It costs 1,000.50 (or 3 €)...") == [
        "It",
        "costs",
        "1,000.50",
        "(",
        "or",
        "3",
        "€",
        ")",
        "...",
    ]
    assert cut("the dogs' 20-jährige l’amour") == ["the", "dogs", "'", "20-jährige", "l’amour"]
    assert cut("我有3个苹果。") == ["我", "有", "3", "个", "苹", "果", "。"]
    assert cut("हिन्दी भाषा") == ["हिन्दी", "भाषा"]
    assert cut(" \t\u3000") == []


def test_joins_stand_on_the_marks_so_that_words_keep_one_entry():
    tokenizer = Word("en")
    tokenizer.fit(['"Yes", he (she) said.', "he said yes"])
    entries = tokenizer.state()[len(SPECIALS) :]
    assert sorted(entries) == sorted(['"￭', "Yes", '￭"', "￭,", "he", "(￭", "she", "￭)", "said", "￭.", "yes"])
    assert tokenizer.tokens(tokenizer.encode("(she) said.")) == ["(", "she", ")", "said", "."]


def test_other_joins_find_the_commonest_form():
    tokenizer = Word("en", lowercase=True)
    tokenizer.fit(["She kissed him.", "He 's here . He came."])
    assert tokenizer.decode(tokenizer.encode("she kissed him .")) == "she kissed him ."
    tokenizer.fit(["She kissed him.", "He came."])
    assert UNK not in tokenizer.encode("she kissed him .")
    assert tokenizer.decode(tokenizer.encode("she kissed him .")) == "she kissed him."


def test_spacy_cuts_as_spacy_does():
    import spacy

    for language in ("en", "de"):
        reference = spacy.blank(language)
        for line in LINES[language]:
            expected = [Token(t.text, t.idx, t.idx + len(t)) for t in reference(line) if not t.is_space]
            assert Spacy(language).tokenize(line) == expected


@pytest.mark.parametrize("language", ["ja", "xyz"])
def test_spacy_without_the_language(language):
    with pytest.raises(ConfigError, match=f"'{language}'.*use tokenizer=word"):
        Spacy(language).check()


def test_bpe_merges_as_in_the_paper():
    # Sennrich et al. 2016, section 3.2: the first merges of this dictionary are e+s, es+t.
    words = {"low": 5, "lower": 2, "newest": 6, "widest": 3}
    text = [word for word, count in words.items() for _ in range(count)]
    alphabet = {"▁", *"lowernewestwidest"}
    tokenizer = Bpe("en", vocab_size=len(SPECIALS) + len(alphabet) + 2)
    tokenizer.fit(text)
    merged = [piece for piece in tokenizer._pieces[len(SPECIALS) :] if len(piece) > 1]
    assert merged in (["es", "est"], ["st", "est"])
    assert tokenizer.tokens(tokenizer.encode("lowest")) == ["▁", "l", "o", "w", "est"]


def test_unigram_finds_the_most_probable_segmentation():
    tokenizer = Unigram("en", vocab_size=60)
    tokenizer.fit(["the theme of the thesis", "these themes then", "he sees the heather there", "mist mesh seem"])
    scores = dict(tokenizer.state()["model"]["vocab"])

    def probability(pieces):
        return sum(scores.get(piece, -math.inf) for piece in pieces)

    for word in ("themes", "theses", "heathen", "there"):
        text = "▁" + word
        cuts = itertools.chain.from_iterable(itertools.combinations(range(1, len(text)), k) for k in range(len(text)))
        ways = [[text[a:b] for a, b in itertools.pairwise((0, *c, len(text)))] for c in cuts]
        found = tokenizer.tokens(tokenizer.encode(word))
        assert probability(found) == pytest.approx(max(map(probability, ways)))


@pytest.mark.parametrize("make", [Bpe, Unigram])
def test_training_gives_the_same_pieces_again(make, shared_data):
    with gzip.open(shared_data / "multi30k" / "train.de.gz", "rt", encoding="utf-8") as file:
        lines = list(itertools.islice(file, 1500))
    fitted = [make("de", vocab_size=700) for _ in range(3)]
    for tokenizer in fitted:
        tokenizer.fit(lines)
    states = [json.dumps(tokenizer.state()) for tokenizer in fitted]
    assert states[0] == states[1] == states[2]


@pytest.mark.parametrize("make", [Word, Spacy, Char, Bpe, Unigram])
def test_special_symbols_in_a_text_are_text(make):
    lines = ["a <s> b </s> <pad> <unk>", "<s>"] * 3
    tokenizer = make("en")
    tokenizer.fit(lines)
    for line in lines:
        assert not {PAD, UNK, BOS, EOS} & set(tokenizer.encode(line))
        assert tokenizer.decode(tokenizer.encode(line)) == line


@pytest.mark.parametrize("make", [Word, Spacy, Char, Bpe, Unigram])
def test_unknown_pieces(make):
    tokenizer = make("en")
    tokenizer.fit(["abc abd abc"])
    assert UNK in tokenizer.encode("漢")
    assert tokenizer.decode(tokenizer.encode("漢")) == "<unk>"
    assert UNK not in tokenizer.encode("abc")


@pytest.mark.parametrize("make", [Word, Spacy, Char, Bpe, Unigram])
@pytest.mark.parametrize("lowercase", [False, True])
def test_places_in_the_raw_text(make, lowercase):
    lines = [
        "DIYARBAKIR İSTANBUL ist GROẞ.",
        'Sie "mag" ÄPFEL,  sehr',
    ]  # İ becomes two characters in lower case
    tokenizer = make("de", lowercase=lowercase)
    tokenizer.fit(lines)
    for line in lines:
        tokens = tokenizer.tokenize(line)
        assert len(tokens) == len(tokenizer.encode(line))
        for token in tokens:
            raw = line[token.start : token.end]
            plain = token.text.removeprefix("▁")
            # of a character that becomes two, each may be a piece; all else is the very text
            split = raw == "İ" and plain in raw.lower()
            assert plain == raw or (lowercase and (plain == raw.lower() or split))
        starts = [token.start for token in tokens]
        assert starts == sorted(starts)


@pytest.mark.parametrize("make", [Word, Spacy, Char, Bpe, Unigram])
def test_lower_case(make):
    tokenizer = make("en", lowercase=True)
    tokenizer.fit(["The CAT sat."])
    assert tokenizer.decode(tokenizer.encode("The CAT sat.")) == "the cat sat."


def test_limits_of_the_vocabulary():
    lines = ["a a a a b b b c c d"]
    tokenizer = Word("en", max_size=6)
    tokenizer.fit(lines)
    assert tokenizer.state() == [*SPECIALS, "a", "b"]
    tokenizer = Word("en", min_frequency=2)
    tokenizer.fit(lines)
    assert tokenizer.encode("a b c d") == [4, 5, 6, UNK]
    assert len(tokenizer) == 7


@pytest.mark.parametrize(
    "make",
    [
        lambda: Word("en", max_size=4),
        lambda: Char("en", min_frequency=0),
        lambda: Bpe("en", vocab_size=3),
        lambda: Bpe("en", min_frequency=0),
        lambda: Unigram("en", vocab_size=0),
    ],
)
def test_limits_that_leave_nothing(make):
    with pytest.raises(ConfigError, match="give"):
        make()


@pytest.mark.parametrize("make", [Word, Spacy, Char, Bpe, Unigram])
def test_saved_and_loaded(make, tmp_path):
    tokenizer = make("de", lowercase=True)
    tokenizer.fit(LINES["de"] * 2)
    path = tmp_path / "source.json"
    tokenizer.save(path)
    again = load(path)
    assert type(again) is type(tokenizer)
    assert (len(again), again.lowercase) == (len(tokenizer), True)
    assert again.signature() == tokenizer.signature()
    for line in [*LINES["de"], "Ganz neue Wörter (hier)!"]:
        assert again.encode(line) == tokenizer.encode(line)
        assert again.decode(again.encode(line)) == tokenizer.decode(tokenizer.encode(line))


@pytest.mark.parametrize("content", ["", "{}", '{"tokenizer": "os.path", "settings": {}, "state": []}', "[1]"])
def test_not_a_saved_tokenizer(content, tmp_path):
    path = tmp_path / "source.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"source\.json: no saved tokenizer"):
        load(path)


DAMAGED = {  # a part of the file, what stands there instead
    "settings.lowercase": ["x", 1, None, []],
    "settings.language": [None, 3, True, ["en"]],
    "settings.max_size": [1.5, "9", True, 0, 10**30],
    "settings.vocab_size": [None, "9", 10**30],
    "settings.min_frequency": [True, 0, 1.5, None],
    "settings.fit_lines": ["x", True, 0],
    "settings.other": [1],
    "settings": [None, [], "x", 3],
    "tokenizer": [None, 3, "os.path", "load", "../word"],
    "state": [
        None,
        "x",
        3,
        [],
        ["x"],
        ["<unk>", "<pad>", "<s>", "</s>", "x"],
        [*SPECIALS, None],
        [*SPECIALS, "x", "x"],
    ],
    "state.model": [None, "x", {}],
    "state.model.vocab": [None, [], {}, "x", {"a": 0, "b": 9}],
    "state.model.unk_token": ["none"],
    "state.model.unk_id": [None, 10**6],
}


@pytest.mark.parametrize("part", DAMAGED)
@pytest.mark.parametrize("make", [Word, Bpe, Unigram])
def test_a_damaged_part_of_a_saved_tokenizer(make, part, tmp_path):
    path = tmp_path / "source.json"
    tokenizer = make("en")
    tokenizer.fit(["the cat sees the dog", "a cat"] * 3)
    tokenizer.save(path)
    whole = path.read_text("utf-8")
    *parents, name = part.split(".")
    for value in DAMAGED[part]:
        saved = node = json.loads(whole)
        for parent in parents:
            node = node[parent] if isinstance(node, dict) and parent in node else {}
        if not isinstance(node, dict) or (name not in node and name != "other"):
            continue  # of the other kind
        node[name] = value
        path.write_text(json.dumps(saved), "utf-8")
        with pytest.raises(DataError, match=r"source\.json: no saved tokenizer \("):
            load(path)


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match=r"none\.json"):
        load(tmp_path / "none.json")


@pytest.mark.parametrize("make", [Word, Char, Bpe])
def test_ids_outside_the_vocabulary(make):
    tokenizer = make("en")
    tokenizer.fit(["a b"])
    with pytest.raises(DataError, match=r"99.*right tokenizer"):
        tokenizer.decode([4, 99])


def test_nothing_to_learn_from():
    with pytest.raises(DataError, match="no vocabulary yet"):
        Bpe("en").encode("a")
