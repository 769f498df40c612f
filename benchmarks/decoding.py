"""Decoding speed against JoeyNMT and OpenNMT-py: greedy and beam 5, sentences a second, the same weights.

    python benchmarks/decoding.py [--beams 1 5] [--mode free|forced] [--order sorted|file] [--out file]

attnlab's model is trained for a few hundred steps first (kept under ``.cache``), so that translations end where they
should; its weights are then copied into the peers' models, which compute the same equations: JoeyNMT with both
attentions (first state of zeros, no output bias), OpenNMT-py with general attention (first state the encoder's last;
its ``mlp`` has a bias and no tanh, so there it runs on weights of its own, forced to the same lengths).
``free``: all search to the end of sentence; ``forced``: all take exactly ``--steps`` steps. Batches of 64, one after
another in turn; ``sorted`` batches hold sentences of similar length.
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
from measure import Number
from peers import joey, opennmt, tutorial
from searching import Search, Translations, agreement, take_turns

from attnlab.models.seq2seq import Seq2Seq
from attnlab.search.beam import Beam
from attnlab.search.greedy import Greedy
from attnlab.types import Batch

LONGEST, ALPHA = 60, 1.0
System = tuple[Callable[[int], Translations], Seq2Seq | None]


def main() -> None:
    options = arguments()
    torch.set_flush_denormal(True)
    batches = multi30k.test_batches(options.sentences, options.order)
    batches = batches[:: max(1, len(batches) // options.batches)]
    head = f"## Decoding, fp32, {options.mode} lengths, batches of {options.sentences}, {options.order}"
    measure.report("\n\n".join([head, measure.machine(), f"{options.clock} time.", ""]), options.out)
    rows = [row for score in options.scores for beam in options.beams for row in compare(score, beam, batches, options)]
    header = ("attention", "beam", "system", "sentences/s", "attnlab is … times faster", "same translations")
    measure.results(head, header, rows, options.out)


def compare(score: str, beam: int, batches: list[Batch], options: argparse.Namespace) -> list[tuple[measure.Cell, ...]]:
    """Each peer beside attnlab with the peer's weights."""
    rows: list[tuple[measure.Cell, ...]] = []
    forced, steps = options.mode == "forced", options.steps if options.mode == "forced" else LONGEST
    for peer, (their, model) in peers(score, beam, batches, forced, steps, options).items():
        mine = searcher(model, beam, batches, forced, steps)
        found = take_turns({"attnlab": Search(mine), peer: Search(their)}, batches, options)
        rates = {name: one.rates for name, one in found.items()}
        shown = {name: Number(statistics.median(each), ".0f") for name, each in rates.items()}
        same = "" if forced else agreement(model, batches, found["attnlab"], found[peer], ALPHA)
        rows.append((score, str(beam), "attnlab", shown["attnlab"], "", ""))
        rows.append((score, str(beam), peer, shown[peer], measure.ratio(rates["attnlab"], rates[peer]), same))
        print(*rows[-1], flush=True)
    return rows


def searcher(
    model: Seq2Seq, beam: int, batches: list[Batch], forced: bool, steps: int
) -> Callable[[int], Translations]:
    limits = {"min_length": steps - 1 if forced else 0, "max_length": steps, "max_ratio": 1e3}
    search = Greedy(**limits) if beam == 1 else Beam(beam, length_penalty=ALPHA, **limits)
    model.eval()
    return lambda n: [best[0].tokens for best in search(model, batches[n].source, batches[n].source_mask)]


def peers(
    score: str, beam: int, batches: list[Batch], forced: bool, steps: int, options: argparse.Namespace
) -> dict[str, System]:
    """Search of each peer on batch ``number``, and attnlab's model with the same weights."""
    size = multi30k.VOCABULARY
    joeys, onmts = ([peer.batch_of(batch, train=False) for batch in batches] for peer in (joey, opennmt))
    model = trained(score, "zeros", options.train)
    theirs = joey.build(score, True, size, init_hidden="zero").eval()
    joey.copy_weights(model, theirs)
    found: dict[str, System] = {
        "JoeyNMT": (lambda n: joey.translate(theirs, joeys[n], beam, steps, forced, ALPHA if beam > 1 else -1), model)
    }
    if score == "general" or forced:
        onmt = opennmt.build(opennmt.options(score, True), size)
        last = trained(score, "last", options.train) if score == "general" else model
        if score == "general":
            opennmt.copy_weights(last, onmt)
        search = opennmt.Search(onmt, size, beam, ALPHA if beam > 1 else 0.0)
        found["OpenNMT-py"] = (lambda n: search(onmts[n], steps, forced), last)
    if forced and beam == 1:
        loop = tutorial.Tutorial(score, size).eval()
        found["tutorial loop"] = (lambda n: tutorial.translate(loop, batches[n], steps), model)
    return {name: system for name, system in found.items() if not options.systems or name in options.systems}


def trained(score: str, bridge: str, steps: int) -> Seq2Seq:
    """A model after so many training steps, its output bias kept at zero."""
    torch.manual_seed(1)
    model = ours.build(score, "input_feeding", multi30k.VOCABULARY, f"bridge={bridge}")
    torch.nn.init.zeros_(model.output.bias)
    file = multi30k.ROOT / ".cache" / f"decoding_{score}_{bridge}_{steps}.pt"
    if file.exists():
        model.load_state_dict(torch.load(file, weights_only=True))
        return model
    model.output.bias.requires_grad_(False)
    trainer = ours.Trainer(model)
    trainer.optimizer.param_groups[0]["lr"] = 2e-3
    for number, batch in enumerate(multi30k.training_batches(steps)):
        loss = float(trainer.step(batch))
        if number % 20 == 0:
            print(f"training {file.stem}: {number} of {steps}, loss {loss:.2f}", file=sys.stderr, flush=True)
    torch.save(model.state_dict(), file)
    return model


def arguments() -> argparse.Namespace:
    parser = measure.timer(__doc__)
    parser.add_argument("--scores", nargs="+", choices=["general", "additive"], default=["general", "additive"])
    parser.add_argument("--beams", nargs="+", type=int, default=[1, 5])
    parser.add_argument("--mode", choices=["free", "forced"], default="free")
    parser.add_argument("--steps", type=int, default=20, help="of a forced translation")
    parser.add_argument("--order", choices=["sorted", "file"], default="sorted")
    parser.add_argument("--sentences", type=int, default=64, help="in a batch")
    parser.add_argument("--batches", type=int, default=1000, help="of the test set at most, evenly spread")
    parser.add_argument("--train", type=int, default=300, help="steps before decoding")
    parser.add_argument("--systems", nargs="+", help="only these peers")
    parser.add_argument("--repeats", type=int, default=1, help="times through the test set")
    parser.add_argument("--warm", type=int, default=4, help="batches before the clock counts")
    return parser.parse_args()


if __name__ == "__main__":
    main()
