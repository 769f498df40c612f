"""Derivations of the ``grammar`` data set: what is said, before it is said in either language."""

from typing import NamedTuple

from attnlab.data.corpora.grammar.lexicon import Adjective, Adverb, Noun, Preposition, Verb


class Pronoun(NamedTuple):
    name: str  #: a key of ``PRONOUNS``


class Phrase(NamedTuple):
    noun: Noun
    determiner: str = "the"  #: a key of ``DETERMINERS``, "the", or "" where a number stands alone
    plural: bool = False
    number: str = ""
    adjectives: tuple[Adjective, ...] = ()  #: two are joined by "and"
    place: "Place | None" = None
    relative: "Relative | None" = None


class Both(NamedTuple):
    """Two phrases joined by "and"."""

    first: Phrase
    second: Phrase


Nominal = Pronoun | Phrase | Both


class Place(NamedTuple):
    """A preposition and what it governs; not always a place."""

    preposition: Preposition
    phrase: Nominal


class Clause(NamedTuple):
    subject: Nominal | None  #: None where a relative pronoun or an infinitive takes its place
    verb: Verb
    tense: str = "present"  #: present, past (a German perfect) or a key of ``MODALS``
    negated: bool = False
    indirect: Nominal | None = None
    object: Nominal | None = None
    place: Place | None = None
    time: Adverb | None = None
    frequency: str = ""
    front: str = ""  #: "time" or "place": that part stands first
    predicate: tuple[Adjective, ...] = ()
    complement: "Complement | None" = None


class Relative(NamedTuple):
    """A relative clause; ``role`` is what the antecedent is in it, "whose" being the owner of its subject."""

    role: str  #: "subject", "object", "indirect", "whose", "place"
    clause: Clause
    preposition: Preposition | None = None  #: of "place", with the dative


class Complement(NamedTuple):
    """A clause that the verb wants: "that", "whether", or "to" for an infinitive."""

    conjunction: str
    clause: Clause


class Sentence(NamedTuple):
    clause: Clause
    before: tuple[str, Clause] | None = None  #: a subordinate clause in front: conjunction, clause
    after: tuple[str, Clause] | None = None
    also: "tuple[str, Sentence] | None" = None  #: coordinator, the sentence that it adds
    question: str = ""  #: "yes", a key of ``QUESTIONS``, or "who" where the subject is asked for
