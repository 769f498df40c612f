"""Clauses of the ``grammar`` data set in both languages: word order, relative and subordinate clauses.

German order: the finite verb is second in a statement, first in a question, last in a subordinate clause;
between it and the rest of the verb stand subject, pronouns, time, definite objects, frequency, indefinite
objects, negation, prepositional phrase, predicate. A relative clause on the last of these follows the verb.
"""

from attnlab.data.corpora.grammar.forms import (
    ACCUSATIVE,
    CONJUNCTIONS,
    COORDINATORS,
    DATIVE,
    NOMINATIVE,
    PLURAL,
    QUESTIONS,
    THE,
)
from attnlab.data.corpora.grammar.phrases import (
    SILENT,
    Said,
    Word,
    agreement,
    becomes_kein,
    frequency,
    gender_of,
    is_definite,
    nominal,
    owned,
    place,
    predicate,
    relative_of,
    time,
)
from attnlab.data.corpora.grammar.tree import Clause, Complement, Nominal, Phrase, Pronoun, Relative, Sentence
from attnlab.data.corpora.grammar.verbs import (
    FINAL,
    INFINITIVE,
    INVERTED,
    MAIN,
    QUESTION,
    EnglishVerbs,
    GermanVerbs,
    verbs,
)

COMMA = ","


def sentence(item: Sentence) -> Said:
    """Say a whole sentence, final mark included; German commas before another mark are still there."""
    mark = Word("?" if item.question else ".")
    said = _sentence(item)
    return Said([*said.english, mark], [*said.german, Word(mark.text, mark)])


def _sentence(item: Sentence) -> Said:
    if item.before:
        first, comma, main = subordinate(*item.before), Word(COMMA), clause(item.clause, INVERTED)
        said = Said(
            [*first.english, comma, *main.english],
            [*first.german, Word(COMMA, comma), *main.german],
        )
    elif item.question in QUESTIONS:
        word, main = Word(item.question), clause(item.clause, QUESTION)
        said = Said([word, *main.english], [Word(QUESTIONS[item.question], word), *main.german])
    else:
        said = clause(item.clause, QUESTION if item.question == "yes" else MAIN)
    if item.after:
        last = subordinate(*item.after)
        last = _between_commas(last, last.english[0])
        said = Said(said.english + last.english, said.german + last.german)
    if item.also:
        comma, word, other = Word(COMMA), Word(item.also[0]), _sentence(item.also[1])
        said = Said(
            [*said.english, comma, word, *other.english],
            [*said.german, Word(COMMA, comma), Word(COORDINATORS[word.text], word), *other.german],
        )
    return said


def clause(item: Clause, order: str, subject: Said | None = None, person: int | None = None) -> Said:
    """Say a clause; ``subject`` and ``person`` are given where a relative pronoun is the subject."""
    if person is None:
        person = agreement(item.subject) if item.subject else 1
    if subject is None:
        subject = SILENT
        if item.subject:
            said, tail = with_relative(nominal(item.subject, NOMINATIVE), item.subject)
            subject = Said(said.english, said.german + tail)
    parts = Parts(item, *verbs(item.verb, item.tense, person, item.negated, order), subject)
    return Said(parts.english(order), parts.german(order))


