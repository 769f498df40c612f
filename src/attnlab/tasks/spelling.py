"""From a hypothesis to plain text, its unknown words replaced where the search asks for that."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from attnlab.data.tokenizers.base import Copy, Tokenizer
from attnlab.search.base import Search
from attnlab.search.reranking import Reranking
from attnlab.search.unknown import attended
from attnlab.types import UNK, Hypothesis


class Spelled(NamedTuple):
    text: str
    tokens: list[str]
    source_tokens: list[str]


def spell(line: str, hypothesis: Hypothesis, source: Tokenizer, target: Tokenizer, replace: bool) -> Spelled:
    """Spell a translation of ``line``; ``replace`` copies the most attended source word over each unknown one."""
    source_tokens = [token.text for token in source.tokenize(line)]
    tokens, copies = target.tokens(hypothesis.tokens), list[Copy]()
    if replace and UNK in hypothesis.tokens:
        found = source.copies(line)
        copies = [found[place] for place in attended(hypothesis.tokens, hypothesis.weights, len(found))]
        words = (copy.word for copy in copies)
        pairs = zip(hypothesis.tokens, tokens, strict=True)
        tokens = [next(words) if number == UNK else token for number, token in pairs]
    return Spelled(target.decode(hypothesis.tokens, copies), tokens, source_tokens)


def reranked(
    search: Search,
    lines: Iterable[str],
    found: list[list[Hypothesis]],
    source: Tokenizer,
    target: Tokenizer,
) -> list[list[Hypothesis]]:
    """What a search has found, chosen from by what it says, where the search is one that does so."""
    if not isinstance(search, Reranking):
        return found
    search.require(source, target)
    lines, replace = list(lines), search.replace_unknown
    texts = [
        [spell(line, hypothesis, source, target, replace).text for hypothesis in several]
        for line, several in zip(lines, found, strict=True)
    ]
    return search.rerank(lines, texts, found)


def unknown_places(tokenizer: Any, text: str) -> list[int]:
    """The numbers of the tokens that the vocabulary does not have, from 0."""
    return [place for place, number in enumerate(tokenizer.encode(text)) if number == UNK]


def unknown_tokens(tokenizer: Any, text: str) -> list[str]:
    """These tokens, as the text has them."""
    places = unknown_places(tokenizer, text)
    tokens = tokenizer.tokenize(text) if places else []
    return [text[tokens[place].start : tokens[place].end] for place in places]
