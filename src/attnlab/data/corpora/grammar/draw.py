"""Draws noun phrases for the ``grammar`` data set: which words may meet, and how often."""

from abc import ABC, abstractmethod
from functools import cache
from random import Random
from typing import TypeVar

from attnlab.data.corpora.grammar.forms import NUMBERS
from attnlab.data.corpora.grammar.lexicon import (
    ADJECTIVES,
    NOUNS,
    PREPOSITIONS,
    TIMES,
    Adjective,
    Adverb,
    Noun,
    Preposition,
)
from attnlab.data.corpora.grammar.tree import Both, Nominal, Phrase, Place, Pronoun, Relative

Item = TypeVar("Item")
Determiners = tuple[tuple[str, bool, bool], ...]

#: (determiner, plural, with a number), each as often as it is to be drawn
DEFINITE: Determiners = (
    *[("the", False, False)] * 10, *[("the", True, False)] * 4, ("the", True, True),
    *[("this", False, False)] * 2,
    *[(owner, plural, False) for owner in ("my", "his", "her", "our") for plural in (False, False, True)],
    ("my", True, True), ("her", True, True),
)  # fmt: skip
INDEFINITE: Determiners = (
    *[("a", False, False)] * 8, *[("", True, True)] * 4, *[("every", False, False)] * 2,
    *[("many", True, False), ("some", True, False)] * 2,
)  # fmt: skip
ANY = DEFINITE + INDEFINITE
SUBJECT: Determiners = (*ANY, ("no", False, False), *[("a", False, False)] * 4)
DENIED = (*DEFINITE, *[("a", False, False)] * 8)  #: what may stand beside "not": "nicht", or "kein" for "a"
_PRONOUNS = ("I", "I", "I", "I", "he", "he", "she", "she", "we", "they")
_WHERE = tuple(PREPOSITIONS[name] for name in ("in", "in", "behind", "in front of", "next to", "under", "on"))
_WHITHER = tuple(PREPOSITIONS[name] for name in ("into", "to", "through", "out of"))
_WITH = tuple(PREPOSITIONS[name] for name in ("with", "with", "without"))
_NUMBERS = tuple(NUMBERS)


@cache
def nouns_with(traits: str) -> tuple[Noun, ...]:
    """The nouns that have any of the traits."""
    return tuple(noun for noun in NOUNS.values() if set(traits) & set(noun.traits))


@cache
def companions(noun: Noun, nouns: tuple[Noun, ...]) -> tuple[Noun, ...]:
    """What can be joined to a noun by "and": others of its kind."""
    return tuple(other for other in nouns if other is not noun and other.traits[0] == noun.traits[0])


@cache
def adjectives_for(kinds: str) -> tuple[Adjective, ...]:
    """The adjectives that fit all of the kinds."""
    return tuple(item for item in ADJECTIVES.values() if set(kinds) <= set(item.kinds))


@cache
def times_for(letter: str) -> tuple[Adverb, ...]:
    return tuple(item for item in TIMES.values() if letter in item.tenses)


class PhraseSampler(ABC):
    """Draws phrases. ``budget`` is how many recursive steps may still be taken, ``eager`` how willingly."""

    def __init__(self, random: Random) -> None:
        self._random = random.random
        self._budget = 0
        self._eager = 1.0

    @abstractmethod
    def relative(self, noun: Noun) -> Relative:
        """Draw a relative clause about a noun."""

    def pick(self, items: tuple[Item, ...]) -> Item:
        return items[int(self._random() * len(items))]

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def grow(self, probability: float) -> bool:
        """Whether to take a recursive step; taking one costs budget."""
        if self._budget < 1 or self._random() >= probability * self._eager:
            return False
        self._budget -= 1
        return True

    def subject(self, kinds: str, denied: bool, grows: bool = True) -> Nominal:
        if "p" in kinds and self.chance(0.35):
            return Pronoun(self.pick(_PRONOUNS))
        if not denied and grows and self.grow(0.1):
            return self.both(nouns_with(kinds))
        return self.phrase(nouns_with(kinds), DEFINITE if denied else SUBJECT, grows)

    def object(self, traits: str, subject: Nominal | None, case_is_dative: bool, denied: bool) -> Nominal:
        """Draw an object; never "I see me", and no accusative "them", which would be "her" in German."""
        if "p" in traits and self.chance(0.2):
            name = self.pick(_PRONOUNS)
            speaking = isinstance(subject, Pronoun) and subject.name in ("I", "we")
            if not (speaking and name in ("I", "we")) and (case_is_dative or name != "they"):
                return Pronoun(name)
        if not denied and self.grow(0.1):
            return self.both(nouns_with(traits))
        return self.phrase(nouns_with(traits), DENIED if denied else ANY)

    def both(self, nouns: tuple[Noun, ...]) -> Both:
        first = self.phrase(nouns, DEFINITE, grows=False)
        return Both(first, self.phrase(companions(first.noun, nouns), DEFINITE, grows=False))

    def phrase(self, nouns: tuple[Noun, ...], determiners: Determiners, grows: bool = True) -> Phrase:
        noun = self.pick(nouns)
        determiner, plural, counted = self.pick(determiners)
        adjectives = self.adjectives(noun.traits[0]) if self.chance(0.3) else ()
        relative = place = None
        if grows and self.grow(0.2):
            if self.chance(0.6):
                relative = self.relative(noun)
            else:
                place = self._modifier(noun)
        number = self.pick(_NUMBERS) if counted else ""
        return Phrase(noun, determiner, plural, number, adjectives, place, relative)

    def adjectives(self, kinds: str) -> tuple[Adjective, ...]:
        pool = adjectives_for(kinds)
        first, second = self.pick(pool), self.pick(pool)
        return (first, second) if first is not second and self.chance(0.12) else (first,)

    def _modifier(self, noun: Noun) -> Place | None:
        if noun.traits[0] == "p" and self.chance(0.3):
            return self.governed(_WITH[0], noun)
        return self.governed(self.pick(_WHERE), noun)

    def where(self, grows: bool = True) -> Place:
        return self.governed(self.pick(_WHERE), None, grows)

    def whither(self) -> Place:
        return self.governed(self.pick(_WHITHER))

    def company(self, grows: bool = True) -> Place:
        return self.governed(self.pick(_WITH), None, grows)

    def governed(self, preposition: Preposition, besides: Noun | None = None, grows: bool = True) -> Place:
        phrase = self.phrase(nouns_with(preposition.traits), ANY, grows)
        while phrase.noun is besides:
            phrase = self.phrase(nouns_with(preposition.traits), ANY, grows)
        return Place(preposition, phrase)
