r"""Models that are trained to be held against a run, on its own training texts: Wiegreffe and Pinter 2019.

perceptron   $p = \operatorname{softmax}(W_o \sum_j a_j \tanh(W x_j + b))$ with embeddings x_j of its own: it reads each
             word by itself, and a is given: the run's weights, uniform ones, an adversary's; or it learns them,
             $a = \operatorname{softmax}_j v^\top \tanh(W_a h_j + b_a)$. Weights that say something of the task help it
             more than its own do (section 3.3)
adversary    a model like the run's, made anew, that minimises TVD(p', p) - lambda KL(a' || a): to say what the run says
             and look elsewhere. Adam with AMSGrad, rate 0.001 (section 4); a weight of 0 counts as 1e-6 in KL

Weights are the mean of the looks where there are several; the looks of an adversary are each held against the run's.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.explanation.distributions import divergence
from attnlab.tasks.explaining import Asked

Guide = Literal["given", "uniform", "own"]
LEAST, RATE = 1e-6, 0.001
Ask = Callable[[nn.Module, Any], Asked]
Progress = Callable[[Iterable[Any]], Iterable[Any]]


class Known(NamedTuple):
    """Texts of one batch and what a trained model says of them."""

    batch: Any  #: as the model reads it
    words: Int[Tensor, "B S"]
    mask: Bool[Tensor, "B S"]
    label: Int[Tensor, " B"]
    output: Float[Tensor, "B C"]
    weights: Float[Tensor, "B L S"]  #: each look as a distribution

    @property
    def attention(self) -> Float[Tensor, "B S"]:
        return self.weights.mean(1)


def known(batch: Any, found: Asked) -> Known:
    """What a model says of a batch that has words, a mask and labels."""
    return Known(batch, batch.words, batch.mask, batch.label, found.output, distributed(found.weights, batch.mask))


def distributed(weights: Float[Tensor, "B L S"], mask: Bool[Tensor, "B S"]) -> Float[Tensor, "B L S"]:
    """Each look as a distribution; differentiable."""
    sizes = weights.abs() * mask.unsqueeze(1) + torch.finfo(weights.dtype).tiny * mask.unsqueeze(1)
    return sizes / sizes.sum(-1, keepdim=True)


class Perceptron(nn.Module):
    """Reads each word by itself.

    Args:
        vocabulary, classes: how many.
        size: of embeddings and of what becomes of them.
        guide: whose weights: ``given`` with each text, ``uniform``, or its ``own``, learnt.
    """

    def __init__(self, vocabulary: int, classes: int, size: int, guide: Guide) -> None:
        super().__init__()
        self.guide = guide
        self.embedding = nn.Embedding(vocabulary, size)
        self.W, self.output = nn.Linear(size, size), nn.Linear(size, classes)
        self.W_a, self.v = nn.Linear(size, size), nn.Linear(size, 1, bias=False)
        nn.init.normal_(self.embedding.weight, std=0.1)

    def forward(
        self, words: Int[Tensor, "B S"], mask: Bool[Tensor, "B S"], weights: Float[Tensor, "B S"]
    ) -> Float[Tensor, "B C"]:
        h = torch.tanh(self.W(self.embedding(words)))
        logits: Tensor = self.output((self._weights(h, mask, weights).unsqueeze(1) @ h).squeeze(1))
        return logits

    def _weights(self, h: Tensor, mask: Tensor, given: Tensor) -> Float[Tensor, "B S"]:
        if self.guide == "given":
            return given
        if self.guide == "uniform":
            return mask / mask.sum(1, keepdim=True)
        return self.v(torch.tanh(self.W_a(h))).squeeze(-1).masked_fill(~mask, float("-inf")).softmax(-1)


def guided(
    model: Perceptron, train: Sequence[Known], test: Sequence[Known], epochs: int, progress: Progress = iter
) -> list[bool]:
    """Train a perceptron; which texts of the test it gets right."""
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    for _ in progress(range(epochs)):
        for one in shuffled(train):
            optimizer.zero_grad()
            F.cross_entropy(model(one.words, one.mask, one.attention), one.label).backward()
            optimizer.step()
    with torch.no_grad():
        right = [model(one.words, one.mask, one.attention).argmax(1) == one.label for one in test]
    return [bool(hit) for hits in right for hit in hits.tolist()]


class Apart(NamedTuple):
    """How a trained adversary is apart from the run, the means over the texts of a test."""

    change: float  #: total variation distance of outputs
    divergence: float  #: Jensen-Shannon divergence of weights, nats
    accuracy: float


def imitate(
    model: nn.Module, ask: Ask, train: Sequence[Known], rate: float, epochs: int, progress: Progress = iter
) -> None:
    """Train an adversary, with ``rate`` as lambda."""
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, amsgrad=True)
    for _ in progress(range(epochs)):
        for one in shuffled(train):
            optimizer.zero_grad()
            found = ask(model, one.batch)
            far = relative(distributed(found.weights, one.mask), one.weights)
            (variation(found.output, one.output) - rate * far).mean().backward()
            optimizer.step()
    model.eval()


@torch.no_grad()
def apart(model: nn.Module, ask: Ask, test: Sequence[Known]) -> tuple[Apart, list[Known]]:
    """How far it is from the run; and what it says of the texts, and looks at."""
    own = [known(one.batch, ask(model, one.batch)) for one in test]
    pairs = list(zip(own, test, strict=True))
    change = torch.cat([variation(a.output, b.output) for a, b in pairs])
    far = torch.cat([divergence(a.weights, b.weights).mean(1) for a, b in pairs])
    right = torch.cat([one.output.argmax(1) == one.label for one in own])
    return Apart(*(float(part.double().mean()) for part in (change, far, right))), own


def variation(a: Float[Tensor, "B C"], b: Float[Tensor, "B C"]) -> Float[Tensor, " B"]:
    """Total variation distance."""
    return (a - b).abs().sum(1) / 2


def relative(a: Float[Tensor, "B L S"], b: Float[Tensor, "B L S"]) -> Float[Tensor, " B"]:
    """KL(a || b), the mean over looks."""
    return (a * (a.clamp(min=LEAST).log() - b.clamp(min=LEAST).log())).sum(-1).mean(1)


def shuffled(batches: Sequence[Known]) -> Iterable[Known]:
    return (batches[n] for n in torch.randperm(len(batches)).tolist())
