"""Training speed against JoeyNMT, OpenNMT-py and the tutorials' loop: forward, backward, clipping, optimizer.

    python benchmarks/training.py [--precision fp32] [--setups general_input_feeding …] [--rounds 40] [--out file]

Everything runs in one process, batch by batch in turn, on the same batches; run it in the environment that
``benchmarks/peers/setup.sh`` makes. Denormals are flushed to zero for all, or kept for all (``--keep-denormals``).

Recurrent set-ups (80 sentences a batch) start from weights of each system's own; Transformers (2,048 tokens a batch)
from attnlab's, copied, so that the first losses of all systems must agree to a relative 1e-4 (``EQUAL``): else
nothing is timed.
"""

import argparse
import statistics
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))
import measure
import multi30k
import ours
from measure import Number
from peers import joey, opennmt, tutorial
from setups import RECURRENT, SETUPS, TRANSFORMERS, batches_of, built

from attnlab.callbacks.gemm_peak import measure as gemm_rate
from attnlab.models.flops import count, moments
from attnlab.models.seq2seq import Seq2Seq
from attnlab.types import Batch

#: How far the first losses may be apart, relative to attnlab's.
EQUAL = {"fp32": 1e-4, "autocast": 5e-3, "bf16_products": 5e-3}
#: What the project promises; set on an Intel Xeon, see results/training.md. Nothing of Transformers.
FLOORS = {
    ("general_input_feeding", "JoeyNMT"): 1.45,
    ("additive_input_feeding", "JoeyNMT"): 1.45,
    ("general_input_feeding", "OpenNMT-py"): 1.25,
    ("additive_input_feeding", "OpenNMT-py"): 1.45,
    ("general_early", "JoeyNMT"): 1.5,
    ("additive_early", "JoeyNMT"): 1.5,
}
Step = Callable[[int], float]
Row = tuple[measure.Cell, ...]


class UnequalModelsError(Exception):
    """Systems that should start from the same weights have different first losses."""


def main() -> None:
    options = arguments()
    torch.set_flush_denormal(not options.keep_denormals)
    kept = "kept" if options.keep_denormals else "flushed"
    batched = f"{options.rounds} batches after {options.warm} warm ones; {options.clock} time."
    title = f"## Training, {options.precision}, denormals {kept}"
    measure.report("\n\n".join([title, measure.machine(), batched, ""]), options.out)
    rows, notes, unequal = [], [], []
    for name in options.setups:
        try:
            found, note = compare(name, options)
        except UnequalModelsError as error:
            unequal.append(str(error))
            continue
        rows += found
        notes += note
    header = ("setup", "system", "tokens/s", "MFLOP a token", "GFLOP/s", "share of peak", "attnlab is … times faster")
    measure.results(title, header, rows, options.out)
    if notes or unequal:
        measure.report("\n".join([*notes, *unequal, ""]), options.out)
    if unequal:
        raise SystemExit(1)


def compare(name: str, options: argparse.Namespace) -> tuple[list[Row], list[str]]:
    """The rows of one set-up, and what else there is to say of it."""
    torch.manual_seed(1)
    batches = batches_of(name, 1 + options.warm + options.rounds)
    runs = competitors(name, batches, options)
    first = {system: run(0) for system, run in runs.items()}
    notes = [equal(name, first, EQUAL[options.precision])] if name in TRANSFORMERS else []
    used = batches[1 + options.warm :]
    tokens = [batch.tokens.numel() for batch in used]
    work = count(built(name)).of(sum(moments(batch) for batch in used)) / sum(tokens)
    dtype = torch.float32 if options.precision == "fp32" else torch.bfloat16
    peak = gemm_rate(torch.device("cpu"), dtype, 1.0)
    timed = {system: lambda number, run=run: run(1 + number) for system, run in runs.items()}
    seconds = measure.interleave(timed, options.rounds, options.warm, options.clock)
    peak = max(peak, gemm_rate(torch.device("cpu"), dtype, 1.0))
    found = {system: measure.rates(taken, tokens) for system, taken in seconds.items()}
    rows: list[Row] = []
    for system, rates in found.items():
        rate = statistics.median(rates)
        flops = rate * work
        own = system == "attnlab"
        times = "" if own else measure.ratio(found["attnlab"], rates, FLOORS.get((name, system)))
        share = Number(work / 1e6, ".1f"), Number(flops / 1e9, ".0f"), Number(flops / peak, ".0%")
        rows.append((name, system, Number(rate, ",.0f"), *share, times))
        print(name, system, f"{rate:,.0f} tokens/s", times, flush=True)
    rows.append((name, f"GEMM peak, {str(dtype)[6:]}", "", "", Number(peak / 1e9, ".0f"), "100%", ""))
    return rows, notes


