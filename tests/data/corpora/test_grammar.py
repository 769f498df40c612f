"""The ``grammar`` data set against German written by hand, and its promises about splits and links."""

import inspect
import pickle
import subprocess
import sys
from itertools import islice, pairwise

import pytest

from attnlab.data.corpora.grammar import corpus as grammar
from attnlab.data.corpora.grammar.corpus import Grammar
from attnlab.data.corpora.grammar.draw import adjectives_for
from attnlab.data.corpora.grammar.lexicon import ADJECTIVES, NOUNS, PREPOSITIONS, TIMES, VERBS
from attnlab.data.corpora.grammar.tree import Both, Clause, Complement, Phrase, Place, Pronoun, Relative, Sentence
from attnlab.data.corpus import Pair
from attnlab.types import ConfigError, DataError

MARKS = {",", ".", "?"}


def np(noun, determiner="the", *adjectives, plural=False, number="", place=None, relative=None):
    chosen = tuple(ADJECTIVES[name] for name in adjectives)
    return Phrase(NOUNS[noun], determiner, plural, number, chosen, place, relative)


def pp(preposition, phrase):
    return Place(PREPOSITIONS[preposition], phrase)


def does(subject, verb, tense="present", **parts):
    return Clause(subject, VERBS[verb], tense, **parts)


MAN, WOMAN, CHILD, DOG = np("man"), np("woman"), np("child"), np("dog")
ME, HE, SHE, THEY = Pronoun("I"), Pronoun("he"), Pronoun("she"), Pronoun("they")
SLEEPS = does(DOG, "sleep")

