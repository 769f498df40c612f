"""What a comparison of runs is: plain, frozen data, from which every output (tables, files, report) is made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from attnlab.analysis.confusions import Confusion
from attnlab.analysis.groups import Configuration, Difference
from attnlab.analysis.published import Published
from attnlab.analysis.runs import Run
from attnlab.metrics.quantity import Quantity, Test
from attnlab.runs.words import Words

# Tests of two outputs: short, and by name.
OUTPUT_TESTS: Mapping[Test, tuple[str, str]] = {
    "bs": ("bootstrap", "paired bootstrap"),
    "ar": ("randomisation", "approximate randomisation"),
    "mcnemar": ("McNemar", "McNemar's exact test"),
    "dm": ("Diebold-Mariano", "Diebold and Mariano's test"),
}
Chance = str  #: what an interval accounts for: ``seeds``, the items by their word, ``seeds and`` these, or nothing


class Estimate(NamedTuple):
    """A quantity of a configuration, over its seeds."""

    mean: float
    std: float | None  #: over the seeds (n - 1 in the denominator); None with one seed
    low: float | None  #: of the interval around the mean; None where there is nothing to take it from
    high: float | None
    values: tuple[float, ...]  #: of each run, in the order of ``Configuration.runs``; runs without it are left out
    over: Chance


class Row(NamedTuple):
    """A configuration on one split."""

    configuration: str
    split: str
    seeds: int
    scores: dict[str, Estimate]  #: by their names, those that its runs have
    costs: dict[str, Estimate]  #: by their keys; without intervals
    folds: int = 1  #: that a run is put together of


class SentenceTest(NamedTuple):
    """A paired test of two runs: are these two *outputs* different, beyond the choice of sentences?"""

    test: Test
    a: Run
    b: Run
    score_a: float
    score_b: float
    p: float  #: two-sided, ``least`` at least
    p_holm: float  #: corrected for the pairs of configurations tested with these seeds
    p_sacrebleu: float | None  #: as sacreBLEU has it; None where the test is not sacreBLEU's
    changed: int  #: sentences that count differently in the two
    least: float  #: the least p that so many allow, 2^(1 - changed)

    @property
    def raised(self) -> bool:
        """Whether ``p`` is that least one, and not sacreBLEU's."""
        return self.p_sacrebleu is not None and self.least > self.p_sacrebleu


class SeedTest(NamedTuple):
    """Are the two *configurations* different, beyond the choice of seeds and sentences?"""

    standard_error: float  #: of the difference
    df: float  #: degrees of freedom of seeds and sentences together, at 5%
    t: float
    p: float  #: two-sided
    p_holm: float  #: corrected for the pairs tested together


class Pair(NamedTuple):
    """Two configurations compared on the split and the metric of the comparison, all of it by the same runs."""

    a: str
    b: str  #: the baseline where there is one
    runs_a: tuple[Run, ...]  #: all of a; where a or b has one seed only, the run of a that is held against that of b
    runs_b: tuple[Run, ...]
    difference: float  #: mean of a minus mean of b, over these runs, on the quantity's scale
    low: float  #: of the interval around the difference
    high: float
    over: Chance  #: what the interval and the verdict account for
    effect: float | None  #: Hedges' g: the difference in standard deviations over seeds; None with one seed
    wins: float  #: share of the sentences on which a is better (sentence score, mean over seeds)
    losses: float  #: … on which b is better
    seeds: SeedTest | None  #: None where a configuration has one seed only
    sentences: tuple[SentenceTest, ...]  #: one a pair of runs (same seed where both have it) and kind of test
    verdict: str  #: a sentence that says what can be concluded

    @property
    def single(self) -> bool:
        """Whether it is about one run of each."""
        return min(len(self.runs_a), len(self.runs_b)) == 1

    @property
    def words(self) -> Words:
        return self.runs_a[0].contents.words


class Bin(NamedTuple):
    """A range of source lengths or of training frequencies: low to high, both counted in; None is no limit."""

    low: int
    high: int | None
    size: int  #: sentences (by length), or words of the references (by frequency)


class Breakdown(NamedTuple):
    """A score by bins."""

    score: str  #: ``bleu``, or ``f1`` (in percent)
    unit: str  #: what is counted: ``source words``, ``occurrences in the training targets``
    splits: tuple[str, ...]  #: whose sentences are counted
    bins: tuple[Bin, ...]
    values: dict[str, tuple[Estimate | None, ...]]  #: by configuration, one a bin; None where it has nothing


