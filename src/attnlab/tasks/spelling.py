"""From a hypothesis to plain text, its unknown words replaced where the search asks for that."""

from typing import NamedTuple

from attnlab.data.tokenizers.base import Tokenizer
from attnlab.search.unknown import replace_unknown
from attnlab.types import SPECIALS, UNK, Hypothesis


class Spelled(NamedTuple):
    text: str
    tokens: list[str]
    source_tokens: list[str]


def spell(line: str, hypothesis: Hypothesis, source: Tokenizer, target: Tokenizer, replace: bool) -> Spelled:
    """Spell a translation of ``line``; ``replace`` copies the most attended source word over each unknown one."""
    source_tokens = [token.text for token in source.tokenize(line)]
    text, tokens = target.decode(hypothesis.tokens), target.tokens(hypothesis.tokens)
    if replace and UNK in hypothesis.tokens:
        tokens = replace_unknown(tokens, hypothesis.weights, source_tokens, SPECIALS[UNK])
        copies = [token for token, number in zip(tokens, hypothesis.tokens, strict=True) if number == UNK]
        text = fill(text, copies)
    return Spelled(text, tokens, source_tokens)


def fill(text: str, words: list[str]) -> str:
    """Put the words over the ``<unk>`` of a text, in order; with another number of gaps it stays as it is."""
    parts = text.split(SPECIALS[UNK])
    if len(parts) != len(words) + 1:
        return text
    return "".join(part + word for part, word in zip(parts, [*words, ""], strict=True))