# (derivation, English, German), the sentences written by hand
TRANSLATIONS = [
    # gender and case: the, a, possessives, adjectives weak and mixed
    (
        does(MAN, "see", object=np("dog", "the", "old")),
        "The man sees the old dog.",
        "Der Mann sieht den alten Hund.",
    ),
    (
        does(np("dog", "a", "old"), "see", object=np("cat", "a", "old")),
        "An old dog sees an old cat.",
        "Ein alter Hund sieht eine alte Katze.",
    ),
    (
        does(np("child", "a", "small"), "buy", object=np("book", "a", "new")),
        "A small child buys a new book.",
        "Ein kleines Kind kauft ein neues Buch.",
    ),
    (
        does(WOMAN, "give", indirect=np("child", "a", "small"), object=np("apple", "a")),
        "The woman gives a small child an apple.",
        "Die Frau gibt einem kleinen Kind einen Apfel.",
    ),
    (
        does(np("boy"), "help", object=np("neighbor", "her", "old")),
        "The boy helps her old neighbor.",
        "Der Junge hilft ihrem alten Nachbarn.",
    ),
    (
        does(np("woman", "our"), "help", object=np("queen", "this", "sad")),
        "Our woman helps this sad queen.",
        "Unsere Frau hilft dieser traurigen Königin.",
    ),
    (
        does(np("child", plural=True), "thank", object=np("friend", "my", "good", plural=True)),
        "The children thank my good friends.",
        "Die Kinder danken meinen guten Freunden.",
    ),
    (
        does(np("girl", "", "young", plural=True, number="three"), "eat", object=np("egg", "many", plural=True)),
        "Three young girls eat many eggs.",
        "Drei junge Mädchen essen viele Eier.",
    ),
    (
        does(np("dog", "every"), "follow", object=np("horse", "some", "black", plural=True)),
        "Every dog follows some black horses.",
        "Jeder Hund folgt einigen schwarzen Pferden.",
    ),
    (
        does(np("house", "no"), "be", predicate=(ADJECTIVES["old"], ADJECTIVES["small"])),
        "No house is old and small.",
        "Kein Haus ist alt und klein.",
    ),
    (
        does(Both(MAN, WOMAN), "love", object=Both(np("garden"), np("house", "his"))),
        "The man and the woman love the garden and his house.",
        "Der Mann und die Frau lieben den Garten und sein Haus.",
    ),
    # prepositions, contractions, and none before a relative clause
    (
        does(CHILD, "sleep", place=pp("in", np("house"))),
        "The child sleeps in the house.",
        "Das Kind schläft im Haus.",
    ),
    (
        does(CHILD, "run", place=pp("into", np("house"))),
        "The child runs into the house.",
        "Das Kind läuft ins Haus.",
    ),
    (
        does(SHE, "go", place=pp("to", np("school", "the", "new"))),
        "She goes to the new school.",
        "Sie geht zur neuen Schule.",
    ),
    (
        does(np("cat"), "run", "past", place=pp("out of", np("kitchen"))),
        "The cat ran out of the kitchen.",
        "Die Katze ist aus der Küche gelaufen.",
    ),
    (
        does(
            ME,
            "live",
            "past",
            place=pp(
                "in",
                np("hotel", relative=Relative("subject", does(None, "be", predicate=(ADJECTIVES["old"],)))),
            ),
        ),
        "I lived in the hotel which is old.",
        "Ich habe in dem Hotel gewohnt, das alt ist.",
    ),
    (
        does(np("key", place=pp("under", np("chair"))), "be", "past", predicate=(ADJECTIVES["heavy"],)),
        "The key under the chair was heavy.",
        "Der Schlüssel unter dem Stuhl war schwer.",
    ),
    # separable verbs: particle at the end, joined in a subordinate clause, "zu" inside
    (does(HE, "get up", time=TIMES["today"]), "He gets up today.", "Er steht heute auf."),
    (does(WOMAN, "pick up", object=HE), "The woman picks him up.", "Die Frau holt ihn ab."),
    (does(ME, "look at", object=np("picture", "a")), "I look at a picture.", "Ich sehe ein Bild an."),
    (
        does(MAN, "try", "past", complement=Complement("to", does(None, "call", object=np("doctor")))),
        "The man tried to call the doctor.",
        "Der Mann hat versucht, den Arzt anzurufen.",
    ),
    # verb second after an adverb, perfect, modal verbs, questions
    (
        does(MAN, "buy", "past", object=np("car", "a"), time=TIMES["yesterday"], front="time"),
        "Yesterday the man bought a car.",
        "Gestern hat der Mann ein Auto gekauft.",
    ),
    (
        does(THEY, "play", "future", place=pp("in", np("park")), time=TIMES["tomorrow"]),
        "They will play in the park tomorrow.",
        "Sie werden morgen im Park spielen.",
    ),
    (
        does(CHILD, "eat", "want", object=np("cake"), negated=True),
        "The child does not want to eat the cake.",
        "Das Kind will den Kuchen nicht essen.",
    ),
    (
        does(MAN, "see", object=WOMAN, place=pp("in front of", np("church")), front="place"),
        "In front of the church the man sees the woman.",
        "Vor der Kirche sieht der Mann die Frau.",
    ),
    (
        Sentence(does(np("train"), "depart", "past"), question="why"),
        "Why did the train depart?",
        "Warum ist der Zug abgefahren?",
    ),
    (
        Sentence(does(SHE, "turn on", "can", object=np("lamp")), question="yes"),
        "Can she turn on the lamp?",
        "Kann sie die Lampe anmachen?",
    ),
    (
        Sentence(does(Pronoun("who"), "read", object=np("letter")), question="who"),
        "Who reads the letter?",
        "Wer liest den Brief?",
    ),
    # negation and frequency
    (does(ME, "see", object=np("bear", "a"), negated=True), "I do not see a bear.", "Ich sehe keinen Bären."),
    (
        does(THEY, "wait", "past", place=Place(VERBS["wait"].preposition, np("bus")), negated=True),
        "They did not wait for the bus.",
        "Sie haben nicht auf den Bus gewartet.",
    ),
    (
        does(SHE, "think", "can", place=Place(VERBS["think"].preposition, HE), negated=True),
        "She cannot think of him.",
        "Sie kann nicht an ihn denken.",
    ),
    (
        does(MAN, "read", object=np("poem"), frequency="never"),
        "The man never reads the poem.",
        "Der Mann liest das Gedicht nie.",
    ),
    (
        does(MAN, "read", object=np("poem", "a"), frequency="often"),
        "The man often reads a poem.",
        "Der Mann liest oft ein Gedicht.",
    ),
    # subordinate and coordinated clauses
    (
        Sentence(does(WOMAN, "read", object=np("book", "a")), before=("because", SLEEPS)),
        "Because the dog sleeps, the woman reads a book.",
        "Weil der Hund schläft, liest die Frau ein Buch.",
    ),
    (
        Sentence(does(WOMAN, "laugh", "past"), after=("when", does(DOG, "wake up", "past"))),
        "The woman laughed when the dog woke up.",
        "Die Frau hat gelacht, als der Hund aufgewacht ist.",
    ),
    (
        does(MAN, "know", complement=Complement("that", does(np("bird", plural=True), "sing", "must"))),
        "The man knows that the birds must sing.",
        "Der Mann weiß, dass die Vögel singen müssen.",
    ),
    (
        Sentence(Clause(Pronoun("it"), VERBS["rain"], "past"), also=("but", Sentence(does(ME, "work")))),
        "It rained, but I work.",
        "Es hat geregnet, aber ich arbeite.",
    ),
    # relative clauses: gender, case, owner, place; after the verb at the end, inside otherwise
    (
        does(np("woman", relative=Relative("object", does(MAN, "see"))), "sing"),
        "The woman whom the man sees sings.",
        "Die Frau, die der Mann sieht, singt.",
    ),
    (
        does(np("child", plural=True, relative=Relative("object", does(HE, "help"))), "laugh"),
        "The children whom he helps laugh.",
        "Die Kinder, denen er hilft, lachen.",
    ),
    (
        does(
            ME,
            "find",
            "past",
            object=np("dog", relative=Relative("subject", does(None, "bring back", object=np("ball")))),
        ),
        "I found the dog which brings back the ball.",
        "Ich habe den Hund gefunden, der den Ball zurückbringt.",
    ),
    (
        does(np("mother", relative=Relative("whose", does(np("boy", ""), "dance"))), "sleep"),
        "The mother whose boy dances sleeps.",
        "Die Mutter, deren Junge tanzt, schläft.",
    ),
    (
        does(
            SHE,
            "visit",
            object=np("city", plural=True, relative=Relative("place", does(ME, "live", "past"), PREPOSITIONS["in"])),
        ),
        "She visits the cities in which I lived.",
        "Sie besucht die Städte, in denen ich gewohnt habe.",
    ),
]


