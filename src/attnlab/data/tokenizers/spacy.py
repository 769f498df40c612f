"""spaCy's rule-based tokenizer of a language (``spacy.blank``), as tutorials on attention use it."""

import re
from functools import cached_property
from typing import Any

from attnlab.data.tokenizers.base import Token
from attnlab.data.tokenizers.joined import Joined
from attnlab.errors import ConfigError


class Spacy(Joined):
    """spaCy's words; no trained pipeline is needed. The library is imported when the first line is cut."""

    libraries = ("spacy",)

    @cached_property
    def _cut(self) -> Any:
        import spacy

        if re.fullmatch(r"[a-z]{2,3}", self.language) is None:  # spaCy imports a module of this name
            raise ConfigError(f"tokenizer=spacy: language {self.language!r} is no code like en or grc")
        try:
            return spacy.blank(self.language).tokenizer
        except ImportError as error:
            raise ConfigError(
                f"tokenizer=spacy cannot cut language {self.language!r} here ({str(error).splitlines()[0]}); "
                "use tokenizer=word or tokenizer=char"
            ) from error

    def check(self) -> None:
        """Load the rules of the language.

        Raises:
            attnlab.types.ConfigError: spaCy has none, or lacks a package that they need.
        """
        _ = self._cut

    def tokenize(self, line: str) -> list[Token]:
        """The pieces of a line with their place in it; blanks are no pieces."""
        return [
            Token(self.fold(token.text), token.idx, token.idx + len(token.text))
            for token in self._cut(line)
            if not token.is_space
        ]
