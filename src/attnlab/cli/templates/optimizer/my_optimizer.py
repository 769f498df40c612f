r"""My optimizer: every number takes a step of one size, by the sign of its averaged gradient.

$$m_t = \beta m_{t-1} + (1 - \beta) g_t, \quad \theta_t = (1 - \eta \lambda) \theta_{t-1} - \eta\, \mathrm{sign}(m_t)$$

Paper: Signum of Bernstein, Wang, Azizzadenesheli and Anandkumar 2018, with a decoupled weight decay.
"""

from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.optim import Optimizer

from attnlab.ranges import Fraction, Positive, Weight


class MyOptimizer(Optimizer):
    """Steps by signs.

    Args:
        params: to be trained.
        lr: the size of a step, eta.
        beta: how much of the average is kept.
        weight_decay: lambda.
    """

    def __init__(
        self, params: Iterable[nn.Parameter], lr: Positive = 1e-3, beta: Fraction = 0.9, weight_decay: Weight = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "beta": beta, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        with torch.enable_grad():
            loss = None if closure is None else closure()
        for group in self.param_groups:
            for theta in (theta for theta in group["params"] if theta.grad is not None):
                m = self.state[theta].setdefault("m", torch.zeros_like(theta))
                m.lerp_(theta.grad, 1 - group["beta"])
                theta.sub_(group["lr"] * (m.sign() + group["weight_decay"] * theta))
        return loss
