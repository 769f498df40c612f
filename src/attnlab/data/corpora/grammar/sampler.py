"""Draws clauses and sentences of the ``grammar`` data set: how often each construction occurs.

What would be ambiguous is not drawn: "them" as an accusative object ("sie" is "her", too), "not" beside a
quantifier or a free adverbial, "often" beside an object with a modifier ("oft" stands before an adverbial and
after a modifier), anything after a relative or subordinate clause that could belong to either clause.
"""

from functools import cache

from attnlab.data.corpora.grammar.draw import ANY, DEFINITE, DENIED, PhraseSampler, nouns_with, times_for
from attnlab.data.corpora.grammar.forms import DATIVE, FREQUENCIES, MODALS
from attnlab.data.corpora.grammar.lexicon import PREPOSITIONS, VERBS, Noun, Verb
from attnlab.data.corpora.grammar.phrases import relative_of
from attnlab.data.corpora.grammar.tree import (
    Both,
    Clause,
    Complement,
    Nominal,
    Phrase,
    Place,
    Pronoun,
    Relative,
    Sentence,
)

_CONJUNCTIONS = {
    "present": ("because", "although", "if", "while", "before", "until"),
    "past": ("because", "although", "when", "while", "before", "until"),
}
_ERAS = ("present", "present", "present", "past", "past", "future", "future")
_MODAL_TENSES = (*MODALS, "future")
_LETTERS = {"present": "p", "past": "a"}
_FOR = PREPOSITIONS["for"]
_FOR_VERBS = frozenset(
    VERBS[name] for name in ("buy", "find", "carry", "open", "close", "repair", "write", "need", "sing")
)
_STAY_VERBS = tuple(VERBS[name] for name in ("sleep", "work", "dance", "sing", "live", "play", "sit"))
_OFTEN = {
    "b": 10,
    "m": 2,
    "c": 2,
    "q": 2,
    "z": 3,
}  #: how often verbs of a frame are drawn; else 1
_DRAWN = tuple(verb for verb in VERBS.values() for _ in range(_OFTEN.get(verb.frame, 1)))
_SIMPLE = tuple(verb for verb in _DRAWN if verb.frame not in "cqz")
_WANTING = tuple(verb for verb in _DRAWN if verb.frame in "cqz")
_GIVING = tuple(verb for verb in VERBS.values() if verb.frame == "g")
_DOING = tuple(verb for verb in VERBS.values() if "p" in verb.subjects and verb.frame not in "bcqz")
_FREQUENCIES = tuple(FREQUENCIES)


@cache
def verbs_of_subject(kind: str) -> tuple[Verb, ...]:
    return tuple(verb for verb in _SIMPLE if kind in verb.subjects)


@cache
def verbs_of_object(traits: str) -> tuple[Verb, ...]:
    return tuple(verb for verb in _SIMPLE if verb.frame in "td" and set(traits) & set(verb.objects))


def kinds_of(nominal: Nominal | None) -> str:
    """The kinds of the nouns of a phrase; a pronoun is a person."""
    if isinstance(nominal, Both):
        return nominal.first.noun.traits[0] + nominal.second.noun.traits[0]
    return nominal.noun.traits[0] if isinstance(nominal, Phrase) else "p"


def is_open(nominal: Nominal | None) -> bool:
    """Whether what follows a phrase cannot be mistaken for a part of a relative clause at its end."""
    return relative_of(nominal) is None


