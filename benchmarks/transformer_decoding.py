"""Decoding speed of a trained Transformer against CTranslate2 in fp32: greedy and beam 5, sentences a second.

    python benchmarks/transformer_decoding.py --run outputs/… --text data/multi30k/test.en [--beams 1 5] [--mode forced]

The run's own weights decode in both (``attnlab export to=ctranslate2``), the first 1,000 test sentences of the run's
data set in batches of similar length, one after another in turn, one thread each. Scores are log-probabilities without
a length penalty, as the two define theirs otherwise; ``free``: to the end of sentence, where as many hypotheses as the
beam is wide have ended (patience 1) in both; ``forced``: ``--steps`` steps. Equal translations are counted.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))
import ctranslate2
import measure

from attnlab.callbacks.gemm_peak import measure as gemm_rate
from attnlab.cli.app import composed
from attnlab.cli.commands.translate import COMMAND
from attnlab.cli.converting import named, specification
from attnlab.cli.translating import restore
from attnlab.search.beam import Beam
from attnlab.search.greedy import Greedy
from attnlab.tasks.translation.looking import batch_of

LONGEST = 60
Translations = list[list[str]]


def main() -> None:
    options = arguments()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    run = restore(composed(COMMAND, [f"run={options.run}", "device=cpu"]))
    sources = batches_of(run, options)
    pieces = named(run.source), named(run.target)
    with tempfile.TemporaryDirectory() as folder:
        specification(run.model, *pieces).save(folder)
        engine = ctranslate2.Translator(folder, inter_threads=1, intra_threads=1, compute_type="float32")
    peak = gemm_rate(torch.device("cpu"), torch.float32, 1.0) / 1e9
    head = f"## Transformer decoding, fp32, {options.mode} lengths, batches of {options.sentences}"
    told = f"ctranslate2 {ctranslate2.__version__}; {options.clock} time; matrix products at most {peak:.0f} GFLOP/s."
    measure.report("\n\n".join([head, measure.machine(), told, ""]), options.out)
    rows = [row for beam in options.beams for row in compare(run, engine, pieces, sources, beam, options)]
    header = ("beam", "system", "sentences/s", "attnlab is … times faster", "same translations")
    measure.report(measure.table(header, rows) + "\n", options.out)


def batches_of(run: Any, options: argparse.Namespace) -> list[list[list[int]]]:
    """Ids of the sentences, batches of similar length."""
    lines = options.text.read_text("utf-8").splitlines()[: options.lines]
    ids = sorted((found for line in lines if (found := run.source.encode(line))), key=len)
    size = options.sentences
    batches = [ids[start : start + size] for start in range(0, len(ids), size)]
    return batches[:: max(1, len(batches) // options.batches)]


def compare(
    run: Any, engine: Any, pieces: tuple[list[str], list[str]], sources: list[list[list[int]]], beam: int,
    options: argparse.Namespace,
) -> list[tuple[str, ...]]:  # fmt: skip
    found: dict[str, dict[int, Translations]] = {"attnlab": {}, "CTranslate2": {}}
    own = ours(run, pieces[1], sources, beam, options)
    their = theirs(engine, pieces[0], sources, beam, options)

    def keep(name: str, search: Callable[[int], Translations]) -> Callable[[int], None]:
        return lambda number: found[name].update({number % len(sources): search(number % len(sources))})

    runs = {"attnlab": keep("attnlab", own), "CTranslate2": keep("CTranslate2", their)}
    rounds = len(sources) * options.repeats
    with torch.no_grad():
        seconds = measure.interleave(runs, rounds, options.warm, options.clock)
    sizes = [float(len(sources[(n + options.warm) % len(sources)])) for n in range(rounds)]
    rates = {name: measure.rates(taken, sizes) for name, taken in seconds.items()}
    pairs = [
        pair
        for number in found["attnlab"]
        for pair in zip(found["attnlab"][number], found["CTranslate2"][number], strict=True)
    ]
    same = f"{sum(a == b for a, b in pairs)} of {len(pairs)}"
    mine = f"{statistics.median(rates['attnlab']):.0f}", f"{statistics.median(rates['CTranslate2']):.0f}"
    times = measure.ratio(rates["attnlab"], rates["CTranslate2"])
    return [(str(beam), "attnlab", mine[0], "", ""), (str(beam), "CTranslate2", mine[1], times, same)]


def ours(
    run: Any, names: list[str], sources: list[list[list[int]]], beam: int, options: argparse.Namespace
) -> Callable[[int], Translations]:
    least = options.steps - 1 if options.mode == "forced" else 0
    most = options.steps if options.mode == "forced" else LONGEST
    limits: dict[str, Any] = {"min_length": least, "max_length": most, "max_ratio": 1e3}
    search: Any = Greedy(**limits) if beam == 1 else Beam(beam, length_penalty=0.0, patience=1.0, **limits)
    batches = [batch_of([(ids, []) for ids in several], torch.device("cpu")) for several in sources]

    def translate(number: int) -> Translations:
        found = search(run.model, batches[number].source, batches[number].source_mask)
        return [[names[piece] for piece in several[0].tokens] for several in found]

    return translate


def theirs(
    engine: Any, names: list[str], sources: list[list[list[int]]], beam: int, options: argparse.Namespace
) -> Callable[[int], Translations]:
    least = options.steps - 1 if options.mode == "forced" else 0
    most = options.steps if options.mode == "forced" else LONGEST
    texts = [[[names[piece] for piece in ids] for ids in several] for several in sources]

    def translate(number: int) -> Translations:
        found = engine.translate_batch(
            texts[number], beam_size=beam, length_penalty=0, patience=1, min_decoding_length=least,
            max_decoding_length=most, max_batch_size=0,
        )  # fmt: skip
        return [one.hypotheses[0] for one in found]

    return translate


def arguments() -> argparse.Namespace:
    parser = measure.timer(__doc__)
    parser.add_argument("--run", required=True, help="the folder of a trained Transformer")
    parser.add_argument("--text", type=Path, required=True, help="sentences, a line each")
    parser.add_argument("--lines", type=int, default=1000, help="of it")
    parser.add_argument("--beams", nargs="+", type=int, default=[1, 5])
    parser.add_argument("--mode", choices=["free", "forced"], default="free")
    parser.add_argument("--steps", type=int, default=20, help="of a forced translation")
    parser.add_argument("--sentences", type=int, default=64, help="in a batch")
    parser.add_argument("--batches", type=int, default=1000, help="at most, evenly spread")
    parser.add_argument("--repeats", type=int, default=1, help="times through them")
    parser.add_argument("--warm", type=int, default=2, help="batches before the clock counts")
    return parser.parse_args()


if __name__ == "__main__":
    main()
