"""Negative log-likelihood of the right class, in nats an item: the log loss, a proper score of probabilities."""

from attnlab.metrics.quantities.loss import Loss

NLL = Loss(name="nll", title="negative log-likelihood", better="lower", digits=4, unit="nats", units="")
