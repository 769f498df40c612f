"""Weights of pieces as weights of words.

SentencePiece writes ``▁`` before a piece that begins a word, WordPiece ``##`` before one that does not. What a word
reads is the mean of what its pieces read; what is read of it is the sum (Clark et al. 2019, "What does BERT look at?",
section 4.1).
"""

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

BEGINS, GOES_ON = "▁", "##"
SPECIAL = re.compile(r"<.*>|\[.*\]")


def words_of(pieces: Sequence[str]) -> list[int]:
    """The number of the word that each piece is of; pieces without any of the marks are words.

    >>> words_of(["▁un", "happy", "▁dogs", "</s>"])
    [0, 0, 1, 2]
    """
    marked = any(piece.startswith(BEGINS) for piece in pieces)
    if not marked and not any(piece.startswith(GOES_ON) for piece in pieces):
        return list(range(len(pieces)))
    found: list[int] = []
    for number, piece in enumerate(pieces):
        begins = piece.startswith(BEGINS) if marked else not piece.startswith(GOES_ON)
        alone = number == 0 or SPECIAL.fullmatch(piece) or SPECIAL.fullmatch(pieces[number - 1])
        found.append((found[-1] if found else -1) + bool(begins or alone))
    return found


def joined(
    weights: Float[np.ndarray, "*N T S"], rows: Sequence[str], columns: Sequence[str]
) -> tuple[Float[np.ndarray, "*N R C"], list[str], list[str]]:
    """The same of words.

    Returns:
        Weights, names of rows and names of columns.
    """
    down, across = (np.array(words_of(side)) for side in (rows, columns))
    means = (down == np.arange(down[-1] + 1)[:, None]).astype(weights.dtype)  # [R, T]
    sums = (across[:, None] == np.arange(across[-1] + 1)).astype(weights.dtype)  # [S, C]
    table: np.ndarray = (means / means.sum(1, keepdims=True)) @ weights @ sums
    return table, spelled(rows, down.tolist()), spelled(columns, across.tolist())


def spelled(pieces: Sequence[str], numbers: Sequence[int]) -> list[str]:
    """The words, without marks."""
    found = [""] * (numbers[-1] + 1)
    for piece, number in zip(pieces, numbers, strict=True):
        found[number] += piece.removeprefix(BEGINS).removeprefix(GOES_ON)
    return [word or BEGINS for word in found]