class Sampler(PhraseSampler):
    """Draws derivations of sentences."""

    def sentence(self, budget: int, eager: float = 1.0) -> Sentence:
        """Draw a sentence with up to ``budget`` recursive steps, each ``eager`` times as likely as usual."""
        self._budget, self._eager = budget, eager
        if not budget and self.chance(0.15):
            return self._question()
        era = self.pick(_ERAS)
        before = self._subordinate(era) if self.grow(0.25) else None
        also = self.pick(("and", "and", "but")) if self.grow(0.15) else ""
        first = self._with_after(era, front=not before)._replace(before=before)
        return first._replace(also=(also, self._with_after(era, front=True))) if also else first

    def _with_after(self, era: str, front: bool) -> Sentence:
        after = self._subordinate(era) if self.grow(0.2) else None
        return Sentence(self.clause(era, front=front), after=after)

    def _subordinate(self, era: str) -> tuple[str, Clause]:
        era = "past" if era == "past" else "present"
        return self.pick(_CONJUNCTIONS[era]), self._embedded(era)

    def _embedded(self, era: str) -> Clause:
        """A clause with the German verb last; "I" and a separable verb get "can": "anrufe" would be rare."""
        clause = self.clause(era)
        rare = clause.subject == Pronoun("I") and clause.verb.prefix and clause.tense == "present"
        return clause._replace(tense="can", frequency="") if rare else clause

    def _question(self) -> Sentence:
        era, question = self.pick(_ERAS), self.pick(("yes", "yes", "yes", "why", "where", "when", "who"))
        clause = self.clause(era, asking=True)
        if question == "who":
            while "p" not in clause.verb.subjects:
                clause = self.clause(era, asking=True)
            return Sentence(clause._replace(subject=Pronoun("who")), question="who")
        if question == "when":
            return Sentence(clause._replace(time=None, frequency=""), question="when")
        if question == "yes" and clause.tense == "present" and clause.verb.frame != "b":
            question = "why"  # each capitalised verb would be rare
        if question == "where" and (clause.verb.frame not in "it" or clause.place):
            question = "why"
        return Sentence(clause, question=question)

    def clause(self, era: str, front: bool = False, asking: bool = False) -> Clause:
        """Draw a clause with a subject of its own; ``front``: an adverbial may stand first."""
        if not asking and self.grow(0.3):
            return self._wanting(era, front)
        verb = self._verb(_SIMPLE, era)
        if verb.frame == "w":
            return self._timed(Clause(Pronoun("it"), verb, self._tense(era, False)), era, front)
        denied = not asking and self.chance(0.13)
        subject = self.subject(verb.subjects, denied)
        return self._finish(subject, verb, era, denied, front)

    def _verb(self, verbs: tuple[Verb, ...], era: str) -> Verb:
        verb = self.pick(verbs)
        while era == "past" and not verb.english[2]:
            verb = self.pick(verbs)
        return verb

    def _tense(self, era: str, alive: bool) -> str:
        if era != "future":
            return "can" if era == "present" and alive and self.chance(0.08) else era
        return self.pick(_MODAL_TENSES) if alive else "future"

    def _finish(
        self, subject: Nominal | None, verb: Verb, era: str, denied: bool, front: bool, kind: str = ""
    ) -> Clause:
        """Give a verb with its subject what it takes; ``kind``: of a subject that is a relative pronoun."""
        kinds = kind or kinds_of(subject)
        tense = self._tense(era, set(kinds) <= {"p", "a"})
        denied = denied and tense != "must"
        clause = Clause(subject, verb, tense, denied)
        if verb.frame == "b":
            clause = clause._replace(predicate=self.adjectives(kinds))
        elif verb.frame in "td":
            clause = clause._replace(object=self.object(verb.objects, subject, verb.frame == "d", denied))
        elif verb.frame == "g":
            clause = self._giving(clause)
        elif verb.frame == "o":
            assert verb.preposition is not None
            thing = self.object(verb.objects, subject, verb.preposition.case == DATIVE, denied)
            clause = clause._replace(place=Place(verb.preposition, thing))
        elif verb.frame in "ms":
            clause = clause._replace(place=self.whither() if verb.frame == "m" else self.where())
        return self._timed(self._placed(clause, kinds, front), era, front)

    def _giving(self, clause: Clause) -> Clause:
        """Two objects; never "gives her books", which could be "ihre Bücher"."""
        receiver = self.object("p", clause.subject, True, clause.negated)
        while isinstance(receiver, Pronoun) and receiver.name == "she":
            receiver = self.object("p", clause.subject, True, clause.negated)
        determiners = DENIED if clause.negated else ANY
        if not is_open(receiver):
            receiver = self.phrase(nouns_with("p"), DEFINITE, grows=False)
        given = self.phrase(nouns_with(clause.verb.objects), determiners)
        return clause._replace(indirect=receiver, object=given)

    def _placed(self, clause: Clause, kinds: str, front: bool) -> Clause:
        """Add a free adverbial of place or company."""
        fronted = front and self.chance(0.3)
        apt = clause.verb.frame in "it" and not clause.negated and set(kinds) <= {"p", "a"}
        if not apt or not (fronted or is_open(clause.object)) or not self.chance(0.25):
            return clause
        named = not isinstance(clause.object, Pronoun)  # not "finds me for me"
        if clause.verb in _FOR_VERBS and named and not fronted and self.chance(0.5):
            return clause._replace(place=Place(_FOR, self.object("p", clause.subject, False, False)))
        place = self.where(not fronted) if self.chance(0.75) else self.company(not fronted)
        return clause._replace(place=place, front="place" if fronted else "")

    def _timed(self, clause: Clause, era: str, front: bool) -> Clause:
        """Add an adverb of time or frequency."""
        last = clause.place.phrase if clause.place and clause.front != "place" else clause.object
        if self.chance(0.25):
            time = self.pick(times_for(_LETTERS.get(era, "f")))
            if front and not clause.front and self.chance(0.5):
                return clause._replace(time=time, front="time")
            return clause._replace(time=time) if is_open(last) and not clause.complement else clause
        apt = not clause.negated and clause.tense in ("present", "past", "can")
        none = isinstance(clause.subject, Phrase) and clause.subject.determiner == "no"
        modified = isinstance(clause.object, Phrase) and clause.object.place
        if apt and not none and not modified and self.chance(0.15):
            return clause._replace(frequency=self.pick(_FREQUENCIES))
        return clause

    def _wanting(self, era: str, front: bool) -> Clause:
        """A verb with a clause or an infinitive."""
        verb = self._verb(_WANTING, era)
        denied = self.chance(0.13)
        subject = self.subject("p", denied)
        tense = self._tense(era, True)
        denied = denied and tense != "must"
        if verb.frame == "z":
            inner = self._finish(subject, self.pick(_DOING), "present", False, False)
            complement = Complement("to", inner._replace(subject=None, tense="present", time=None, frequency=""))
        else:
            asks = verb.frame == "q" or (denied and verb is VERBS["know"])
            complement = Complement("whether" if asks else "that", self._embedded(self.pick((era, *_ERAS))))
        return self._timed(Clause(subject, verb, tense, denied, complement=complement), era, front)

    def relative(self, noun: Noun) -> Relative:
        era, kind = self.pick(("present", "present", "past")), noun.traits[0]
        if "i" in noun.traits and self.chance(0.3):
            clause = Clause(self.subject("pa", False, False), self.pick(_STAY_VERBS), era)
            return Relative("place", clause, PREPOSITIONS["in"])
        if kind == "p" and self.chance(0.2):
            subject = Phrase(self.pick(nouns_with("pa")), "", self.chance(0.25))
            verb = self._verb(verbs_of_subject(subject.noun.traits[0]), era)
            return Relative("whose", self._finish(subject, verb, era, False, False))
        if kind == "p" and self.chance(0.06):
            given = self.phrase(nouns_with("rt"), ANY, grows=False)
            giver = self.subject("p", False, False)
            return Relative("indirect", Clause(giver, self.pick(_GIVING), era, object=given))
        if self.chance(0.4):
            verb = self._verb(verbs_of_object(noun.traits), era)
            tense = "can" if verb.prefix and era == "present" else era
            return Relative("object", Clause(self.subject(verb.subjects, False, False), verb, tense))
        verb = self._verb(verbs_of_subject(kind), era)
        return Relative("subject", self._finish(None, verb, era, self.chance(0.1), False, kind))
