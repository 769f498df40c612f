"""Where a difference comes from: BLEU by source length (Bahdanau et al. 2015, figure 2), words by how rare they are."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from attnlab.analysis.comparison import Bin, Breakdown, Estimate
from attnlab.analysis.groups import Configuration
from attnlab.analysis.runs import Run
from attnlab.analysis.scoring import Scorer

FEWEST = 30  # sentences of a bin: BLEU of fewer says little
WIDTHS = (2, 5, 10, 20, 50)
MOST_BINS = 12
FREQUENCIES = (0, 1, 2, 5, 10, 100, 1000)  # where bins of training frequency begin
LASTS = (*(start - 1 for start in FREQUENCIES[1:]), None)  # and end
UNSEGMENTED = 0.05  # blanks a character; text with fewer is written without blanks between words


def by_length(configurations: Sequence[Configuration], splits: Sequence[str], scorer: Scorer) -> Breakdown:
    """BLEU of the sentences of each range of source lengths, all splits together.

    Args:
        configurations: with their runs; all have the same sources.
        splits: whose sentences are counted.
        scorer: of BLEU.
    """
    sources = [sentence.source for split in splits for sentence in configurations[0].runs[0].sentences(split)]
    unit, lengths = source_lengths(sources)
    bins = length_bins(lengths)
    places = [np.flatnonzero((lengths >= b.low) & (lengths <= (b.high or np.inf))) for b in bins]
    values = {}
    for configuration in configurations:
        runs = []
        for run in configuration.runs:
            parts = [scorer.rows(run, split) for split in splits]
            rows = np.concatenate([part for part in parts if part is not None])
            runs.append([float(scorer.close(rows[place].sum(0))) for place in places])
        values[configuration.name] = tuple(over_seeds(column) for column in zip(*runs, strict=True))
    return Breakdown("bleu", f"source {unit}", tuple(splits), tuple(bins), values)


def source_lengths(sources: Sequence[str]) -> tuple[str, "np.ndarray"]:
    """Words between blanks; characters where a language is written without blanks. No model's tokens."""
    characters = np.array([len(source) for source in sources])
    blanks = sum(source.count(" ") for source in sources)
    if blanks < UNSEGMENTED * characters.sum():
        return "characters", characters
    return "words", np.array([len(source.split()) for source in sources])


def length_bins(lengths: "np.ndarray") -> list[Bin]:
    """Equally wide ranges, at most ``MOST_BINS``; the last ones together until they hold ``FEWEST`` sentences."""
    longest = int(lengths.max())
    width = next((width for width in WIDTHS if longest <= width * MOST_BINS), -(-longest // MOST_BINS))
    edges = list(range(0, longest + width, width))
    while len(edges) > 2 and (lengths > edges[-2]).sum() < FEWEST:
        edges.pop(-2)
    while len(edges) > 2 and (lengths <= edges[1]).sum() < FEWEST:
        edges.pop(1)
    found = [Bin(low + 1, high, int(((lengths > low) & (lengths <= high)).sum())) for low, high in pairwise(edges)]
    return [item for item in found if item.size]


def by_frequency(configurations: Sequence[Configuration], split: str, scorer: Scorer) -> Breakdown | None:
    """F1 of the target words of each range of training frequency; None where no run recorded frequencies.

    A word of the hypothesis is right as often as the reference has it too (clipped unigram matches, as in BLEU).
    Of the words whose training frequency is in the range, precision is the share of those in hypotheses that are
    right, recall the share of those in references that were found; F1 is their harmonic mean.
    """
    counted = {run: run.word_counts for item in configurations for run in item.runs}
    if not any(counted.values()):
        return None
    bins: tuple[Bin, ...] = ()
    values = {}
    for configuration in configurations:
        runs = []
        for run in configuration.runs:
            frequencies = counted[run]
            if frequencies is None:
                continue
            right, said, wanted = word_matches(run, split, scorer, frequencies.counts)
            bins = bins or tuple(map(Bin, FREQUENCIES, LASTS, wanted.tolist()))
            runs.append([2 * 100 * r / (s + w) if w else None for r, s, w in zip(right, said, wanted, strict=True)])
        values[configuration.name] = tuple(over_seeds(column) for column in zip(*runs, strict=True)) or (None,) * len(
            FREQUENCIES
        )
    return Breakdown("f1", "occurrences in the training targets", (split,), bins, values)


def word_matches(run: Run, split: str, scorer: Scorer, frequencies: Mapping[str, int]) -> "np.ndarray":
    """Right words, words of the hypotheses, words of the references: three rows, a column a range of frequency."""
    table = np.zeros((3, len(FREQUENCIES)), dtype=np.int64)
    assert scorer.metric is not None
    for sentence in run.sentences(split):
        texts = (sentence.hypothesis, sentence.reference)
        said, wanted = (Counter(scorer.metric._preprocess_segment(text).split()) for text in texts)
        for row, words in enumerate((said & wanted, said, wanted)):
            for word, n in words.items():
                table[row, np.searchsorted(FREQUENCIES, frequencies.get(word, 0), side="right") - 1] += n
    return table


def over_seeds(found: Iterable[float | None]) -> Estimate | None:
    """Mean and standard deviation of what is there."""
    values = [value for value in found if value is not None]
    if not values:
        return None
    std = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Estimate(float(np.mean(values)), std, None, None, tuple(values), "")
