r"""Reranking by a model of the other direction: a translation has to say what the sentence says.

$$\mathrm{score}(y) = s(y, x) + \lambda \ln p(x \mid y)$$

with s the score of the search that has found y: ln p(y | x) / lp(y) of beam search. Sennrich, Haddow and Birch 2016,
"Edinburgh neural machine translation systems for WMT 16", section 2.4 (there of the other reading direction, too); Li,
Galley, Brockett, Gao and Dolan 2016, equation (9), without its language model: p(y) is in p(y | x) already.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal, NamedTuple

import torch

from attnlab.cli.ensembles import model_of
from attnlab.cli.lines import device_of
from attnlab.cli.runs import find
from attnlab.data.tokenizers.base import Tokenizer
from attnlab.data.tokenizers.load import load
from attnlab.models.seq2seq import Seq2Seq
from attnlab.ranges import Hypotheses, PathText, Weight
from attnlab.search.base import Search
from attnlab.search.options import number
from attnlab.search.reranking import Reranking
from attnlab.tasks.translation.looking import batch_of
from attnlab.types import ConfigError, Hypothesis

TOGETHER = 256  #: pairs that are scored at once
NEVER = -1e9  #: instead of minus infinity, which no file of results may have


class Reverse(NamedTuple):
    """A run that reads translations and tells how likely sentences are."""

    model: Seq2Seq
    source: Tokenizer
    target: Tokenizer


class ReverseModel(Reranking):
    """Choose by the score above.

    Args:
        candidates: the search whose n-best are chosen from.
        run: the folder of the run that translates the other way; None is to be given.
        weight: lambda.
        n_best: how many are kept of a sentence.
        device: where it runs.

    Raises:
        ConfigError, MistakesError: there is no such run, or nothing to choose from.
    """

    def __init__(
        self,
        candidates: Search,
        run: PathText | None,
        weight: Weight = 0.1,
        n_best: Hypotheses = 1,
        device: Literal["auto", "cpu", "cuda"] = "auto",
    ) -> None:
        super().__init__(candidates, n_best)
        if run is None:
            raise ConfigError("search.run is not set: name the run that translates the other way, search.run=<folder>")
        self.weight, self.device = number("weight", weight, 0.0), device
        self.folder = find(run, "search.run").resolve()

    @cached_property
    def reverse(self) -> Reverse:
        """The run, with the weights of its best checkpoint."""
        sides = (load(self.folder / "tokenizer" / f"{side}.json") for side in ("source", "target"))
        return Reverse(model_of(self.folder).to(device_of(self.device)), *sides)

    def require(self, source: Tokenizer, target: Tokenizer) -> None:
        """Refuse a run of another pair of languages than the other way of this one."""
        languages = [
            getattr(side, "language", None) for side in (source, target, self.reverse.source, self.reverse.target)
        ]
        if languages[:2] != languages[:1:-1]:
            ours, theirs = (f"{a} to {b}" for a, b in (languages[:2], languages[2:]))
            raise ConfigError(
                f"search.run={self.folder} translates {theirs}, and this run {ours}: expected one of "
                f"{languages[1]} to {languages[0]}"
            )

    def scores(
        self, lines: Sequence[str], texts: Sequence[Sequence[str]], found: Sequence[Sequence[Hypothesis]]
    ) -> list[list[float]]:
        said = [(text, line) for line, several in zip(lines, texts, strict=True) for text in several]
        likely = iter(self.log_probs(said))
        return [[one.score + self.weight * next(likely) for one in several] for several in found]

    @torch.inference_mode()
    def log_probs(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """ln p(x | y) of pairs (y, x); ``NEVER`` where y says nothing.

        Raises:
            ConfigError: one is longer than the run can read or decode.
        """
        model, source, target = self.reverse
        ids = [(source.encode(said), target.encode(line)) for said, line in pairs]
        for most, longest in ((model.longest_source, 0), (model.longest_target, 1)):
            needed = max((len(pair[longest]) + longest for pair in ids), default=0)
            if most is not None and needed > most:
                raise ConfigError(f"search.run={self.folder} reads {most} tokens at most, and a sentence has {needed}")
        filled = sorted((row for row, (said, _) in enumerate(ids) if said), key=lambda row: len(ids[row][1]))
        found = [NEVER] * len(ids)
        for start in range(0, len(filled), TOGETHER):
            rows = filled[start : start + TOGETHER]
            batch = batch_of([ids[row] for row in rows], next(model.parameters()).device)
            for row, log_prob in zip(rows, model.sentence_log_probs(batch, model(batch)).tolist(), strict=True):
                found[row] = log_prob
        return found
