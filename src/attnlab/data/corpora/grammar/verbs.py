"""Verbs of the ``grammar`` data set: English do-support, German compound tenses and separable particles."""

from typing import NamedTuple

from attnlab.data.corpora.grammar.forms import BE_PAST, BE_PRESENT, MODALS, PERFECT
from attnlab.data.corpora.grammar.lexicon import Verb
from attnlab.data.corpora.grammar.phrases import Word

#: where verbs stand: statement; German verb first (after a fronted clause); both verbs first; German verb
#: last; infinitive with "to"
MAIN, INVERTED, QUESTION, FINAL, INFINITIVE = "main", "inverted", "question", "final", "infinitive"


class EnglishVerbs(NamedTuple):
    auxiliary: list[Word]  #: what moves before the subject in a question
    negation: Word | None  #: "not", or the auxiliary "cannot"
    lead: list[Word]  #: "wants to", "to"
    main: list[Word]
    particle: list[Word]


class GermanVerbs(NamedTuple):
    finite: list[Word]
    rest: list[Word]  #: at the end of a statement
    final: list[Word]  #: all, at the end of a subordinate clause


def verbs(verb: Verb, tense: str, person: int, negated: bool, order: str) -> tuple[EnglishVerbs, GermanVerbs]:
    """The verb complex in both languages; every word of one may be linked to every word of the other."""
    auxiliary, lead, main = _english(verb, tense, person, negated, order)
    particle = [Word(verb.particle)] if verb.particle else []
    negation = Word("not") if negated else None
    if negated and auxiliary and auxiliary[0].text == "cannot":
        negation = auxiliary[0]
    english = EnglishVerbs(auxiliary, negation, lead, main, particle)
    if order == INFINITIVE:
        return english, GermanVerbs([], [], _infinitive(verb, english))
    return english, _german(verb, tense, person, english)


def _english(
    verb: Verb, tense: str, person: int, negated: bool, order: str
) -> tuple[list[Word], list[Word], list[Word]]:
    base, third, past = verb.english
    if order == INFINITIVE:
        return [], [Word("to")], [Word(base)]
    if verb.frame == "b" and tense in ("present", "past"):
        return [Word((BE_PAST if tense == "past" else BE_PRESENT)[0][person])], [], []
    if tense in MODALS and tense != "want":
        auxiliary = "cannot" if tense == "can" and negated else MODALS[tense][0]
        return [Word(auxiliary)], [], [Word(base)]
    to = [Word("to")] if tense == "want" else []
    if negated or order == QUESTION:
        do = "did" if tense == "past" else "does" if person == 1 else "do"
        return [Word(do)], [Word("want"), *to] if to else [], [Word(base)]
    if to:
        return [], [Word("wants" if person == 1 else "want"), *to], [Word(base)]
    return [], [], [Word(past if tense == "past" else third if person == 1 else base)]


def _complex(english: EnglishVerbs) -> tuple[Word, ...]:
    return (*english.auxiliary, *english.lead, *english.main, *english.particle)


def _german(verb: Verb, tense: str, person: int, english: EnglishVerbs) -> GermanVerbs:
    spoken = _complex(english)
    helper, main, particle = (words[0] if words else None for words in (english[0], english[3], english[4]))
    if main is None:
        finite = Word((BE_PAST if tense == "past" else BE_PRESENT)[1][person], helper)
        return GermanVerbs([finite], [], [finite])
    if tense == "present":
        form = verb.german[person]
        rest = [Word(verb.prefix, particle, spoken)] if verb.prefix else []
        return GermanVerbs([Word(form, main, spoken)], rest, [Word(verb.prefix + form, main, spoken)])
    if tense == "past":
        finite = Word(PERFECT[verb.auxiliary][person], helper, spoken)
        other = Word(verb.participle, main, spoken)
    else:
        finite = Word(MODALS[tense][1][person], english.lead[0] if english.lead else helper, spoken)
        other = Word(verb.prefix + verb.german[2], main, spoken)
    return GermanVerbs([finite], [other], [other, finite])


def _infinitive(verb: Verb, english: EnglishVerbs) -> list[Word]:
    spoken, to, main = _complex(english), english.lead[0], english.main[0]
    if verb.prefix:
        return [Word(f"{verb.prefix}zu{verb.german[2]}", main, spoken)]
    return [Word("zu", to, spoken), Word(verb.german[2], main, spoken)]
