"""Output layer and cross-entropy, forward and backward: chunks against all logits at once; time, and peak memory beyond
operands and gradients.

    python benchmarks/loss.py [--tokens 4096] [--words 8000 32000] [--rounds 5] [--clock wall] [--out file]

Competitors take turns round by round. Memory is the high-water mark of a fresh process for each competitor.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))
import measure
import memory

from attnlab.kernels.cross_entropy import linear_cross_entropy, linear_cross_entropy_reference

COMPETITORS: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = {
    "chunks (attnlab)": linear_cross_entropy,
    "all logits at once": linear_cross_entropy_reference,
}


def operands(tokens: int, words: int, width: int) -> tuple[list[Tensor], Tensor]:
    torch.manual_seed(0)
    shapes = (tokens, width), (words, width), (words,)
    return [torch.randn(shape).mul_(0.05).requires_grad_() for shape in shapes], torch.randint(words, (tokens,))


def pass_through(name: str, given: list[Tensor], target: Tensor) -> tuple[Tensor, ...]:
    loss = COMPETITORS[name](*given, target) / len(target)
    return torch.autograd.grad(loss, given)


def once(mark: Callable[[], None], name: str, tokens: int, words: int, width: int) -> int:
    """For ``memory.extra``."""
    pass_through(name, *operands(8, 8, 8))
    given, target = operands(tokens, words, width)
    mark()
    return sum(grad.nbytes for grad in pass_through(name, given, target))


def main() -> None:
    parser = measure.timer(__doc__, rounds=5)
    parser.add_argument("--tokens", type=int, default=4096)
    parser.add_argument("--words", type=int, nargs="+", default=[8000, 32000])
    parser.add_argument("--width", type=int, default=512)
    options = parser.parse_args()
    title = f"## Output layer and loss, forward and backward, {options.tokens} tokens of {options.width}, float32"
    measured = f"{options.rounds} rounds; {options.clock} time."
    measure.report("\n\n".join([title, measure.machine(), measured, ""]), options.out)
    rows = [row for words in options.words for row in compare(words, options)]
    header = ("words", "how", "ms", "extra MB", "chunks are … times faster")
    measure.results(title, header, rows, options.out)


def compare(words: int, options: argparse.Namespace) -> list[tuple[measure.Cell, ...]]:
    given, target = operands(options.tokens, words, options.width)
    runs = {name: lambda _, name=name: pass_through(name, given, target) for name in COMPETITORS}

    def extra(name: str) -> float:
        return memory.extra(once, name, options.tokens, words, options.width)

    return measure.time_and_memory(str(words), runs, extra, options)


if __name__ == "__main__":
    main()
