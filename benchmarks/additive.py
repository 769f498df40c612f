"""Additive scores, forward and backward: tiles against all pairs at once and against chunks recomputed in the backward
pass (torch.utils.checkpoint); time, and peak memory beyond operands, scores and gradients.

    python benchmarks/additive.py [--sizes 128 256] [--batch 32] [--width 512] [--rounds 5] [--clock wall] [--out file]

Competitors take turns round by round; ``--clock cpu`` with OMP_NUM_THREADS=1 on a machine that others use. Memory is
the high-water mark of a fresh process for each competitor. On a GPU the tiles are the Triton kernel.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

sys.path.insert(0, str(Path(__file__).parent))
import measure
import memory

from attnlab.kernels.additive import additive_scores

CHUNK = 8  # steps
PAIRS_BYTES = 20e9  # what all pairs at once may take before they are left out


def all_pairs_at_once(query: Tensor, keys: Tensor, v: Tensor) -> Tensor:
    return torch.tanh(query.unsqueeze(2) + keys.unsqueeze(1)) @ v


def chunked(query: Tensor, keys: Tensor, v: Tensor) -> Tensor:
    parts = (checkpoint(all_pairs_at_once, part, keys, v, use_reentrant=False) for part in query.split(CHUNK, dim=1))
    return torch.cat(list(parts), dim=1)


COMPETITORS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "tiles (attnlab)": additive_scores,
    "checkpointed, 8 steps": chunked,
    "all pairs at once": all_pairs_at_once,
}


def operands(batch: int, size: int, width: int) -> list[Tensor]:
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    shapes = (batch, size, width), (batch, size, width), (width,)
    return [torch.randn(shape, device=device, requires_grad=True) for shape in shapes]


def pass_through(name: str, given: list[Tensor]) -> None:
    scores = COMPETITORS[name](*given)
    torch.autograd.grad(scores, given, torch.ones_like(scores))
    if scores.is_cuda:
        torch.cuda.synchronize()


def once(mark: Callable[[], None], name: str, batch: int, size: int, width: int) -> int:
    """For ``memory.extra``."""
    COMPETITORS[name](*operands(1, 2, 8)).sum().backward()
    given = operands(batch, size, width)
    mark()
    scores = COMPETITORS[name](*given)
    grads = torch.autograd.grad(scores, given, torch.ones_like(scores))
    return sum(t.nbytes for t in (scores, scores, *grads))  # the scores' own gradient is handed in


def main() -> None:
    parser = measure.timer(__doc__, rounds=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256], help="T = S")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--width", type=int, default=512)
    options = parser.parse_args()
    title = f"## Additive scores, forward and backward, B = {options.batch}, A = {options.width}, float32"
    measured = f"{options.rounds} rounds; {options.clock} time."
    measure.report("\n\n".join([title, measure.machine(), measured, ""]), options.out)
    rows = [row for size in options.sizes for row in compare(size, options)]
    header = ("T = S", "how", "ms", "extra MB", "tiles are … times faster")
    measure.results(title, header, rows, options.out)


def compare(size: int, options: argparse.Namespace) -> list[tuple[measure.Cell, ...]]:
    pairs = 4.0 * options.batch * size * size * options.width * 3
    names = [name for name in COMPETITORS if name != "all pairs at once" or pairs < PAIRS_BYTES]
    given = operands(options.batch, size, options.width)
    runs = {name: lambda _, name=name: pass_through(name, given) for name in names}

    def extra(name: str) -> float:
        return memory.extra(once, name, options.batch, size, options.width)

    return measure.time_and_memory(str(size), runs, extra, options)


if __name__ == "__main__":
    main()
