"""Weight initialisations beyond torch's own."""

from typing import Literal, Protocol, runtime_checkable

from torch import nn
from torch.nn import init
from torch.nn.utils.parametrize import is_parametrized

from attnlab.attention.multi_head import Heads
from attnlab.ranges import Positive, Real
from attnlab.types import PAD, ConfigError

Kind = Literal["torch", "uniform", "normal", "xavier_uniform", "transformer"]


@runtime_checkable
class Initialized(Protocol):
    """A module with parameters whose first value is part of what it is, whatever the model's initialisation."""

    def initialize(self) -> None:
        """Set them; called after the model's initialisation."""
        ...


class Initialization:
    """How a freshly built model is initialised; ``Initialized`` modules then set what they start from.

    Args:
        kind: ``torch`` leaves every layer as torch made it (embeddings N(0, 1)); ``uniform`` draws from
            [-scale, scale] (Sutskever et al. 2014: 0.08, Luong et al. 2015: 0.1); ``normal`` from N(0, scale^2);
            ``xavier_uniform`` follows Glorot and Bengio 2010 with gain ``scale``; ``transformer`` does, too, but
            draws embeddings of size d from N(0, scale^2 / d) and counts the projections of queries, keys and values
            of heads as one matrix (a gain of scale / sqrt(2) where they are square), as fairseq does: what post-norm
            Transformers learn from. Biases are set to zero by all but ``torch``.
        scale: see ``kind``.
        orthogonal_recurrence: square recurrent matrices orthogonal, gate by gate (Saxe et al. 2014).
        forget_bias: added to the forget gate's bias of every LSTM (Jozefowicz et al. 2015: 1).

    Raises:
        ConfigError: a scale that is not positive.
    """

    def __init__(
        self,
        kind: Kind = "torch",
        scale: Positive = 0.1,
        orthogonal_recurrence: bool = False,
        forget_bias: Real = 0.0,
    ) -> None:
        if scale <= 0:
            raise ConfigError(f"model.initialization.scale must be above 0, got {scale}")
        self.kind, self.scale = kind, scale
        self.orthogonal_recurrence, self.forget_bias = orthogonal_recurrence, forget_bias

    def __call__(self, model: nn.Module) -> None:
        if self.kind != "torch":
            normed = {id(p) for m in model.modules() if isinstance(m, nn.LayerNorm) for p in m.parameters()}
            for name, parameter in model.named_parameters():
                if id(parameter) not in normed:  # a gain starts at 1
                    self._fill(name, parameter)
        if self.kind == "transformer":
            for module in model.modules():
                self._transformer(module)
        for module in model.modules():
            if isinstance(module, nn.Embedding) and module.padding_idx == PAD:
                init.zeros_(module.weight.data[PAD])
            if isinstance(module, nn.RNNBase):
                self._recurrence(module)
            if is_parametrized(module, "weight"):  # weight-normalised: the gain is the length of what was drawn
                module.weight = module.parametrizations.weight.original1.detach()  # type: ignore[union-attr, operator]
            if isinstance(module, Initialized):
                module.initialize()

    def _fill(self, name: str, parameter: nn.Parameter) -> None:
        if "bias" in name.rsplit(".", 1)[-1]:
            init.zeros_(parameter)
        elif self.kind == "uniform" or parameter.dim() < 2:
            init.uniform_(parameter, -self.scale, self.scale)
        elif self.kind == "normal":
            init.normal_(parameter, std=self.scale)
        else:
            init.xavier_uniform_(parameter, gain=self.scale)

    def _transformer(self, module: nn.Module) -> None:
        """What it draws otherwise than Xavier's rule."""
        if isinstance(module, nn.Embedding):
            init.normal_(module.weight, std=self.scale * module.embedding_dim**-0.5)
        elif isinstance(module, Heads):
            for projection in (module.W_q, module.W_k, module.W_v):
                if isinstance(projection, nn.Linear):
                    init.xavier_uniform_(projection.weight, gain=self.scale * 0.5**0.5)

    def _recurrence(self, rnn: nn.RNNBase) -> None:
        for name, parameter in rnn.named_parameters():
            if self.orthogonal_recurrence and name.startswith("weight_hh"):
                for gate in parameter.data.split(rnn.hidden_size):
                    init.orthogonal_(gate)
            if isinstance(rnn, nn.LSTM) and name.startswith("bias_ih"):
                parameter.data[rnn.hidden_size : 2 * rnn.hidden_size] += self.forget_bias