class Parts:
    """The constituents of a clause in both languages, to be put in the order of each."""

    def __init__(self, item: Clause, spoken: EnglishVerbs, said: GermanVerbs, subject: Said) -> None:
        self.spoken, self.said, self.subject, self.front = spoken, said, subject, item.front
        self.time = time(item.time) if item.time else SILENT
        self.frequency = frequency(item.frequency) if item.frequency else SILENT
        self.predicate = predicate(item.predicate) if item.predicate else SILENT
        self.complement = complement(item.complement) if item.complement else SILENT
        self.place, self.place_tail = SILENT, list[Word]()
        if item.place:
            self.place, self.place_tail = with_relative(place(item.place), item.place.phrase)
        self.objects = _objects(item, spoken.negation)
        self.last_pronoun = isinstance(item.object, Pronoun)
        self.movable = item.verb.movable
        self.denied = not (item.negated and becomes_kein(item.object))

    def english(self, order: str) -> list[Word]:
        verb, front = self.spoken, self._front()
        negation = [verb.negation] if verb.negation and verb.negation not in verb.auxiliary else []
        first = [verb.auxiliary, self.subject.english]
        objects = [word for said, _, _ in self.objects for word in said.english]
        after = self.movable and self.last_pronoun
        return [
            *front.english,
            *(word for part in (first if order == QUESTION else first[::-1]) for word in part),
            *negation,
            *self.frequency.english,
            *verb.lead,
            *verb.main,
            *([*objects, *verb.particle] if after else [*verb.particle, *objects]),
            *(() if self.front == "place" else self.place.english),
            *self.predicate.english,
            *(() if self.front == "time" else self.time.english),
            *self.complement.english,
        ]

    def german(self, order: str) -> list[Word]:
        verb, front, subject = self.said, self._front(), self.subject.german
        middle, tail = self._middle()
        if order == MAIN and front.german:
            start = [*front.german, *verb.finite, *subject]
        elif order == MAIN:
            start = [*subject, *verb.finite]
        elif order in (INVERTED, QUESTION):
            start = [*verb.finite, *subject]
        else:
            start = subject
        end = verb.final if order in (FINAL, INFINITIVE) else verb.rest
        return [*start, *middle, *end, *tail, *self.complement.german]

    def _front(self) -> Said:
        if self.front == "place":
            return Said(self.place.english, self.place.german + self.place_tail)
        return self.time if self.front == "time" else SILENT

    def _middle(self) -> tuple[list[Word], list[Word]]:
        words = [word for said, _, definite in self.objects if definite is None for word in said.german]
        words += () if self.front == "time" else self.time.german
        nouns = [entry for entry in self.objects if entry[2] is not None]
        pending = list(self.frequency.german)
        tail: list[Word] = []
        for said, relative_words, definite in nouns:
            if pending and not definite:
                words += pending
                pending = []
            words += tail + said.german  # only the last relative clause may wait for the verb
            tail = relative_words
        words += pending
        negation = self.spoken.negation
        if negation and self.denied:
            sure = None if negation in self.spoken.auxiliary else negation
            words.append(Word("nicht", sure, (negation,)))
        if self.place.german and self.front != "place":
            words += tail + self.place.german
            tail = self.place_tail
        return words + self.predicate.german, tail


def _objects(item: Clause, negation: Word | None) -> list[tuple[Said, list[Word], bool | None]]:
    """Objects in order, each with its German relative clause and whether it is definite (None: a pronoun)."""
    found: list[tuple[Said, list[Word], bool | None]] = []
    case = DATIVE if item.verb.frame == "d" else ACCUSATIVE
    for thing, its_case in ((item.indirect, DATIVE), (item.object, case)):
        if thing:
            denied = negation if thing is item.object and becomes_kein(thing) else None
            definite = None if isinstance(thing, Pronoun) else is_definite(thing)
            found.append((*with_relative(nominal(thing, its_case, denied), thing), definite))
    return found


def with_relative(said: Said, item: Nominal) -> tuple[Said, list[Word]]:
    """Complete the English of a phrase; the German of the relative clause at its end is given apart."""
    found = relative_of(item)
    if not found:
        return said, []
    following = relative(*found)
    return Said(said.english + following.english, said.german), following.german


def relative(antecedent: Phrase, item: Relative) -> Said:
    """A relative clause between German commas; its pronoun agrees with the antecedent."""
    if item.role == "whose" and isinstance(item.clause.subject, Phrase):
        lead = owned(item.clause.subject, gender_of(antecedent))
        said = clause(item.clause, FINAL, lead)
    elif item.role == "subject":
        lead = _pronoun(antecedent, "who", NOMINATIVE)
        said = clause(item.clause, FINAL, lead, agreement(antecedent))
    else:
        is_object = item.role == "object" and item.clause.verb.frame != "d"
        lead = _pronoun(antecedent, "whom", ACCUSATIVE if is_object else DATIVE)
        if item.preposition:
            before = Word(item.preposition.english[0])
            lead = Said([before, *lead.english], [Word(item.preposition.german, before), *lead.german])
        body = clause(item.clause, FINAL)
        said = Said(lead.english + body.english, lead.german + body.german)
    return _between_commas(said, lead.english[0])


def _pronoun(antecedent: Phrase, personal: str, case: int) -> Said:
    english = Word(personal if antecedent.noun.traits[0] == "p" else "which")
    gender = gender_of(antecedent)
    german = "denen" if case == DATIVE and gender == PLURAL else THE[case][gender]
    return Said([english], [Word(german, english)])


def _between_commas(said: Said, opening: Word) -> Said:
    closing = Word(COMMA, None, (opening, said.english[-1]))
    return Said(said.english, [Word(COMMA, None, (opening,)), *said.german, closing])


def subordinate(conjunction: str, item: Clause) -> Said:
    """A clause with its conjunction, German verb last, without commas."""
    word, body = Word(conjunction), clause(item, FINAL)
    return Said([word, *body.english], [Word(CONJUNCTIONS[conjunction], word), *body.german])


def complement(item: Complement) -> Said:
    """A clause or an infinitive that the verb wants, between German commas."""
    said = clause(item.clause, INFINITIVE) if item.conjunction == "to" else subordinate(*item)
    return _between_commas(said, said.english[0])
