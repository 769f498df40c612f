"""Output layer and loss, forward and backward: chunks against all logits at once, of cross-entropy and of R-Drop's two
passes; time, and peak memory beyond operands and gradients.

    python benchmarks/loss.py [--tokens 4096] [--words 8000 32000] [--rounds 5] [--clock wall] [--out file]

Competitors take turns round by round. Memory is the high-water mark of a fresh process for each competitor.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parent))
import measure
import memory

from attnlab.kernels.cross_entropy import linear_cross_entropy, linear_cross_entropy_reference
from attnlab.kernels.two_passes import linear_two_passes, two_passes

ALPHA = 4.0


def one_pass_in_chunks(first: Tensor, second: Tensor, weight: Tensor, bias: Tensor, gold: Tensor) -> Tensor:
    return linear_cross_entropy(first, weight, bias, gold)


def one_pass_at_once(first: Tensor, second: Tensor, weight: Tensor, bias: Tensor, gold: Tensor) -> Tensor:
    return linear_cross_entropy_reference(first, weight, bias, gold)


def two_passes_in_chunks(first: Tensor, second: Tensor, weight: Tensor, bias: Tensor, gold: Tensor) -> Tensor:
    return linear_two_passes(first, second, weight, bias, gold, 0.0, ALPHA).objective


def two_passes_at_once(first: Tensor, second: Tensor, weight: Tensor, bias: Tensor, gold: Tensor) -> Tensor:
    logits = [F.linear(features, weight, bias) for features in (first, second)]
    return two_passes(*logits, gold, 0.0, ALPHA).objective


COMPETITORS: dict[str, dict[str, Callable[..., Tensor]]] = {
    "cross-entropy": {"chunks (attnlab)": one_pass_in_chunks, "all logits at once": one_pass_at_once},
    "R-Drop": {"chunks (attnlab)": two_passes_in_chunks, "all logits at once": two_passes_at_once},
}


def operands(tokens: int, words: int, width: int) -> tuple[list[Tensor], Tensor]:
    torch.manual_seed(0)
    shapes = (tokens, width), (tokens, width), (words, width), (words,)
    return [torch.randn(shape).mul_(0.05).requires_grad_() for shape in shapes], torch.randint(words, (tokens,))


def pass_through(loss: str, name: str, given: list[Tensor], target: Tensor) -> list[Tensor]:
    found = COMPETITORS[loss][name](*given, target) / len(target)
    return [grad for grad in torch.autograd.grad(found, given, allow_unused=True) if grad is not None]


def once(mark: Callable[[], None], loss: str, name: str, tokens: int, words: int, width: int) -> int:
    """For ``memory.extra``."""
    pass_through(loss, name, *operands(8, 8, 8))
    given, target = operands(tokens, words, width)
    mark()
    return sum(grad.nbytes for grad in pass_through(loss, name, given, target))


def main() -> None:
    parser = measure.timer(__doc__, rounds=5)
    parser.add_argument("--tokens", type=int, default=4096)
    parser.add_argument("--words", type=int, nargs="+", default=[8000, 32000])
    parser.add_argument("--width", type=int, default=512)
    options = parser.parse_args()
    title = f"## Output layer and loss, forward and backward, {options.tokens} tokens of {options.width}, float32"
    measured = f"{options.rounds} rounds; {options.clock} time."
    measure.report("\n\n".join([title, measure.machine(), measured, ""]), options.out)
    rows = [row for loss in COMPETITORS for words in options.words for row in compare(loss, words, options)]
    header = ("loss, words", "how", "ms", "extra MB", "chunks are … times faster")
    measure.results(title, header, rows, options.out)


def compare(loss: str, words: int, options: argparse.Namespace) -> list[tuple[measure.Cell, ...]]:
    given, target = operands(options.tokens, words, options.width)
    runs = {name: lambda _, name=name: pass_through(loss, name, given, target) for name in COMPETITORS[loss]}

    def extra(name: str) -> float:
        return memory.extra(once, loss, name, options.tokens, words, options.width)

    return measure.time_and_memory(f"{loss}, {words}", runs, extra, options)


if __name__ == "__main__":
    main()
