"""Noun phrases of the ``grammar`` data set in both languages: articles, endings, pronouns, prepositions."""

from typing import NamedTuple

from attnlab.data.corpora.grammar.forms import (
    ACCUSATIVE,
    CONTRACTIONS,
    DETERMINERS,
    FEMININE,
    FREQUENCIES,
    MIXED,
    MIXED_ADJECTIVE,
    NOMINATIVE,
    NUMBERS,
    PLURAL,
    PRONOUNS,
    STRONG,
    THE,
    WEAK_ADJECTIVE,
)
from attnlab.data.corpora.grammar.lexicon import Adjective, Adverb
from attnlab.data.corpora.grammar.tree import Both, Nominal, Phrase, Place, Pronoun, Relative


class Word:
    """A word of either language; a German one knows the English words that it translates."""

    __slots__ = ("position", "possible", "sure", "text")

    def __init__(self, text: str, sure: "Word | None" = None, possible: "tuple[Word, ...]" = ()) -> None:
        self.text = text
        self.sure = sure
        self.possible = possible
        self.position = -1  # of an English word, set when the sentence is complete


class Said(NamedTuple):
    """A constituent in both languages."""

    english: list[Word]
    german: list[Word]


SILENT = Said([], [])


def gender_of(phrase: Phrase) -> int:
    return PLURAL if phrase.plural else phrase.noun.gender


def agreement(nominal: Nominal) -> int:
    """Row of the finite verb's forms: 0 for I, 1 for the third person singular, 2 for a plural."""
    if isinstance(nominal, Pronoun):
        return PRONOUNS[nominal.name].agreement
    return 2 if isinstance(nominal, Both) or nominal.plural else 1


def is_definite(nominal: Nominal) -> bool:
    """Whether "oft" and its like stand after an object, not before it."""
    return isinstance(nominal, Phrase) and nominal.determiner in ("the", "this", "my", "his", "her", "our")


def becomes_kein(nominal: Nominal | None) -> bool:
    """Whether "not" and the article of an object are "kein" in German."""
    return isinstance(nominal, Phrase) and nominal.determiner == "a"


def relative_of(nominal: Nominal | None) -> tuple[Phrase, Relative] | None:
    """The relative clause at the end of a phrase, and its antecedent: the nearest noun."""
    while isinstance(nominal, Phrase):
        if nominal.relative:
            return nominal, nominal.relative
        nominal = nominal.place.phrase if nominal.place else None
    return None


def nominal(item: Nominal, case: int, negation: Word | None = None) -> Said:
    """Say a phrase without the relative clause at its end; with ``negation``, "a" becomes "kein"."""
    if isinstance(item, Pronoun):
        person = PRONOUNS[item.name]
        english = Word(person.english[case != NOMINATIVE])
        return Said([english], [Word(person.german[case], english)])
    if isinstance(item, Both):
        first, second, conjunction = nominal(item.first, case), nominal(item.second, case), Word("and")
        return Said(
            [*first.english, conjunction, *second.english],
            [*first.german, Word("und", conjunction), *second.german],
        )
    return _phrase(item, case, negation)


def _phrase(phrase: Phrase, case: int, negation: Word | None) -> Said:
    english, german = [], []
    gender, noun = gender_of(phrase), phrase.noun
    head = Word(noun.english[phrase.plural])
    if phrase.determiner:
        determiner = Word(phrase.determiner)
        english.append(determiner)
        german.append(_determiner(phrase.determiner, gender, case, determiner, head, negation))
    if phrase.number:
        english.append(Word(phrase.number))
        german.append(Word(NUMBERS[phrase.number], english[-1]))
    if phrase.adjectives:
        said = adjectives(phrase, _adjective_ending(phrase.determiner, gender, case))
        english += said.english
        german += said.german
    english.append(head)
    german.append(Word(_noun_form(phrase, case), head, (english[0],) if phrase.determiner else ()))
    if phrase.determiner == "a" and english[1].text[0] in "aeiou":
        english[0].text = "an"
    if phrase.place:
        said = place(phrase.place)
        english += said.english
        german += said.german
    return Said(english, german)


def owned(phrase: Phrase, owner: int) -> Said:
    """Say "whose dog", where the German pronoun agrees with the owner's gender (or plural)."""
    whose, head = Word("whose"), Word(phrase.noun.english[phrase.plural])
    pronoun = Word("deren" if owner in (FEMININE, PLURAL) else "dessen", whose, (head,))
    return Said([whose, head], [pronoun, Word(_noun_form(phrase, NOMINATIVE), head, (whose,))])


def _noun_form(phrase: Phrase, case: int) -> str:
    singular, oblique, plural, dative = phrase.noun.german
    if phrase.plural:
        return plural if case <= ACCUSATIVE else dative
    return singular if case == NOMINATIVE else oblique


def _determiner(name: str, gender: int, case: int, english: Word, head: Word, negation: Word | None) -> Word:
    if name == "the":
        return Word(THE[case][gender], english, (head,))
    stem, declension = DETERMINERS[name]
    ending = (STRONG if declension == "d" else MIXED)[case][gender]
    if name == "a" and negation:
        return Word("k" + stem + ending, None, (negation, english, head))
    return Word(stem + ending, english, (head,))


def _adjective_ending(determiner: str, gender: int, case: int) -> str:
    if determiner in ("", "many", "some"):
        return STRONG[case][gender]
    if determiner == "the" or DETERMINERS[determiner][1] == "d":
        return WEAK_ADJECTIVE[case][gender]
    return MIXED_ADJECTIVE[case][gender]


def adjectives(phrase: Phrase, ending: str) -> Said:
    """One adjective, or two joined by "and", before the noun."""
    english = [Word(adjective.english) for adjective in phrase.adjectives]
    german = [Word(adjective.stem + ending, word) for adjective, word in zip(phrase.adjectives, english, strict=True)]
    return _joined(english, german)


def predicate(items: tuple[Adjective, ...]) -> Said:
    """One adjective, or two joined by "and", after "is": German leaves it without an ending."""
    english = [Word(item.english) for item in items]
    return _joined(english, [Word(item.german, word) for item, word in zip(items, english, strict=True)])


def _joined(english: list[Word], german: list[Word]) -> Said:
    if len(english) == 1:
        return Said(english, german)
    conjunction = Word("and")
    return Said([english[0], conjunction, english[1]], [german[0], Word("und", conjunction), german[1]])


def place(item: Place) -> Said:
    """A preposition with its phrase: "in" and "dem" become "im" unless a relative clause follows."""
    preposition = item.preposition
    words = [Word(text) for text in preposition.english]
    head = words[preposition.head]
    rest = tuple(word for word in words if word is not head)
    said = nominal(item.phrase, preposition.case)
    german = [Word(preposition.german, head, rest), *said.german]
    if isinstance(item.phrase, Phrase) and item.phrase.determiner == "the" and not item.phrase.relative:
        contraction = CONTRACTIONS.get((german[0].text, german[1].text))
        if contraction:
            german[:2] = [Word(contraction, head, (*rest, said.english[0]))]
    return Said([*words, *said.english], german)


def time(item: Adverb) -> Said:
    english = [Word(text) for text in item.english]
    sure = {j: english[i] for i, j in item.sure}
    german = [Word(text, sure.get(j), tuple(english)) for j, text in enumerate(item.german)]
    return Said(english, german)


def frequency(name: str) -> Said:
    english = Word(name)
    return Said([english], [Word(FREQUENCIES[name], english)])
