"""Systems whose true difference is known: what each run's output contributes to BLEU, sentence by sentence.

Every word of an output is right with a probability

    p(system, seed, sentence) = logistic(quality + seed effect + difficulty + own difficulty + interaction)

and an n-gram is right where its n words are. Difficulty is shared by all systems (their outputs are correlated,
as those of real systems on one test set are), own difficulty by the seeds of one system.
"""

from typing import NamedTuple

import numpy as np

ORDERS = 4


class Chance(NamedTuple):
    """Standard deviations, in logits, of what moves a word's probability to be right."""

    seeds: float = 0.05
    difficulty: float = 1.0  #: of a sentence, for all systems
    own: float = 0.0  #: of a sentence, for one system: all its seeds find it as hard
    interaction: float = 0.3  #: of a sentence, for one run


class World:
    """A population of sentences and of training runs to draw from.

    Args:
        sentences: of a test set.
        generator: of all draws.
        quality: of a system without advantage, in logits: 1 is about 35 BLEU here.
    """

    def __init__(self, sentences: int, generator: np.random.Generator, quality: float = 1.5) -> None:
        self.sentences, self.generator, self.quality = sentences, generator, quality

    def trial(self, chance: Chance, seeds: list[int], gains: list[float]) -> list[list[np.ndarray]]:
        """Draw a test set and runs of systems, each with so many seeds and such an advantage in logits.

        Returns:
            For each system, for each run: [sentences, 10] as sacreBLEU's BLEU counts them.
        """
        lengths = self.generator.integers(5, 21, self.sentences)
        difficulty = chance.difficulty * self.normal()
        systems = []
        for count, gain in zip(seeds, gains, strict=True):
            own = self.quality + gain + difficulty + chance.own * self.normal()
            systems.append([self.run(lengths, own, chance) for _ in range(count)])
        return systems

    def run(self, lengths: np.ndarray, logits: np.ndarray, chance: Chance) -> np.ndarray:
        logits = logits + chance.seeds * self.generator.normal() + chance.interaction * self.normal()
        right = self.generator.random((self.sentences, lengths.max())) < 1 / (1 + np.exp(-logits))[:, None]
        right &= np.arange(lengths.max()) < lengths[:, None]
        columns = [lengths, lengths]
        matches, n_grams = [], right
        for order in range(ORDERS):
            n_grams = n_grams[:, : right.shape[1] - order] & right[:, order:] if order else right
            matches.append(n_grams.sum(1))
        totals = [np.maximum(lengths - order, 0) for order in range(ORDERS)]
        return np.stack([*columns, *matches, *totals], axis=1).astype(np.float64)

    def normal(self) -> np.ndarray:
        return self.generator.normal(size=self.sentences)
