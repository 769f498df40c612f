"""Where a difference comes from: a score by input length (Bahdanau et al. 2015, figure 2), words by how rare."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from attnlab.analysis.comparison import Bin, Breakdown, Estimate
from attnlab.analysis.groups import Configuration
from attnlab.analysis.runs import Run
from attnlab.metrics.quantity import Counted, Quantity
from attnlab.metrics.text_scores import TextScore
from attnlab.private.sacrebleu import cut

FEWEST = 30  # items of a bin: a score of fewer says little
WIDTHS = (2, 5, 10, 20, 50)
MOST_BINS = 12
FREQUENCIES = (0, 1, 2, 5, 10, 100, 1000)  # where bins of training frequency begin
LASTS = (*(start - 1 for start in FREQUENCIES[1:]), None)  # and end
UNSEGMENTED = 0.05  # blanks a character; text with fewer is written without blanks between words


def by_length(
    configurations: Sequence[Configuration], splits: Sequence[str], quantity: Quantity, recount: bool = True
) -> Breakdown | None:
    """A quantity of the items of each range of input lengths, all splits together; None where items do not say.

    Args:
        configurations: with their runs; all have the same inputs.
        splits: whose items are counted.
        quantity: as the runs have counted it.
        recount: count again where it was not noted.
    """
    first = configurations[0].runs[0]
    inputs = [item.input for split in splits for item in first.items(split)]
    if not isinstance(quantity, Counted) or not any(inputs):
        return None
    unit, lengths = input_lengths(inputs)
    bins = length_bins(lengths)
    if lengths.min() == lengths.max():  # windows of a series: there is nothing to break down
        return None
    places = [np.flatnonzero((lengths >= b.low) & (lengths <= (b.high or np.inf))) for b in bins]
    values = {}
    for configuration in configurations:
        runs = []
        for run in configuration.runs:
            parts = [run.rows(quantity, split, recount) for split in splits]
            known = [part for part in parts if part is not None]
            if len(known) < len(splits):
                return None
            rows = np.concatenate(known)
            runs.append([quantity.score(rows[place]) for place in places])
        values[configuration.name] = tuple(over_seeds(column) for column in zip(*runs, strict=True))
    kind = first.contents.record.get("input", "input")
    return Breakdown(quantity.name, f"{kind} {unit}", tuple(splits), tuple(bins), values)


def input_lengths(inputs: Sequence[str]) -> tuple[str, "np.ndarray"]:
    """Words between blanks; characters where a language is written without blanks. No model's tokens."""
    characters = np.array([len(text) for text in inputs])
    blanks = sum(text.count(" ") for text in inputs)
    if blanks < UNSEGMENTED * characters.sum():
        return "characters", characters
    return "words", np.array([len(text.split()) for text in inputs])


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


def by_frequency(configurations: Sequence[Configuration], split: str, quantity: Quantity) -> Breakdown | None:
    """F1 of the target words of each range of training frequency; None where no run recorded frequencies.

    A word of the hypothesis is right as often as the reference has it too (clipped unigram matches, as in BLEU).
    Of the words whose training frequency is in the range, precision is the share of those in hypotheses that are
    right, recall the share of those in references that were found; F1 is their harmonic mean.
    """
    if not isinstance(quantity, TextScore):
        return None
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
            right, said, wanted = word_matches(run, split, quantity, frequencies.counts)
            bins = bins or tuple(map(Bin, FREQUENCIES, LASTS, wanted.tolist()))
            runs.append([2 * 100 * r / (s + w) if w else None for r, s, w in zip(right, said, wanted, strict=True)])
        values[configuration.name] = tuple(over_seeds(column) for column in zip(*runs, strict=True)) or (None,) * len(
            FREQUENCIES
        )
    return Breakdown("f1", "occurrences in the training targets", (split,), bins, values)


def word_matches(run: Run, split: str, quantity: TextScore, frequencies: Mapping[str, int]) -> "np.ndarray":
    """Right words, words of the hypotheses, words of the references: three rows, a column a range of frequency."""
    table = np.zeros((3, len(FREQUENCIES)), dtype=np.int64)
    for item in run.items(split):
        texts = (item.output, item.reference)
        said, wanted = (Counter(cut(quantity.scorer, text)) for text in texts)
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
