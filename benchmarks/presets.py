"""What every attention preset costs: seconds and peak memory as functions of batch, target, source and width.

    python benchmarks/presets.py [--presets bahdanau …] [--out file]

Attention alone, all target positions at once where a mechanism allows it and step by step where it must look back at
its own last step: keys projected, scores, weights, contexts, and the backward pass to queries, annotations and
parameters. Each of B, T, S and width is varied by itself around a middle (B=32, T=S=32, width 256). Times are medians
of turns taken one after another; the peak is what one forward and backward pass allocates beyond its inputs and
parameters, as torch's profiler counts it.
"""

import argparse
import statistics
import sys
from functools import cache
from pathlib import Path

import torch
from hydra.utils import instantiate
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent))
import measure
import ours

from attnlab.cli import project
from attnlab.types import ConfigError, Encoded

MIDDLE = {"B": 32, "T": 32, "S": 32, "width": 256}
VARIED = {"B": (8, 128), "T": (8, 128), "S": (8, 128), "width": (64, 1024)}
MIB = 2**20


def main() -> None:
    options = arguments()
    torch.set_flush_denormal(True)
    sizes = [MIDDLE] + [{**MIDDLE, name: value} for name, values in VARIED.items() for value in values]
    head = "## Cost of the attention presets, forward and backward, fp32"
    legend = f"Milliseconds ({options.clock} time) / MiB at the peak; columns change one of B=32, T=S=32, width 256."
    measure.report("\n\n".join([head, measure.machine(), legend, ""]), options.out)
    cells: dict[str, list[str]] = {name: [] for name in options.presets}
    for size in sizes:
        for name, cell in measured(options.presets, size, options.rounds, options.clock).items():
            cells[name].append(cell)
    columns = ["middle"] + [f"{name}={value}" for name, values in VARIED.items() for value in values]
    measure.results(head, ["preset", *columns], [[name, *row] for name, row in cells.items()], options.out)


def measured(presets: list[str], size: dict[str, int], rounds: int, clock: str) -> dict[str, str]:
    """One column: milliseconds and MiB of every preset."""
    passes: dict[str, Pass] = {}
    for name in presets:
        try:
            passes[name] = Pass(name, **size)
        except ConfigError as error:
            print(f"{name}: {error}", file=sys.stderr)
    seconds = measure.interleave(passes, rounds, warm=1, clock=clock)
    return {
        name: f"{1e3 * statistics.median(seconds[name]):.1f} / {passes[name].peak():.0f}" if name in passes else "–"
        for name in presets
    }


class Pass:
    """A forward and backward pass of one preset at one size."""

    def __init__(self, preset: str, B: int, T: int, S: int, width: int) -> None:
        torch.manual_seed(0)
        build = instantiate(ours.composed(f"attention={preset}").attention)
        self.attention: nn.Module = build(query_dim=width, key_dim=width, summary_dim=width)
        self.query = torch.randn(B, T, width, requires_grad=True)
        self.states = torch.randn(B, S, width, requires_grad=True)
        self.mask = torch.ones(B, S, dtype=torch.bool)
        self.stepwise = bool(self.attention.needs_history)

    def __call__(self, number: int) -> None:
        self.query.grad = self.states.grad = None
        self.attention.zero_grad(set_to_none=True)
        context = self.forward()
        context.sum().backward()

    def forward(self) -> Tensor:
        encoded = Encoded(self.states, self.mask, self.states[:, -1], (self.states[:, -1:],))
        memory = self.attention.memory(encoded)
        history = self.attention.initial_state(memory)
        if not self.stepwise:
            return self.attention(self.query, memory, history).context
        contexts = []
        for query in self.query.split(1, dim=1):
            attended = self.attention(query, memory, history)
            history = attended.history
            contexts.append(attended.context)
        return torch.cat(contexts, dim=1)

    def peak(self) -> float:
        """MiB allocated at the most during one pass, gradients included."""
        activities = [torch.profiler.ProfilerActivity.CPU]
        with torch.profiler.profile(activities=activities, profile_memory=True) as profile:
            self(0)
        level = highest = 0
        events = profile.profiler.kineto_results.events()
        for event in sorted((e for e in events if e.name() == "[memory]"), key=lambda e: e.start_ns()):
            level += event.nbytes()
            highest = max(highest, level)
        return highest / MIB


@cache
def presets() -> list[str]:
    """All of ``conf/attention``."""
    return sorted(path.stem for path in (project.configuration() / "attention").glob("*.yaml"))


def arguments() -> argparse.Namespace:
    parser = measure.timer(__doc__, rounds=5)
    parser.add_argument("--presets", nargs="+", default=presets())
    return parser.parse_args()


if __name__ == "__main__":
    main()
