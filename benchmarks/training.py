"""Training speed against JoeyNMT, OpenNMT-py and the tutorials' loop: forward, backward, clipping, optimizer.

    python benchmarks/training.py [--precision fp32] [--setups general_input_feeding …] [--rounds 40] [--out file]

Everything runs in one process, batch by batch in turn, on the same batches; run it in the environment that
``benchmarks/peers/setup.sh`` makes. Denormals are flushed to zero for all, or kept for all (``--keep-denormals``).
"""

import argparse
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
import measure
import multi30k
import ours
from peers import joey, opennmt, tutorial

from attnlab.callbacks.gemm_peak import measure as gemm_rate
from attnlab.models.flops import count, moments

PLACES, SCORES = ("input_feeding", "early"), ("general", "additive")
SETUPS = {f"{score}_{place}": (score, place) for place in PLACES for score in SCORES}
Step = Callable[[int], object]


def main() -> None:
    options = arguments()
    torch.set_flush_denormal(not options.keep_denormals)
    torch.manual_seed(1)
    batches = multi30k.training_batches(options.warm + options.rounds)
    kept = "kept" if options.keep_denormals else "flushed"
    batched = f"{options.rounds} batches of 80 sentences after {options.warm} warm ones; {options.clock} time."
    title = f"## Training, {options.precision}, denormals {kept}"
    measure.report("\n\n".join([title, measure.machine(), batched, ""]), options.out)
    rows = [row for name in options.setups for row in compare(name, batches, options)]
    header = ("setup", "system", "tokens/s", "MFLOP a token", "GFLOP/s", "share of peak", "attnlab is … times faster")
    measure.report(measure.table(header, rows) + "\n", options.out)


def compare(name: str, batches: list, options: argparse.Namespace) -> list[tuple[str, ...]]:
    """The rows of one set-up."""
    score, place = SETUPS[name]
    runs, losses = competitors(score, place, batches, options)
    model = ours.build(score, place, multi30k.VOCABULARY)
    used = batches[options.warm :]
    tokens = [batch.tokens.numel() for batch in used]
    work = count(model).of(sum(moments(batch) for batch in used)) / sum(tokens)
    dtype = torch.float32 if options.precision == "fp32" else torch.bfloat16
    peak = gemm_rate(torch.device("cpu"), dtype, 1.0)
    seconds = measure.interleave(runs, options.rounds, options.warm, options.clock)
    peak = max(peak, gemm_rate(torch.device("cpu"), dtype, 1.0))
    found = {system: measure.rates(taken, tokens) for system, taken in seconds.items()}
    best = found["attnlab"]
    rows = []
    for system, rates in found.items():
        rate = statistics.median(rates)
        flops = rate * work
        times = "" if system == "attnlab" else measure.ratio(best, rates)
        share = (f"{work / 1e6:.1f}", f"{flops / 1e9:.0f}", f"{flops / peak:.0%}")
        rows.append((name, system, f"{rate:,.0f}", *share, times))
        print(name, system, f"{rate:,.0f} tokens/s, last loss {losses[system]:.3f}", flush=True)
    rows.append((name, f"GEMM peak, {str(dtype)[6:]}", "", "", f"{peak / 1e9:.0f}", "100%", ""))
    return rows


def competitors(score: str, place: str, batches: list, options: argparse.Namespace) -> tuple[dict[str, Step], dict]:
    """A step of every system on batch ``number``, and the last loss of each."""
    size, feeding, bf16 = multi30k.VOCABULARY, place == "input_feeding", options.precision != "fp32"
    joeys, onmts = [joey.batch_of(b) for b in batches], [opennmt.batch_of(b) for b in batches]
    losses: dict[str, float] = {}

    def run(system: str, step: Callable, inputs: list) -> Step:
        def once(number: int) -> None:
            losses[system] = float(step(inputs[number]))

        return once

    systems = {"attnlab": (ours.Trainer(ours.build(score, place, size), options.precision).step, batches)}
    if bf16:
        systems["attnlab fp32"] = (ours.Trainer(ours.build(score, place, size)).step, batches)
    for autocast in (False, True) if bf16 else (False,):
        label = " autocast" if autocast else ""
        systems[f"JoeyNMT{label}"] = (joey.Trainer(joey.build(score, feeding, size), autocast).step, joeys)
        trainer = opennmt.Trainer(opennmt.build(score, feeding, size), score, feeding, size, autocast)
        systems[f"OpenNMT-py{label}"] = (trainer.step, onmts)
    if not feeding and not bf16:
        systems["tutorial loop"] = (tutorial.Trainer(tutorial.Tutorial(score, size)).step, batches)
    wanted = {name: pair for name, pair in systems.items() if not options.systems or name in options.systems}
    return {name: run(name, *pair) for name, pair in wanted.items()}, losses


def arguments() -> argparse.Namespace:
    parser = measure.timer(__doc__, rounds=40)
    parser.add_argument("--precision", choices=["fp32", "autocast", "bf16_products"], default="fp32")
    parser.add_argument("--setups", nargs="+", choices=list(SETUPS), default=list(SETUPS))
    parser.add_argument("--systems", nargs="+", help="only these, 'attnlab' among them")
    parser.add_argument("--warm", type=int, default=60)
    parser.add_argument("--keep-denormals", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
