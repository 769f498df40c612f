r"""What stands between recurrent layers: layer normalisation, residual connections, dropout with one mask a sentence.

    x^1 = what the stack reads,   h^l_t = RNN_l(x^l_t, h^l_{t-1}),   o^1_t = m^1 h^1_t,   o^l_t = m^l (h^l_t + x^l_t)
    x^{l+1}_t = dropout(LN_l(o^l_t)),   the stack gives o^L

Ba, Kiros and Hinton 2016, "Layer normalization", here of what a layer hands on, so that fused recurrences stay; Wu et
al. 2016, "Google's neural machine translation system", equation (6); Gal and Ghahramani 2016, "A theoretically grounded
application of dropout in recurrent neural networks": m is drawn once a sentence and is the same at all steps. Of theirs
the recurrent connections are left alone. States h^l go to the next step, and from encoder to decoder, as they are.
"""

from dataclasses import dataclass
from typing import cast

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.errors import ConfigError
from attnlab.ranges import Fraction


@dataclass(frozen=True)
class Stacking:
    """Which of them there are.

    Args:
        layer_norm: of what each layer but the last hands on.
        residual: each layer but the first adds what it has read.
        variational_dropout: of what each layer hands on, the last one included; the same features at all steps.
    """

    layer_norm: bool = False
    residual: bool = False
    variational_dropout: Fraction = 0.0

    @property
    def plain(self) -> bool:
        """Whether there is nothing."""
        return not (self.layer_norm or self.residual or self.variational_dropout)

    def check(self, layers: int) -> None:
        """Refuse what has no place.

        Raises:
            ConfigError: it stands between layers, and there is one.
        """
        for name in ("layer_norm", "residual"):
            if getattr(self, name) and layers == 1:
                raise ConfigError(
                    f"stacking.{name}=true is for what one recurrent layer hands to the next, and there is one layer: "
                    f"set layers=2 or more, or stacking.{name}=false"
                )


PLAIN = Stacking()


class Between(nn.Module):
    """From the states of each layer to what the next one reads.

    Args:
        stacking: what there is.
        width: of a layer's states.
        layers: how many.
        dropout: besides, of what each layer but the last hands on, drawn anew at each step.
    """

    def __init__(self, stacking: Stacking, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        stacking.check(layers)
        self.residual, self.shared, self.layers = stacking.residual, stacking.variational_dropout, layers
        self.plain, self.dropout = stacking.plain, dropout
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers - 1) if stacking.layer_norm)

    def masks(self, rows: int, like: Tensor) -> Float[Tensor, "L N H"] | None:
        """m of each layer; None where nothing is dropped."""
        if not self.training or not self.shared:
            return None
        return F.dropout(like.new_ones(self.layers, rows, like.size(-1)), self.shared)

    def output(self, layer: int, states: Tensor, read: Tensor, mask: Tensor | None) -> Tensor:
        """o of a layer, from 0; ``mask`` fits the states."""
        states = states + read if self.residual and layer else states
        return states if mask is None else states * mask

    def handed_on(self, layer: int, output: Tensor) -> Tensor:
        """What the next layer reads."""
        normed = cast(Tensor, self.norms[layer](output)) if self.norms else output
        return F.dropout(normed, self.dropout, self.training)
