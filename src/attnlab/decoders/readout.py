"""From decoder state, context and last word to the features that the output layer reads.

None of these depends on the recurrence (but where input feeding makes the feature the next step's input), so in
training each runs once for all steps.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.kernels.packed_linear import PackedLinear
from attnlab.ranges import Width

Product = Callable[[Tensor], Tensor]  #: what the layer makes of its input
Read = Callable[[Tensor, Tensor, Tensor], Tensor]  #: from state, context and embedded word to the feature


class Readout(nn.Module, ABC):
    """Built with the sizes of state, context and embedded word; ``output_dim`` is what it hands on."""

    output_dim: int
    #: whether ``state`` is the one before the step (Bahdanau's deep output reads s_{i-1})
    reads_previous = False

    @abstractmethod
    def forward(
        self,
        state: Float[Tensor, "N *T H"],
        context: Float[Tensor, "N *T V"],
        embedded: Float[Tensor, "N *T E"],
    ) -> Float[Tensor, "N *T R"]: ...

    def decoding_weights(self) -> Read:
        """The same function with its weight laid out once, for the steps of a search."""
        return self


class OneLayer(Readout):
    """A readout with one linear layer; ``read`` says what it does with the product of that layer's weight."""

    @property
    @abstractmethod
    def layer(self) -> nn.Linear: ...

    @abstractmethod
    def read(self, product: Product, state: Tensor, context: Tensor, embedded: Tensor) -> Tensor: ...

    def forward(
        self,
        state: Float[Tensor, "N *T H"],
        context: Float[Tensor, "N *T V"],
        embedded: Float[Tensor, "N *T E"],
    ) -> Float[Tensor, "N *T R"]:
        return self.read(self.layer, state, context, embedded)

    def decoding_weights(self) -> Read:
        return partial(self.read, PackedLinear(self.layer.weight, self.layer.bias))


class StateOnly(Readout):
    """h_t itself: the plain encoder-decoder of Sutskever et al. 2014."""

    def __init__(self, state_dim: int, context_dim: int, embedding_dim: int) -> None:
        super().__init__()
        self.output_dim = state_dim

    def forward(
        self,
        state: Float[Tensor, "N *T H"],
        context: Float[Tensor, "N *T V"],
        embedded: Float[Tensor, "N *T E"],
    ) -> Float[Tensor, "N *T H"]:
        return state


class Concatenated(Readout):
    """[h_t; c_t], as the tutorial feeds its output layer."""

    def __init__(self, state_dim: int, context_dim: int, embedding_dim: int) -> None:
        super().__init__()
        self.output_dim = state_dim + context_dim

    def forward(
        self,
        state: Float[Tensor, "N *T H"],
        context: Float[Tensor, "N *T V"],
        embedded: Float[Tensor, "N *T E"],
    ) -> Float[Tensor, "N *T R"]:
        return torch.cat([state, context], dim=-1)


class Attentional(OneLayer):
    """The attentional vector tanh(W_c [c_t; h_t]), Luong et al. 2015, equation (5).

    Args:
        output_dim: its size; None takes the size of the state.
    """

    def __init__(self, state_dim: int, context_dim: int, embedding_dim: int, output_dim: Width | None = None) -> None:
        super().__init__()
        self.output_dim = output_dim or state_dim
        self.W_c = nn.Linear(context_dim + state_dim, self.output_dim, bias=False)

    @property
    def layer(self) -> nn.Linear:
        return self.W_c

    def read(self, product: Product, state: Tensor, context: Tensor, embedded: Tensor) -> Tensor:
        return torch.tanh(product(torch.cat([context, state], dim=-1)))


class ContextOnly(OneLayer):
    """tanh(C_o c_i): a word is said by what is looked at alone, and the state only says where to look.

    So nothing goes past attention, which then has to find the word's translation; as in the alignment layer of Zenkel,
    Wuebker and DeNero 2019, "Adding interpretable attention to neural translation models improves word alignment".

    Args:
        output_dim: its size; None takes the size of the embeddings.
    """

    def __init__(self, state_dim: int, context_dim: int, embedding_dim: int, output_dim: Width | None = None) -> None:
        super().__init__()
        self.output_dim = output_dim or embedding_dim
        self.C_o = nn.Linear(context_dim, self.output_dim, bias=False)

    @property
    def layer(self) -> nn.Linear:
        return self.C_o

    def read(self, product: Product, state: Tensor, context: Tensor, embedded: Tensor) -> Tensor:
        return torch.tanh(product(context))


class TanhOutput(OneLayer):
    """tanh(U_o s_i + V_o E y_{i-1} + C_o c_i), the simple output of Nematus (Sennrich et al. 2017, equation (10)).

    Args:
        output_dim: its size; None takes the size of the embeddings.
    """

    def __init__(self, state_dim: int, context_dim: int, embedding_dim: int, output_dim: Width | None = None) -> None:
        super().__init__()
        self.output_dim = output_dim or embedding_dim
        self.project = nn.Linear(state_dim + embedding_dim + context_dim, self.output_dim)

    @property
    def layer(self) -> nn.Linear:
        return self.project

    def read(self, product: Product, state: Tensor, context: Tensor, embedded: Tensor) -> Tensor:
        return torch.tanh(product(torch.cat([state, embedded, context], dim=-1)))


class DeepOutput(OneLayer):
    """Maxout of U_o s_{i-1} + V_o E y_{i-1} + C_o c_i in pairs: Bahdanau et al. 2015, appendix A.2.2.

    Args:
        output_dim: l, the size after the maxout; None takes the size of the embeddings.
    """

    reads_previous = True

    def __init__(self, state_dim: int, context_dim: int, embedding_dim: int, output_dim: Width | None = None) -> None:
        super().__init__()
        self.output_dim = output_dim or embedding_dim
        self.project = nn.Linear(state_dim + embedding_dim + context_dim, 2 * self.output_dim)

    @property
    def layer(self) -> nn.Linear:
        return self.project

    def read(self, product: Product, state: Tensor, context: Tensor, embedded: Tensor) -> Tensor:
        pairs = product(torch.cat([state, embedded, context], dim=-1)).unflatten(-1, (-1, 2))
        return pairs.amax(-1)
