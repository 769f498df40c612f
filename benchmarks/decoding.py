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
from peers import joey, opennmt, tutorial

from attnlab.models.seq2seq import Seq2Seq
from attnlab.search.beam import Beam
from attnlab.search.greedy import Greedy
from attnlab.search.penalties import length_penalty
from attnlab.types import EOS, Batch

LONGEST, ALPHA = 60, 1.0
Translations = list[list[int]]
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
    measure.report(measure.table(header, rows) + "\n", options.out)


def compare(score: str, beam: int, batches: list[Batch], options: argparse.Namespace) -> list[tuple[str, ...]]:
    """Each peer beside attnlab with the peer's weights."""
    rows = []
    forced, steps = options.mode == "forced", options.steps if options.mode == "forced" else LONGEST
    for peer, (their, model) in peers(score, beam, batches, forced, steps, options).items():
        found: dict[str, dict[int, Translations]] = {"attnlab": {}, peer: {}}
        mine = searcher(model, beam, batches, forced, steps)

        def keep(name: str, run: Callable[[int], Translations], into: dict = found) -> Callable[[int], None]:
            return lambda number: into[name].update({number % len(batches): run(number % len(batches))})

        runs = {"attnlab": keep("attnlab", mine), peer: keep(peer, their)}
        with torch.no_grad():
            seconds = measure.interleave(runs, len(batches) * options.repeats, options.warm, options.clock)
        sizes = [len(batches[(n + options.warm) % len(batches)].index) for n in range(len(batches) * options.repeats)]
        rates = {name: measure.rates(taken, sizes) for name, taken in seconds.items()}
        same = "" if forced else agreement(model, batches, found["attnlab"], found[peer])
        rows.append((score, str(beam), "attnlab", f"{statistics.median(rates['attnlab']):.0f}", "", ""))
        times = measure.ratio(rates["attnlab"], rates[peer])
        rows.append((score, str(beam), peer, f"{statistics.median(rates[peer]):.0f}", times, same))
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
    joeys, onmts = [joey.batch_of(b, train=False) for b in batches], [opennmt.batch_of(b) for b in batches]
    model = trained(score, "zeros", options.train)
    theirs = joey.build(score, True, size, init_hidden="zero").eval()
    joey.copy_weights(model, theirs)
    found: dict[str, System] = {
        "JoeyNMT": (lambda n: joey.translate(theirs, joeys[n], beam, steps, forced, ALPHA if beam > 1 else -1), model)
    }
    if score == "general" or forced:
        onmt = opennmt.build(score, True, size)
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


@torch.no_grad()
def agreement(model: Seq2Seq, batches: list[Batch], a: dict[int, Translations], b: dict[int, Translations]) -> str:
    """Share of equal translations; where they differ, whose has the higher model score."""
    equal = total = higher = lower = 0
    for number, batch in enumerate(batches):
        if number not in a or number not in b:
            continue
        for row, (x, y) in enumerate(zip(a[number], b[number], strict=True)):
            total += 1
            if x == y:
                equal += 1
                continue
            difference = score_of(model, batch, row, x) - score_of(model, batch, row, y)
            higher += difference > 1e-4
            lower += difference < -1e-4
    ties = total - equal - higher - lower
    return f"{equal} of {total}; else attnlab scores higher {higher}, equal {ties}, lower {lower}"


def score_of(model: Seq2Seq, batch: Batch, row: int, tokens: list[int]) -> float:
    """log P / lp, as both searches rank."""
    ids = [*tokens, EOS]
    memory, state = model.decoder.initial_state(
        model.encode(batch.source[row : row + 1], batch.source_mask[row : row + 1])
    )
    inputs = torch.tensor([[2, *tokens]])
    log_probs = model.logits(model.decode(inputs, memory, state).features)[0].log_softmax(-1)
    return float(log_probs[range(len(ids)), ids].sum()) / length_penalty(float(len(ids)), ALPHA)


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
