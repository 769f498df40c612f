"""Statistical aligners, which learn from pairs of sentences alone: programs of others, installed apart.

eflomal         Östling and Tiedemann 2016, "Efficient word alignment with Markov chain Monte Carlo": IBM model 1, the
HMM and fertilities, by Gibbs sampling, both directions. Its sampler takes no seed.
systran_align   fast_align (Dyer, Chahuneau and Smith 2013, "A simple, fast, and effective reparameterization of IBM
model 2"), both directions, made one by grow-diag-final-and.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from attnlab.data.files import lines
from attnlab.data.pharaoh import BAR, WordPair, links_of, parted, words_of
from attnlab.errors import ConfigError, DataError
from attnlab.metrics.word_alignment.symmetrization import METHODS, Links

Aligned = dict[str, list[Links]]  #: by what it is called, a set a pair


def eflomal(pairs: Sequence[WordPair], folder: Path, symmetrize: Sequence[str]) -> Aligned:
    """Both directions made one."""
    forward, backward = folder / "forward", folder / "backward"
    sides = ([" ".join(solid(pair[side])) + "\n" for pair in pairs] for side in (0, 1))
    source, target = sides
    required("eflomal").Aligner().align(
        source, target, links_filename_fwd=str(forward), links_filename_rev=str(backward)
    )
    first, second = ([links_of(line, 0, str(path))[1] for line in path.read_text().split("\n")[: len(pairs)]]
                     for path in (forward, backward))  # fmt: skip
    return {
        f"eflomal {name}": [METHODS[name](one, other) for one, other in zip(first, second, strict=True)]
        for name in symmetrize or ["grow_diag_final_and"]
    }


def systran_align(pairs: Sequence[WordPair], folder: Path, symmetrize: Sequence[str]) -> Aligned:
    """As the library makes them one."""
    module = required("systran_align")
    text, forward, backward = (str(folder / name) for name in ("text", "forward", "backward"))
    sides = [[solid(side) for side in pair] for pair in pairs]
    Path(text).write_text("".join(f"{BAR.join(' '.join(side) for side in pair)}\n" for pair in sides), "utf-8")
    module.generate_alignment_probabilities(text, forward, backward, favor_diagonal=True, optimize_tension=True,
                                            variational_bayes=True)  # fmt: skip
    found = module.Aligner(forward, backward).align_batch(*(list(side) for side in zip(*sides, strict=True)))
    return {"systran_align": [frozenset((int(i), int(j)) for i, j in one["alignments"]) for one in found]}


def solid(text: str) -> list[str]:
    """Its words, in which other white space than the plain blank is closed up: the libraries would part them there."""
    return ["".join("_" if sign.isspace() else sign for sign in word) for word in words_of(text)]


ALIGNERS: Mapping[str, Callable[[Sequence[WordPair], Path, Sequence[str]], Aligned]] = {
    "eflomal": eflomal,
    "systran_align": systran_align,
}


def align(names: Sequence[str], text: str, train: Sequence[str], symmetrize: Sequence[str]) -> Aligned:
    """What aligners make of the pairs of a file.

    Args:
        names: of aligners.
        text: the file: ``SOURCE ||| TARGET`` a line.
        train: files of further pairs that they learn from.
        symmetrize: how two directions are made one, by an aligner that leaves that open.

    Raises:
        ConfigError: an aligner is not installed.
        DataError: a line is no pair.
    """
    for name in names:
        required(name)
    pairs = [read(file) for file in (text, *train)]
    asked, every = len(pairs[0]), [pair for file in pairs for pair in file]
    found: Aligned = {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            made = ALIGNERS[name](every, Path(folder), symmetrize)
        found |= {called: links[:asked] for called, links in made.items()}
    return found


def read(name: str) -> list[WordPair]:
    """All pairs of a file.

    Raises:
        DataError: a line is none.
    """
    path, found = Path(name), []
    for number, raw in enumerate(lines(path), 1):
        pair, fault = parted(raw.decode("utf-8", "replace").rstrip("\r\n"))
        if pair is None:
            raise DataError(f"{path}:{number}: {fault or 'an empty line'}; an aligner takes all pairs or none")
        found.append(pair)
    return found


def required(name: str) -> Any:
    """The library of an aligner.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigError(f"aligners={name}: not installed ({error}); pip install {name.replace('_', '-')}") from error
