"""A toy model whose probabilities are a fixed function of source and prefix, and slow searches over it."""

import math
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from attnlab.types import BOS, EOS, PAD, Step


class Toy(NamedTuple):
    """Settings of the toy; ``vocabulary`` counts the four special tokens, ``sharpness`` scales the scores."""

    vocabulary: int = 7
    seed: int = 0
    sharpness: float = 1.5
    eos: float = 0.0  #: added to the score of EOS


@cache
def distribution(toy: Toy, source: tuple[int, ...], prefix: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Log-probabilities [V] and attention [S] after ``prefix`` (without BOS)."""
    random = np.random.default_rng([toy.seed, *source, 1_000_003, *prefix])
    scores = toy.sharpness * random.standard_normal(toy.vocabulary)
    scores[EOS] += toy.eos
    weights = np.exp(2 * random.standard_normal(len(source)))
    return scores - np.log(np.exp(scores).sum()), weights / weights.sum()


class Prefix(NamedTuple):
    """The toy's decoder state: what it has read, and a copy of the source it belongs to."""

    read: Tensor
    length: Tensor
    source: Tensor


class Sentences(NamedTuple):
    """The toy's memory."""

    source: Tensor
    mask: Tensor


class ToyModel:
    """StepModel over ``distribution``; checks that its state belongs to its memory and counts the rows."""

    longest_target: int | None = None

    def __init__(self, toy: Toy | None = None, draws_weights: bool = True, dtype: torch.dtype = torch.float64) -> None:
        self.toy = toy or Toy()
        self.draws_weights = draws_weights
        self.dtype = dtype
        self.rows: list[int] = []
        self.inference: list[bool] = []

    def initial_state(self, source: Tensor, source_mask: Tensor, beam: int) -> tuple[Sentences, Prefix]:
        rows = len(source) * beam
        read = torch.full((rows, 64), PAD, device=source.device)
        length = torch.zeros(rows, dtype=torch.long, device=source.device)
        return Sentences(source, source_mask), Prefix(read, length, source.repeat_interleave(beam, 0))

    def advance(self, tokens: Tensor, memory: Sentences, state: Prefix) -> Step:
        sentences, rows = len(memory.source), len(tokens)
        assert rows % sentences == 0
        assert torch.equal(state.source, memory.source.repeat_interleave(rows // sentences, 0))
        assert state.length.unique().numel() == 1
        self.rows.append(rows)
        self.inference.append(torch.is_inference_mode_enabled())
        read = state.read.clone()
        read.scatter_(1, state.length[:, None], tokens[:, None])
        length = state.length + 1
        sources = [tuple(row[mask].tolist()) for row, mask in zip(memory.source, memory.mask, strict=True)]
        known = [self._look_up(sources[n * sentences // rows], path) for n, path in enumerate(read.tolist())]
        stacked = torch.from_numpy(np.stack([values for values, _ in known])).to(tokens.device, self.dtype)
        weights = torch.from_numpy(np.stack([row for _, row in known]))[:, : memory.source.shape[1]]
        drawn = weights.to(tokens.device, self.dtype) if self.draws_weights else None
        return Step(stacked, drawn, Prefix(read, length, state.source))

    def _look_up(self, source: tuple[int, ...], path: list[int]) -> tuple[np.ndarray, np.ndarray]:
        first, *prefix = path[: path.index(PAD)]
        assert first == BOS
        values, weights = distribution(self.toy, source, tuple(prefix))
        return values, np.pad(weights, (0, 16 - len(weights)))


class FixedModel(ToyModel):
    """The same log-probabilities in every step, whatever they are."""

    def __init__(self, log_probs: list[float], dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.log_probs = torch.tensor(log_probs, dtype=dtype)

    def advance(self, tokens: Tensor, memory: Sentences, state: Prefix) -> Step:
        step = super().advance(tokens, memory, state)
        return step._replace(log_probs=self.log_probs.expand(len(tokens), -1))


SOURCES = ((11, 12, 13), (21,), (31, 32, 33, 34, 35), (41, 42), (51, 52, 53, 54))


def batch(sources: tuple[tuple[int, ...], ...] = SOURCES) -> tuple[Tensor, Tensor]:
    longest = max(len(source) for source in sources)
    padded = [[*source] + [PAD] * (longest - len(source)) for source in sources]
    ids = torch.tensor(padded)
    return ids, ids != PAD


def rescore(toy: Toy, source: tuple[int, ...], path: tuple[int, ...]) -> tuple[float, np.ndarray]:
    """Log-probability of ``path`` (with its EOS, if it has one) and the attention of its steps [T, S]."""
    steps = [distribution(toy, source, path[:t]) for t in range(len(path))]
    total = sum(float(log_probs[token]) for (log_probs, _), token in zip(steps, path, strict=True))
    return total, np.stack([weights for _, weights in steps])


def penalised(log_prob: float, weights: np.ndarray, alpha: float, beta: float) -> float:
    """Scalar-loop transcription of Wu et al. 2016, eq. 14; ``weights`` are p_ji, [|Y|, |X|]."""
    steps, positions = weights.shape
    lp = (5 + steps) ** alpha / (5 + 1) ** alpha
    cp = 0.0
    for i in range(positions):
        attended = 0.0
        for j in range(steps):
            attended += weights[j, i]
        cp += math.log(min(attended, 1.0))
    return log_prob / lp + beta * cp


class Found(NamedTuple):
    """A path (EOS included where there is one) and what it scores."""

    score: float
    path: tuple[int, ...]


def exhaustive(toy: Toy, source: tuple[int, ...], steps: int, alpha: float, beta: float, least: int = 0) -> list[Found]:
    """Every complete translation of at most ``steps`` steps, best first."""
    words = [token for token in range(toy.vocabulary) if token not in (PAD, BOS, EOS)]
    found = []
    for length in range(least, steps):
        for chosen in product(words, repeat=length):
            path = (*chosen, EOS)
            found.append(Found(penalised(*rescore(toy, source, path), alpha, beta), path))
    return sorted(found, reverse=True)


def slow_beam(
    toy: Toy,
    source: tuple[int, ...],
    steps: int,
    beam: int,
    alpha: float,
    beta: float,
    least: int,
    n_best: int,
    prefix: tuple[int, ...] = (),
) -> list[Found]:
    """Beam search of one sentence in plain loops, which never stops early; all paths begin with ``prefix``."""
    live: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    finished: list[Found] = []
    for t in range(steps):
        extended = []
        for log_prob, path in live:
            log_probs, _ = distribution(toy, source, path)
            for token in range(toy.vocabulary):
                if token in (PAD, BOS) or (token == EOS and t < least):
                    continue
                if t < len(prefix) and token != prefix[t]:
                    continue
                extended.append((log_prob + float(log_probs[token]), (*path, token)))
        live = []
        for log_prob, path in sorted(extended, reverse=True)[:beam]:
            if path[-1] == EOS:
                _, weights = rescore(toy, source, path)
                finished.append(Found(penalised(log_prob, weights, alpha, beta), path))
            else:
                live.append((log_prob, path))
    rest = [Found(penalised(log_prob, rescore(toy, source, path)[1], alpha, beta), path) for log_prob, path in live]
    return (sorted(finished, reverse=True) + sorted(rest, reverse=True))[:n_best]
