"""Which decoder loops run whole, as one hand-written autograd node (``attnlab.kernels.steps``), and with what."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from attnlab.attention.base import Attended, Attention
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.windows.all import All
from attnlab.kernels.additive import additive_attention
from attnlab.kernels.steps.loops import Looked, Loop, Plan, run_loop
from attnlab.layers.recurrent import Recurrent, State
from attnlab.types import Memory


def looked_at(attention: Any, memory: Memory, embedded: Float[Tensor, "N T E"]) -> Looked | None:
    """What a whole loop looks at; None where steps have to be taken one by one.

    That is: for a mechanism other than softmax over all tokens with a product or an additive score, and in a search,
    which takes single steps and lets the hypotheses of a beam share a memory.
    """
    if len(embedded) != len(memory.mask) or embedded.size(1) == 1 or type(attention) is not Attention:
        return None
    window, normalizer, score = attention.window, attention.normalizer, attention.score
    if type(window) is not All or not isinstance(normalizer, Softmax):
        return None
    additive = score.additive()
    scale = score.product_scale if additive is None else 1.0
    if scale is None:
        return None
    return Looked(memory.keys, memory.values, memory.mask, scale / normalizer.temperature, additive or ())


def fused(attention: Any, query: Float[Tensor, "N T Q"], memory: Memory) -> Attended | None:
    """Additive attention of all steps with the context in the same pass; None for another mechanism."""
    looked = looked_at(attention, memory, query)
    if looked is None or not looked.score:
        return None
    w, v = looked.score
    context, weights = additive_attention(F.linear(query, w), looked.keys, v, looked.values, looked.mask, looked.scale)
    return Attended(context, weights, None)


def whole_loop(
    kind: type[Loop],
    stacks: list[Recurrent],
    embedded: Float[Tensor, "N T E"],
    looked: Looked,
    state: State,
    *extra: Tensor,
) -> tuple[list[Tensor], State]:
    """The outputs of ``kind`` for all steps, and the state after the last; ``extra`` as ``kind`` says."""
    stack = stacks[0]
    weights = [weight for each in stacks for layer in range(each.layers) for weight in each.weights(layer)]
    first = [part[:, layer] for layer in range(stack.layers) for part in state]
    dropout = stack.rnn.dropout if stack.training else 0.0
    plan = Plan(kind, stack.cell, stack.layers, stack.parts, dropout)
    outputs = run_loop(plan, embedded, looked, *extra, *weights, *first)
    last = outputs[-len(first) :]
    cells = tuple(torch.stack(last[part :: stack.parts], dim=1) for part in range(stack.parts))
    return list(outputs[: -len(first)]), cells
