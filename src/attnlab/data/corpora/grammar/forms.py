"""Function words and endings of the ``grammar`` data set."""

from typing import NamedTuple

NOMINATIVE, ACCUSATIVE, DATIVE = 0, 1, 2
MASCULINE, FEMININE, NEUTER, PLURAL = 0, 1, 2, 3  #: the plural has no gender and stands beside the three

FREQUENCIES = {"often": "oft", "always": "immer", "sometimes": "manchmal", "never": "nie", "rarely": "selten"}
CONJUNCTIONS = {
    "because": "weil", "although": "obwohl", "if": "wenn", "when": "als", "while": "während",
    "before": "bevor", "until": "bis", "that": "dass", "whether": "ob",
}  # fmt: skip
COORDINATORS = {"and": "und", "but": "aber"}
QUESTIONS = {"why": "warum", "where": "wo", "when": "wann"}
NUMBERS = {
    "two": "zwei", "three": "drei", "four": "vier", "five": "fünf", "six": "sechs", "seven": "sieben",
    "eight": "acht", "nine": "neun", "ten": "zehn",
}  # fmt: skip

#: English determiner -> German stem and declension: d as "der" (strong), e as "ein"; "the" is listed in full
DETERMINERS = {
    "this": ("dies", "d"), "every": ("jed", "d"), "a": ("ein", "e"), "no": ("kein", "e"), "my": ("mein", "e"),
    "his": ("sein", "e"), "her": ("ihr", "e"), "our": ("unser", "e"),
    "many": ("viel", "d"), "some": ("einig", "d"),
}  # fmt: skip
#: endings by case, then masculine, feminine, neuter, plural
STRONG = (("er", "e", "es", "e"), ("en", "e", "es", "e"), ("em", "er", "em", "en"))
MIXED = (("", "e", "", "e"), ("en", "e", "", "e"), ("em", "er", "em", "en"))
THE = (("der", "die", "das", "die"), ("den", "die", "das", "die"), ("dem", "der", "dem", "den"))
#: endings of an adjective: after "der", after "ein", after nothing
WEAK_ADJECTIVE = (("e", "e", "e", "en"), ("en", "e", "e", "en"), ("en", "en", "en", "en"))
MIXED_ADJECTIVE = (("er", "e", "es", "en"), ("en", "e", "es", "en"), ("en", "en", "en", "en"))
CONTRACTIONS = {("in", "dem"): "im", ("in", "das"): "ins", ("zu", "dem"): "zum", ("zu", "der"): "zur"}


class Person(NamedTuple):
    english: tuple[str, str]  #: subject, object
    german: tuple[str, str, str]  #: nominative, accusative, dative
    agreement: int  #: 0 I, 1 he, 2 plural


PRONOUNS = {
    "I": Person(("I", "me"), ("ich", "mich", "mir"), 0),
    "he": Person(("he", "him"), ("er", "ihn", "ihm"), 1),
    "she": Person(("she", "her"), ("sie", "sie", "ihr"), 1),
    "we": Person(("we", "us"), ("wir", "uns", "uns"), 2),
    "they": Person(("they", "them"), ("sie", "sie", "ihnen"), 2),
    "it": Person(("it", ""), ("es", "", ""), 1),  # of the weather
    "who": Person(("who", ""), ("wer", "", ""), 1),
}
#: tense -> English auxiliary, German finite forms by agreement
MODALS = {
    "future": ("will", ("werde", "wird", "werden")),
    "can": ("can", ("kann", "kann", "können")),
    "must": ("must", ("muss", "muss", "müssen")),
    "may": ("may", ("darf", "darf", "dürfen")),
    "should": ("should", ("sollte", "sollte", "sollten")),
    "want": ("want", ("will", "will", "wollen")),
}
PERFECT = {"haben": ("habe", "hat", "haben"), "sein": ("bin", "ist", "sind")}
BE_PRESENT = (("am", "is", "are"), ("bin", "ist", "sind"))
BE_PAST = (("was", "was", "were"), ("war", "war", "waren"))