class SentenceDifference(NamedTuple):
    """A sentence that two systems translate differently well."""

    number: int  #: in its split; ``run.maps(split, [number])`` has the attention where it was kept
    source: str
    reference: str
    hypothesis_a: str
    hypothesis_b: str
    score_a: float  #: of the sentence, by the metric of the comparison
    score_b: float


class Contrast(NamedTuple):
    """Where two configurations differ most, shown by a run of each (the same seed where both have it)."""

    a: str
    b: str
    run_a: Run
    run_b: Run
    better: tuple[SentenceDifference, ...]  #: a is better here; the largest difference first
    worse: tuple[SentenceDifference, ...]  #: b is better here; likewise


@dataclass(frozen=True, repr=False)
class Comparison:
    """Everything that ``compare.py`` found out.

    Attributes:
        command: gives this comparison again.
        folder: the sweep, or what the run folders have in common.
        split: whose sentences the tests and contrasts are about.
        splits: all splits that every run has, the chosen one first.
        quantities: all scores that the runs have, by name.
        costs: what else they have, by key.
        metric: what the tests are about, a name of ``quantities``.
        baseline: the configuration that the others are tested against.
        level: of significance, 0.05; intervals cover 1 - level.
        configurations: with their runs, in the order in which they came.
        differences: the choices and config keys in which they differ.
        rows: for each split, a row a configuration, best mean of ``metric`` first.
        against_baseline: every other configuration against the baseline, corrected as one family.
        all_pairs: every pair, corrected as one family; better one first. Empty where they were not asked for.
        by_length: the first score by input length, over all splits whose items count as test items; None where items
            do not say what they contribute.
        by_frequency: F1 of target words by training frequency; None where no run recorded the frequencies.
        contrasts: one a pair of ``against_baseline``; before them the two best where the baseline has no attention.
        signatures: sacreBLEU's signature of each score, of the tests as ``<metric> bs``, ``<metric> ar``, ….
        unequal: what comes before every table: in what the configurations are not alike, beyond what is compared.
        notes: what a reader must know: runs left out, what cannot be concluded, other versions, ….
        columns: the quantities that tables show, in this order; None for all of ``quantities`` and ``costs``.
        confusions: which classes were taken for which on ``split``, of configurations whose runs tell.
        published: what a paper has printed of them, where they were made by a preset of ``conf/reproduce``.
        factor: the choices and keys by which configurations are named; empty for one configuration.
    """

    command: str
    folder: Path
    split: str
    splits: tuple[str, ...]
    quantities: dict[str, Quantity]
    costs: dict[str, Quantity]
    metric: str
    baseline: str
    level: float
    configurations: tuple[Configuration, ...]
    differences: tuple[Difference, ...]
    rows: dict[str, tuple[Row, ...]]
    against_baseline: tuple[Pair, ...]
    all_pairs: tuple[Pair, ...]
    by_length: Breakdown | None
    by_frequency: Breakdown | None
    contrasts: tuple[Contrast, ...]
    signatures: dict[str, str]
    unequal: tuple[str, ...]
    notes: tuple[str, ...]
    columns: tuple[str, ...] | None = None
    confusions: tuple[Confusion, ...] = ()
    published: Published = field(default_factory=Published)
    factor: tuple[str, ...] = ()

    @property
    def quantity(self) -> Quantity:
        """What the tests are about."""
        return self.quantities[self.metric]

    @property
    def words(self) -> Words:
        """What the task of the runs calls things."""
        return self.configurations[0].runs[0].contents.words

    def shown(self, quantities: Mapping[str, Quantity]) -> dict[str, Quantity]:
        """Those of some quantities, by their keys, that tables show."""
        if self.columns is None:
            return dict(quantities)
        places = {name: place for place, name in enumerate(self.columns)}
        found = [(places[item.id], key) for key, item in quantities.items() if item.id in places]
        return {key: quantities[key] for _, key in sorted(found)}

    def configuration(self, name: str) -> Configuration:
        return next(item for item in self.configurations if item.name == name)

    def __repr__(self) -> str:
        names = ", ".join(item.name for item in self.configurations)
        return f"Comparison({self.quantity.title} on {self.split} of {names}; print it, or see its rows)"

    def __str__(self) -> str:
        from attnlab.analysis.terminal import printed

        return printed(self)

    def _repr_markdown_(self) -> str:
        """For notebooks."""
        from attnlab.analysis.documents import markdown

        return markdown(self)
