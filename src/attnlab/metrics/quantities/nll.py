"""Negative log-likelihood of the right class, in nats an item: the log loss, a proper score of probabilities."""

from dataclasses import dataclass

from attnlab.metrics.quantities.loss import Loss


@dataclass(frozen=True, kw_only=True)
class NegativeLogLikelihood(Loss):
    """The mean of ``loss``; an item is one unit."""

    units: str = ""


NLL = NegativeLogLikelihood(
    name="nll", title="negative log-likelihood", better="lower", digits=4, unit="nats", lowest=0
)
