"""Where the time of attnlab's training step goes, as torch's profiler sees it.

    python benchmarks/step_profile.py [--setup transformer_small] [--steps 10] [--out file]

The set-ups are those of ``training.py``; run it with ``OMP_NUM_THREADS=1``. Every operator's own time is counted once,
under the first line of ``PARTS`` that one of its callers, or it, belongs to. The profiler's seconds are the wall's and
its own work is among them, so that shares are to be read, and not sums.
"""

import statistics
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

sys.path.insert(0, str(Path(__file__).parent))
import measure
import ours
from measure import Number
from setups import RECURRENT, TRANSFORMERS, batches_of, built

#: Beginnings of the names of operators.
PARTS = {
    "output layer and loss": ("LinearCrossEntropy",),
    "optimizer": ("Optimizer.",),
    "clipping": ("aten::_foreach_norm", "aten::linalg_vector_norm", "aten::_foreach_mul_"),
    "fused attention": ("aten::_scaled_dot_product", "aten::scaled_dot_product"),
    "products of the layers": ("aten::mm", "aten::addmm", "aten::bmm", "aten::mkldnn_rnn", "aten::lstm"),
    "norms": ("aten::native_layer_norm",),
    "embeddings": ("aten::embedding",),
    "sums, residual connections, activations": (
        "aten::add", "aten::sum", "aten::clamp", "aten::relu", "aten::threshold", "aten::mul", "aten::sigmoid",
        "aten::tanh",
    ),
    "copies and zeros": ("aten::copy_", "aten::fill_", "aten::zero_", "aten::cat"),
}  # fmt: skip
REST = "all else: autograd, views, allocation"


def main() -> None:
    parser = measure.parser(__doc__)
    parser.add_argument("--setup", choices=[*RECURRENT, *TRANSFORMERS], default="transformer_small")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--warm", type=int, default=4)
    options = parser.parse_args()
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    trainer = ours.Trainer(built(options.setup))
    batches = batches_of(options.setup, options.warm + options.steps)
    for batch in batches[: options.warm]:
        trainer.step(batch)
    found: list[Counter[str]] = []
    for batch in batches[options.warm :]:
        with profile(activities=[ProfilerActivity.CPU]) as seen:
            trainer.step(batch)
        found.append(by_part(seen.events()))
    head = f"## Where a training step goes, {options.setup}"
    measure.report("\n\n".join([head, measure.machine(), f"Median shares of {options.steps} steps.", ""]), options.out)
    shares = {part: statistics.median(step[part] / step.total() for step in found) for part in (*PARTS, REST)}
    rows = [(part, Number(share, ".1%")) for part, share in sorted(shares.items(), key=lambda pair: -pair[1])]
    measure.results(head, ("part", "share"), rows, options.out)


def by_part(events: Any) -> Counter[str]:
    """Microseconds."""
    found: Counter[str] = Counter()
    for event in events:
        found[part_of(event)] += event.self_cpu_time_total
    return found


def part_of(event: Any) -> str:
    names = []
    while event is not None:
        names.append(event.name)
        event = event.cpu_parent
    for part, beginnings in PARTS.items():
        if any(name.startswith(beginnings) for name in names):
            return part
    return REST


if __name__ == "__main__":
    main()
