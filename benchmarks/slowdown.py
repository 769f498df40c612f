"""Does training slow down? Time a token over a long training, and where denormal numbers are found.

    python benchmarks/slowdown.py [--steps 2000] [--sentences 80] [--setup general_input_feeding] [--keep-denormals] \
[--clock wall] [--out file]

The time of a step is divided by its target tokens; blocks of 100 steps are compared by medians with steps 60 to 160.
Denormals are counted every 100 steps in parameters, gradients and the optimizer's moments.
"""

import statistics
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
import measure
import multi30k
import ours

BLOCK, WARM = 100, 60
SETUPS = {f"{s}_{p}": (s, p) for s in ("general", "additive") for p in ("input_feeding", "early", "bahdanau")}


def main() -> None:
    parser = measure.timer(__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--sentences", type=int, default=multi30k.SENTENCES)
    parser.add_argument("--setup", choices=list(SETUPS), default="general_input_feeding")
    parser.add_argument("--keep-denormals", action="store_true")
    options = parser.parse_args()
    torch.set_flush_denormal(not options.keep_denormals)
    torch.manual_seed(1)
    trainer = ours.Trainer(ours.build(*SETUPS[options.setup], multi30k.VOCABULARY))
    batches = multi30k.training_batches(min(options.steps, 300), options.sentences)
    read, times, rows = measure.CLOCKS[options.clock], [], []
    for number in range(WARM + options.steps // BLOCK * BLOCK):
        batch = batches[number % len(batches)]
        start = read()
        trainer.step(batch)
        times.append((read() - start) / batch.tokens.numel())
        if number >= WARM and (number - WARM) % BLOCK == BLOCK - 1:
            rows.append(row(number + 1, times, denormals(trainer)))
            print(*rows[-1], flush=True)
    kept = "kept" if options.keep_denormals else "flushed"
    title = (
        f"## Step time over a long training, {options.setup}, denormals {kept}, {options.sentences} sentences a batch"
    )
    measure.report("\n\n".join([title, measure.machine(), f"{options.clock} time.", ""]), options.out)
    measure.results(title, ("steps", "µs a token", "times steps 60 to 160", "denormals"), rows, options.out)


def row(end: int, times: list[float], found: dict[str, int]) -> tuple[str, ...]:
    block, first = (statistics.median(times[start : start + BLOCK]) for start in (end - BLOCK, WARM))
    told = ", ".join(f"{name}: {count:,}" for name, count in found.items()) or "none"
    return f"{end - BLOCK} to {end}", f"{1e6 * block:.0f}", f"{block / first:.2f}", told


def denormals(trainer: ours.Trainer) -> dict[str, int]:
    """How many, by kind of tensor and parameter, where there are any."""
    found = {}
    for name, parameter in trainer.model.named_parameters():
        state = trainer.optimizer.state[parameter]
        tensors = {"parameter": parameter, "gradient": parameter.grad} | {
            key: state[key] for key in ("exp_avg", "exp_avg_sq")
        }
        for kind, tensor in tensors.items():
            count = count_denormals(tensor.detach())
            if count:
                found[f"{kind} of {name}"] = count
    return found


def count_denormals(tensor: torch.Tensor) -> int:
    """By the bits: exponent zero, fraction not; the processor's flushing does not hide them."""
    bits = tensor.view(torch.int32) & 0x7FFFFFFF
    return int(((bits > 0) & (bits < 0x00800000)).sum())


if __name__ == "__main__":
    main()
