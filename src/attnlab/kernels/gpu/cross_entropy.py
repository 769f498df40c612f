"""Softmax, label-smoothed cross-entropy and their gradient on a GPU, in two passes over the logits.

A program has the logits of one token: one pass for the largest and the sum of exponentials (online, Milakov and
Gimelshein 2018), one to put the gradient in their place. They may be in half precision; all sums are in float32.
"""

from typing import no_type_check

import torch
import triton
import triton.language as tl
from torch import Tensor

BLOCK = 4096


@triton.jit
@no_type_check  # by the shape checks of the tests, which would stand between Triton and the source
def _softmax_loss(logits, gold, loss, smoothing, V, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    own = logits + row * V
    top, total, plain = float("-inf"), 0.0, 0.0
    for start in range(0, V, BLOCK):
        c = start + tl.arange(0, BLOCK)
        x = tl.load(own + c, mask=c < V, other=float("-inf")).to(tl.float32)
        new = tl.maximum(top, tl.max(x, 0))
        total = total * tl.exp(top - new) + tl.sum(tl.exp(x - new), 0)
        plain += tl.sum(tl.where(c < V, x, 0.0), 0)
        top = new
    y = tl.load(gold + row)
    fit = (1 - smoothing) * tl.load(own + y).to(tl.float32) + smoothing * plain / V
    tl.store(loss + row, top + tl.log(total) - fit)
    tl.debug_barrier()  # the logit of the right word has been read
    for start in range(0, V, BLOCK):
        c = start + tl.arange(0, BLOCK)
        x = tl.load(own + c, mask=c < V, other=float("-inf")).to(tl.float32)
        grad = tl.exp(x - top) / total - smoothing / V - tl.where(c == y, 1 - smoothing, 0.0)
        tl.store(own + c, grad, mask=c < V)


def softmax_loss_(logits: Tensor, gold: Tensor, smoothing: float) -> Tensor:
    """The summed loss of some tokens; its gradient, p - smoothed one-hot, takes the place of the logits."""
    loss = logits.new_empty(len(logits), dtype=torch.float32)
    _softmax_loss[(len(logits),)](logits, gold, loss, smoothing, logits.size(1), BLOCK=BLOCK, num_warps=8)
    return loss.sum()