def equal(name: str, losses: dict[str, float], tolerance: float) -> str:
    """The first losses in words.

    Raises:
        UnequalModelsError: they are not those of one model.
    """
    told = f"{name}: first loss " + ", ".join(f"{loss:.6f} ({system})" for system, loss in losses.items())
    own = losses["attnlab"]
    if any(abs(loss - own) > tolerance * own for loss in losses.values()):
        raise SystemExit(
            f"{told}: not equal to a relative {tolerance:g}, so these are different models: nothing is timed."
        )
    return f"{told}: equal to a relative {tolerance:g}."


def competitors(name: str, batches: list[Batch], options: argparse.Namespace) -> dict[str, Step]:
    """A step of every system on batch ``number``, which gives its loss."""
    model, bf16 = built(name), options.precision != "fp32"
    joeys, onmts = [joey.batch_of(b) for b in batches], [opennmt.batch_of(b) for b in batches]
    systems: dict[str, tuple[Callable[[Any], Any], list]] = {}
    for autocast in (False, True) if bf16 else (False,):
        label = " autocast" if autocast else ""
        theirs, (other, options_of_other) = peers(name, model)
        systems[f"JoeyNMT{label}"] = (joey.Trainer(theirs, autocast).step, joeys)
        trainer = opennmt.Trainer(other, options_of_other, multi30k.VOCABULARY, autocast)
        systems[f"OpenNMT-py{label}"] = (trainer.step, onmts)
    if name.endswith("early") and not bf16:
        loop = tutorial.Tutorial(RECURRENT[name][0], multi30k.VOCABULARY)
        systems["tutorial loop"] = (tutorial.Trainer(loop).step, batches)
    own = {"attnlab": (ours.Trainer(model, options.precision).step, batches)}
    if bf16:
        own["attnlab fp32"] = (ours.Trainer(deepcopy(model)).step, batches)
    wanted = {key: pair for key, pair in (own | systems).items() if not options.systems or key in options.systems}
    return {
        key: lambda number, step=step, given=given: float(step(given[number])) for key, (step, given) in wanted.items()
    }


def peers(name: str, model: Seq2Seq) -> tuple[Any, tuple[Any, argparse.Namespace]]:
    """JoeyNMT's model; OpenNMT-py's and its options. A Transformer has attnlab's weights."""
    if name in TRANSFORMERS:
        return joey.transformer(model), (opennmt.transformer(model), opennmt.transformer_options(model))
    score, place = RECURRENT[name]
    feeding, opt = place == "input_feeding", opennmt.options(score, place == "input_feeding")
    return joey.build(score, feeding, multi30k.VOCABULARY), (opennmt.build(opt, multi30k.VOCABULARY), opt)


def arguments() -> argparse.Namespace:
    parser = measure.timer(__doc__, rounds=40)
    parser.add_argument("--precision", choices=["fp32", "autocast", "bf16_products"], default="fp32")
    parser.add_argument("--setups", nargs="+", choices=SETUPS, default=list(SETUPS))
    parser.add_argument("--systems", nargs="+", help="only these, 'attnlab' among them")
    parser.add_argument("--warm", type=int, default=60)
    parser.add_argument("--keep-denormals", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
