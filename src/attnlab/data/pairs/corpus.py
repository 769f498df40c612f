"""What a corpus of sentence pairs is: named splits of premises and hypotheses with a class, a score, or both."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

from attnlab.data.labelled.corpus import DrawnCorpus, Source
from attnlab.data.text import field
from attnlab.errors import ConfigError

NO_LABEL = "-"  #: what SNLI writes where its annotators did not agree


class SentencePair(NamedTuple):
    """A premise, a hypothesis, and what people said of them."""

    premise: str  #: cleaned, see :mod:`attnlab.data.text`
    hypothesis: str
    label: str | None = None
    score: float | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        return self.premise, self.hypothesis


class PairCorpus(DrawnCorpus[SentencePair]):
    """Sentence pairs in splits that share no pair; a sentence may stand in several.

    Attributes:
        tells: what each pair has: ``label``, ``score``.
    """

    tells: tuple[str, ...] = ("label",)
    item: ClassVar[str] = "pair"


@runtime_checkable
class Corpus(Source, Protocol):
    """What a task of sentence pairs reads."""

    tells: tuple[str, ...]


def require_told(corpus: Any, wanted: str, task: str) -> None:
    """Refuse a corpus that has not what a task is to tell of sentence pairs.

    Raises:
        ConfigError: it has no pairs, or nothing of the kind is said of them.
    """
    name = getattr(corpus, "name", corpus)
    if not isinstance(corpus, Corpus):
        raise ConfigError(f"dataset: {name} has no pairs of premise and hypothesis, which task={task} asks for")
    if wanted not in corpus.tells:
        raise ConfigError(
            f"dataset: pairs of {name} have no {wanted}, which task={task} asks for; set dataset.{wanted}"
        )


def require_labels_of_pairs(corpus: Any) -> None:
    """Raise ConfigError for a corpus without sentence pairs that have a class."""
    require_told(corpus, "label", "entailment")


def require_scores(corpus: Any) -> None:
    """Raise ConfigError for a corpus without sentence pairs that have a score."""
    require_told(corpus, "score", "relatedness")


def sentence_pair(
    premise: str, hypothesis: str, label: str | None, score: str | float | None, names: Mapping[str, str] | None = None
) -> SentencePair | str:
    """A pair, cleaned and its label called by its name; what is wrong with it where it cannot be used."""
    sides = field(premise), field(hypothesis)
    for side, which in zip(sides, ("premise", "hypothesis"), strict=True):
        if side.fault:
            return f"nothing shows in the {which}" if side.fault == "empty side" else f"{side.fault} in the {which}"
    called = None
    if label is not None:
        name = field(label).text
        if name in ("", NO_LABEL):
            return "no label" if not name else f"no gold label ({NO_LABEL})"
        if names is not None and name not in names:
            return f"a label that is none of {', '.join(names)}"
        called = name if names is None else names[name]
    number = None if score is None else number_of(score)
    if score is not None and number is None:
        return "the score is no finite number"
    return SentencePair(sides[0].text, sides[1].text, called, number)


def number_of(score: str | float) -> float | None:
    """A finite number; None where it is none."""
    try:
        number = float(score)
    except (ValueError, OverflowError):  # a whole number that is larger than any float
        return None
    return number if isfinite(number) else None