def realise(derivation):
    """As both sentences are said, with their links."""
    whole = derivation if isinstance(derivation, Sentence) else Sentence(derivation)
    return grammar._linked(grammar._said(whole))


@pytest.mark.parametrize(("derivation", "english", "german"), TRANSLATIONS, ids=[row[1] for row in TRANSLATIONS])
def test_translations_written_by_hand(derivation, english, german):
    pair = realise(derivation)
    assert (pair.source, pair.target) == (english, german)


def linked(derivation, kind):
    alignment = realise(derivation).alignment
    words = alignment.source_words, alignment.target_words
    return {(words[0][i], words[1][j]) for i, j in getattr(alignment, kind)}


def test_links_of_a_separable_verb_and_of_not():
    derivation = does(MAN, "call", object=np("aunt"), negated=True)  # Der Mann ruft die Tante nicht an.
    sure = {
        ("The", "Der"),
        ("man", "Mann"),
        ("call", "ruft"),
        ("the", "die"),
        ("aunt", "Tante"),
        ("not", "nicht"),
    }
    assert linked(derivation, "sure") == sure | {(".", ".")}
    extra = linked(derivation, "possible") - linked(derivation, "sure")
    articles = {("The", "Mann"), ("man", "Der"), ("the", "Tante"), ("aunt", "die")}
    assert extra == articles | {("does", "ruft"), ("does", "an"), ("call", "an")}


def test_links_of_kein_contraction_and_comma():
    derivation = Sentence(
        does(ME, "see", object=np("bear", "a"), negated=True),
        after=("if", does(SHE, "be", predicate=(ADJECTIVES["sad"],))),
    )
    possible = linked(derivation, "possible") - linked(derivation, "sure")
    assert {("not", "keinen"), ("a", "keinen"), ("bear", "keinen"), ("if", ",")} <= possible
    inside = linked(does(CHILD, "sleep", place=pp("in", np("house"))), "possible")
    assert {("in", "im"), ("the", "im")} <= inside


@pytest.fixture(scope="module")
def corpus():
    return Grammar()


@pytest.fixture(scope="module")
def pairs():
    """All splits as they come by default, from a process without the slow type checks of the tests."""
    program = """
import pickle, sys
from attnlab.data.corpora.grammar.corpus import Grammar
corpus = Grammar()
pickle.dump({split: list(map(tuple, corpus.read(split))) for split in corpus.splits}, sys.stdout.buffer)
"""
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True)
    return {split: [Pair(*fields) for fields in found] for split, found in pickle.loads(done.stdout).items()}


def test_sizes_and_the_same_again(corpus, pairs):
    assert {split: len(found) for split, found in pairs.items()} == {
        "train": 20000, "val": 500, "test": 1000, "test_long": 1000
    }  # fmt: skip
    assert list(islice(corpus.read("train"), 100)) == pairs["train"][:100]
    assert corpus.report.pairs["train"] == 100
    assert corpus.report.total() == 0


def test_splits_do_not_depend_on_each_others_size(pairs):
    small = Grammar(train_size=50, val_size=10, test_size=10)
    assert all(list(small.read(split)) == pairs[split][: 50 if split == "train" else 10] for split in small.splits)


def test_another_seed_gives_other_sentences(pairs):
    other = {pair.source for pair in islice(Grammar(seed=2).read("train"), 50)}
    assert len(other & {pair.source for pair in pairs["train"][:50]}) < 10


