"""A sentence explored: candidates of a beam word by word, what may come next at every step, links changed by hand."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.attention.edited import ByCall, ByRow, Changes, edited
from attnlab.data.tokenizers.base import Tokenizer
from attnlab.models.seq2seq import Seq2Seq
from attnlab.search.base import Search
from attnlab.tasks.prediction import Seen
from attnlab.tasks.translation.looking import batch_of, seen
from attnlab.types import EOS, Hypothesis

NEXT = 8  #: words that are told of a step, the likeliest

Ids = Sequence[int]


class Candidate(NamedTuple):
    """One translation that the search has found."""

    tokens: list[int]  #: without EOS
    ended: bool  #: whether EOS was produced
    score: float  #: what the search ranks by
    log_prob: float
    steps: list[float]  #: ln p of each token, that of EOS last where it has ended


class Step(NamedTuple):
    """What may be said at one step behind the words before it."""

    said: float  #: ln p of what was said there
    tokens: list[int]  #: the likeliest, first first
    log_probs: list[float]
    asked: list[float]  #: ln p of words that were asked for


class Explored(NamedTuple):
    """What a run makes of a sentence."""

    best: Hypothesis
    candidates: list[Candidate]
    steps: list[Step]  #: of the best one, that of EOS last
    seen: Seen | None  #: what it looks at; None where nothing is


class Explorer:
    """A model asked about one sentence.

    Args:
        model: in evaluation mode.
        tokenizers: of source and target.
        source: the sentence, ids.
        device: where the model is.
    """

    def __init__(
        self, model: Seq2Seq, tokenizers: tuple[Tokenizer, Tokenizer], source: Ids, device: torch.device
    ) -> None:
        self.model, self.tokenizers, self.source, self.device = model, tokenizers, list(source), device

    @torch.inference_mode()
    def explore(self, search: Search, prefix: Ids = (), changes: Changes | None = None) -> Explored:
        """Search, and tell of what was found all there is.

        Args:
            search: how.
            prefix: what translations begin with.
            changes: of links; None leaves the model alone.

        Raises:
            ConfigError: no translation begins so, there is no such link, or nothing that looks.
        """
        if changes is not None:
            changes.check(None, len(self.source))
        source = torch.tensor([self.source], device=self.device)
        with self._changed(changes):
            found = search(self.model, source, torch.ones_like(source, dtype=torch.bool), [list(prefix)])[0]
        told = self._log_probs(found, changes)
        candidates = [
            Candidate(one.tokens, one.ended, one.score, one.log_prob, [step.said for step in steps(one, rows)])
            for one, rows in zip(found, told, strict=True)
        ]
        return Explored(found[0], candidates, steps(found[0], told[0]), self.looks(found[0], changes))

    @torch.inference_mode()
    def next_words(
        self, said: Hypothesis, changes: Changes | None = None, words: Sequence[Ids] | None = None
    ) -> list[Step]:
        """What may be said at each step of a given translation, and of some words of each step how likely they are."""
        return steps(said, self._log_probs([said], changes)[0], words)

    @torch.inference_mode()
    def looks(self, said: Hypothesis, changes: Changes | None = None) -> Seen | None:
        """What is looked at while a translation is decoded by force; None where nothing is."""
        if not self.model.has_weights:
            return None
        batch = batch_of([(self.source, read(said))], self.device)
        with self._changed(changes, batch.target_mask.size(1)):
            found = seen(self.model, batch, *self.tokenizers, selves=True)[0]
        rows = self.tokenizers[1].tokens(said.tokens)
        return found if said.ended else found._replace(map=found.map._replace(rows=rows))

    def _log_probs(self, found: Sequence[Hypothesis], changes: Changes | None) -> Float[Tensor, "N T V"]:
        """ln p of every word at every step of translations that are decoded by force together."""
        batch = batch_of([(self.source, read(one)) for one in found], self.device)
        with self._changed(changes, batch.target_mask.size(1)):
            decoded = self.model(batch)
        return self.model.word_logits(decoded).float().log_softmax(-1).cpu()

    @contextmanager
    def _changed(self, changes: Changes | None, rows: int | None = None) -> Iterator[None]:
        """Within, links are changed: of a search, or of so many rows that are decoded by force."""
        columns = len(self.source)
        with ExitStack() as stack:
            for attention in self.model.decoder.attentions if changes is not None else ():
                assert changes is not None
                marks = ByCall(changes, columns) if rows is None else ByRow(changes, rows, columns)
                stack.enter_context(edited(attention, marks))
            yield


def read(said: Hypothesis) -> Ids:
    """The words that are read while a translation is said: its last one is, where the end comes behind it."""
    return said.tokens if said.ended else said.tokens[:-1]


def steps(said: Hypothesis, log_probs: Float[Tensor, "T V"], words: Sequence[Ids] | None = None) -> list[Step]:
    """Of every token and the end."""
    found = []
    for t, token in enumerate([*said.tokens, EOS] if said.ended else said.tokens):
        values, places = log_probs[t].topk(min(NEXT, log_probs.size(1)))
        asked = [] if words is None else log_probs[t, torch.tensor(words[t])].tolist()
        found.append(Step(log_probs[t, token].item(), places.tolist(), values.tolist(), asked))
    return found
