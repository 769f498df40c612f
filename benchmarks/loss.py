"""Output layer and cross-entropy, forward and backward: chunks against all logits at once; time, and peak memory beyond
operands and gradients.

    python benchmarks/loss.py [--tokens 4096] [--words 8000 32000] [--rounds 5] [--clock wall] [--out file]

Competitors take turns round by round. Memory is the high-water mark of a fresh process for each competitor.
"""

import argparse
import statistics
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=4096)
    parser.add_argument("--words", type=int, nargs="+", default=[8000, 32000])
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clock", choices=list(measure.CLOCKS), default="wall")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    title = f"## Output layer and loss, forward and backward, {options.tokens} tokens of {options.width}, float32"
    measure.report(
        "\n\n".join([title, measure.machine(), f"{options.rounds} rounds; {options.clock} time.", ""]), options.out
    )
    rows = [row for words in options.words for row in compare(words, options)]
    measure.report(
        measure.table(("words", "how", "ms", "extra MB", "chunks are … times faster"), rows) + "\n", options.out
    )


def compare(words: int, options: argparse.Namespace) -> list[tuple[str, ...]]:
    given, target = operands(options.tokens, words, options.width)
    runs = {name: lambda _, name=name: pass_through(name, given, target) for name in COMPETITORS}
    seconds = measure.interleave(runs, options.rounds, 1, options.clock)
    rates = {name: measure.rates(taken, [1.0] * options.rounds) for name, taken in seconds.items()}
    best, rows = rates["chunks (attnlab)"], []
    for name in COMPETITORS:
        extra = memory.extra(once, name, options.tokens, words, options.width)
        times = "" if rates[name] is best else measure.ratio(best, rates[name])
        rows.append((str(words), name, f"{1000 * statistics.median(seconds[name]):,.0f}", f"{extra:,.0f}", times))
    return rows


if __name__ == "__main__":
    main()