def test_splits_share_no_sentence_of_either_side(pairs):
    for side in (0, 1):
        sets = [{pair[side] for pair in found} for found in pairs.values()]
        assert len(set.union(*sets)) == sum(map(len, sets)) == sum(map(len, pairs.values()))


def test_lengths(pairs):
    def lengths(split, marks):
        return [
            sum(marks or word not in MARKS for word in words) for pair in pairs[split] for words in pair.alignment[:2]
        ]

    for marks in (True, False):
        usual = max(max(lengths(split, marks)) for split in ("train", "val", "test"))
        assert usual < min(lengths("test_long", marks))
    assert min(lengths("train", True)) == 3
    assert max(lengths("train", True)) == 20
    assert 38 <= max(lengths("test_long", True)) <= 40
    usual = lengths("train", True)
    assert sum(length <= 15 for length in usual) > 0.7 * len(usual)


def test_alignments_can_be_fully_reached_from_either_side(pairs):
    for pair in (pair for found in pairs.values() for pair in found):
        source, target, sure, possible = pair.alignment
        assert set(sure) <= set(possible)
        assert len(sure) == len({i for i, _ in sure}) == len({j for _, j in sure})
        assert {i for i, _ in possible} == set(range(len(source)))
        assert {j for _, j in possible} == set(range(len(target)))


def test_words_of_the_alignment_are_the_text(pairs):
    for pair in (pair for found in pairs.values() for pair in found):
        for text, words in zip(pair[:2], pair.alignment[:2], strict=True):
            assert text.replace(",", " ,").replace(".", " .").replace("?", " ?").split() == list(words)
            assert text[0].isupper()


def test_no_word_of_the_tests_is_new(pairs):
    for side in (0, 1):
        known = {word for pair in pairs["train"] for word in pair.alignment[side]}
        tests = [*pairs["test"], *pairs["test_long"]]
        later = {word for pair in tests for word in pair.alignment[side]}
        assert 300 < len(known) < 1000
        assert len({word.lower() for word in later} - {word.lower() for word in known}) == 0


def test_german_is_a_function_of_english(pairs):
    found = {}
    for pair in (pair for split in pairs.values() for pair in split):
        assert found.setdefault(pair.source, pair.target) == pair.target


def test_german_commas_stand_alone(pairs):
    for pair in (pair for split in pairs.values() for pair in split):
        words = pair.alignment.target_words
        assert not any({first, second} <= MARKS for first, second in pairwise(words))


def test_the_other_direction_is_the_mirror_image(pairs):
    turned = Grammar(source_language="de", target_language="en", train_size=100)
    for pair, mirror in zip(pairs["train"], turned.read("train"), strict=False):
        assert (mirror.source, mirror.target) == (pair.target, pair.source)
        assert set(mirror.alignment.sure) == {(j, i) for i, j in pair.alignment.sure}
        assert set(mirror.alignment.possible) == {(j, i) for i, j in pair.alignment.possible}
        assert mirror.alignment.source_words == pair.alignment.target_words


def test_every_kind_of_noun_has_adjectives():
    assert all(len(adjectives_for(noun.traits[0])) > 1 for noun in NOUNS.values())


def test_fingerprint_follows_settings(corpus):
    assert corpus.fingerprint() == Grammar().fingerprint()
    others = [
        Grammar(seed=2),
        Grammar(train_size=9),
        Grammar(val_size=9),
        Grammar(test_size=9),
        Grammar(max_words=19),
        Grammar(max_words_long=39),
        Grammar(source_language="de", target_language="en"),
    ]
    assert len({item.fingerprint() for item in [corpus, *others]}) == 1 + len(others)


def test_fingerprint_follows_the_source(corpus, monkeypatch, tmp_path):
    before = corpus.fingerprint()
    copy = tmp_path / "grammar.py"
    copy.write_text(inspect.getsource(grammar) + "\n")
    monkeypatch.setattr(grammar, "__file__", str(copy))
    assert corpus.fingerprint() != before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train_size": 0}, "train: 0"),
        ({"source_language": "de"}, "de to de"),
        ({"max_words": 5}, "8 to 40"),
        ({"max_words": 35}, "got 35 and 40"),
        ({"max_words_long": 61}, "got 20 and 61"),
    ],
)
def test_settings_that_cannot_work(settings, message):
    with pytest.raises(ConfigError, match=message):
        Grammar(**settings)


def test_an_unknown_split_is_named(corpus):
    with pytest.raises(DataError, match="test_longer"):
        next(corpus.read("test_longer"))


def test_more_sentences_than_there_are(monkeypatch):
    monkeypatch.setattr(grammar, "_PATIENCE", 0)
    with pytest.raises(DataError, match="train wants 20000 different sentences"):
        list(Grammar().read("train"))
