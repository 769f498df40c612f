"""The sentences of a text that came without them, by spaCy's rule.

A sentence ends behind a token of sentence punctuation (. ! ? and those of other scripts) and the quotes and brackets
that close there: spaCy's ``sentencizer`` on its tokenizer of the language, whose exceptions ("Mr.", "e.g.") end none.
Lines that are parted by an empty one are no one sentence either.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from attnlab.data.text import clean
from attnlab.types import ConfigError

if TYPE_CHECKING:
    from spacy.language import Language

PARAGRAPHS = re.compile(r"\n\s*\n")
LONGEST = 900_000  # characters that spaCy takes at once; paragraphs are shorter


def split(text: str, language: str) -> list[str]:
    """The sentences of a text, cleaned; none where nothing shows.

    Args:
        text: as it came, with its line ends.
        language: ISO 639-1 code.

    Raises:
        ConfigError: spaCy does not know the language.
    """
    found = []
    for paragraph in PARAGRAPHS.split(text):
        for start in range(0, len(paragraph), LONGEST):
            part = clean(paragraph[start : start + LONGEST])
            found += [clean(sentence.text) for sentence in pipeline(language)(part).sents] if part else []
    return [sentence for sentence in found if sentence]


def document(sentences: Sequence[str]) -> str:
    """Sentences as an example's text has them: a line each; those where nothing shows are left out."""
    return "\n".join(filter(None, map(clean, sentences)))


@cache
def pipeline(language: str) -> "Language":
    """Tokenizer and rule."""
    import spacy  # it takes a second to import

    try:
        made = spacy.blank(language)
    except ImportError as error:
        raise ConfigError(f"data.language={language}: spaCy has no rules for it ({error})") from error
    made.add_pipe("sentencizer")
    return made
