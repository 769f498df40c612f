"""Decoding speed of a trained Transformer against CTranslate2 (fp32), OpenNMT-py and JoeyNMT: greedy and beam 5.

    python benchmarks/transformer_decoding.py [--run outputs/…] [--text test.en] [--beams 1 5] [--mode forced]

The run's own weights decode in all of them (CTranslate2's by ``attnlab export to=ctranslate2``), the first 1,000
sentences of the text in batches of similar length, one after another in turn, one thread each. Without ``--run`` a
Transformer is trained first (``experiment=multi30k_transformer``, ``--epochs``), and kept under ``.cache``: a model
that has hardly learnt repeats one word, and its search says nothing. The text is Multi30k's test set unless told
otherwise. Scores are log-probabilities without a length penalty, as the systems define theirs otherwise. ``free``: to
the end of sentence; ``forced``: ``--steps`` steps. CTranslate2's beam ends where attnlab's does, once as many
hypotheses as it is wide have ended (patience 1); the peers' have rules of their own. Equal translations are counted;
where some differ, the score by attnlab's model is compared. The share of the peak is that of the products which the
translations need, at the rate of square ones in the same process.

The peers are there in the environment of ``benchmarks/peers/setup.sh``; elsewhere CTranslate2 alone is measured.
JoeyNMT's Transformer keeps no keys and values of earlier words and computes them again at every step: a ratio against
it tells of the cache, not of the search.
"""

import argparse
import gzip
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))
import ctranslate2
import measure
import multi30k
from measure import Number
from searching import Search, Translations, agreement, take_turns

from attnlab.callbacks.gemm_peak import measure as gemm_rate
from attnlab.cli.app import composed
from attnlab.cli.commands.translate import COMMAND
from attnlab.cli.converting import named, specification
from attnlab.cli.translating import restore
from attnlab.models.flops import BACKWARD, count
from attnlab.search.beam import Beam
from attnlab.search.greedy import Greedy
from attnlab.tasks.translation.looking import batch_of
from attnlab.types import Batch

LONGEST = 60
PEERS = {"OpenNMT-py": "onmt", "JoeyNMT": "joeynmt"}
SYSTEMS = ("CTranslate2", *PEERS)
TEXT = Path(os.environ.get("ATTNLAB_DATA", multi30k.ROOT / "data")) / "multi30k" / "test_2016_flickr.en.gz"


def main() -> None:
    options = arguments()
    folder = options.run or trained(options.epochs)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    run = restore(composed(COMMAND, [f"run={folder}", "device=cpu"]))
    batches = batches_of(run, options)
    head = f"## Transformer decoding, fp32, {options.mode} lengths, batches of {options.sentences}"
    told = f"{options.clock} time."
    absent = [name for name, package in PEERS.items() if name in options.systems and not importable(package)]
    if absent:
        told += f" Not here: {', '.join(absent)} (benchmarks/peers/setup.sh makes an environment that has them)."
    options.systems = [name for name in options.systems if name not in absent]
    measure.report("\n\n".join([head, measure.machine(), told, ""]), options.out)
    peaks, found = [gemm()], []
    for beam in options.beams:  # others on the machine can only make a peak look lower
        found += compare(run, batches, beam, options)
        peaks.append(gemm())
    rows = [(*row[:3], Number(flops / max(peaks), ".0%"), *row[3:]) for flops, row in found]
    header = ("beam", "system", "sentences/s", "share of peak", "attnlab is … times faster", "same translations")
    measure.results(head, header, rows, options.out)
    measure.report(f"The peak: {max(peaks) / 1e9:.0f} GFLOP/s.\n", options.out)
    if "JoeyNMT" in options.systems:
        measure.report(
            "JoeyNMT computes all earlier words again at every step: its ratio is that of a cache.\n", options.out
        )


def gemm() -> float:
    """FLOPs a second of large square products."""
    return gemm_rate(torch.device("cpu"), torch.float32, 2.0)


def importable(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def trained(epochs: int) -> Path:
    """``experiment=multi30k_transformer``, pre-norm, after so many epochs; trained unless it is there."""
    folder = multi30k.ROOT / ".cache" / f"transformer_{epochs}_epochs"
    if not (folder / "finished.json").is_file():
        print(f"training a Transformer for {epochs} epochs: some minutes of one core each", file=sys.stderr, flush=True)
        words = ["experiment=multi30k_transformer", f"trainer.max_epochs={epochs}", "logger=none"]
        words += ["encoder.layer.norm=pre", "decoder.layer.norm=pre"]
        words += [f"trainer.check_val_every_n_epoch={epochs}", f"hydra.run.dir={folder}"]
        subprocess.run([sys.executable, Path(__file__).parents[1] / "train.py", *words], check=True)
    return folder


def batches_of(run: Any, options: argparse.Namespace) -> list[Batch]:
    """Sentences of similar length."""
    opened = gzip.open if options.text.suffix == ".gz" else open
    with opened(options.text, "rt", encoding="utf-8") as file:
        lines = file.read().splitlines()[: options.lines]
    ids = sorted((found for line in lines if (found := run.source.encode(line))), key=len)
    size = options.sentences
    parts = [ids[start : start + size] for start in range(0, len(ids), size)]
    parts = parts[:: max(1, len(parts) // options.batches)]
    return [batch_of([(sentence, []) for sentence in part], torch.device("cpu")) for part in parts]


def compare(
    run: Any, batches: list[Batch], beam: int, options: argparse.Namespace
) -> list[tuple[float, tuple[measure.Cell, ...]]]:
    """A row a system, attnlab first, and before it the FLOPs of its products in a second."""
    made = {"CTranslate2": engine, "OpenNMT-py": opennmt, "JoeyNMT": joeynmt}
    searches = {"attnlab": own(run, batches, beam, options)}
    searches |= {name: made[name](run, batches, beam, options) for name in options.systems}
    found = take_turns(searches, batches, options)
    rates = {name: one.rates for name, one in found.items()}
    rows: list[tuple[float, tuple[measure.Cell, ...]]] = []
    needed = work(run.model, batches, found["attnlab"].translations, beam)
    for name in searches:
        more = ("", "")
        if name != "attnlab":
            same = agreement(run.model, batches, found["attnlab"], found[name], 0.0)
            more = (measure.ratio(rates["attnlab"], rates[name]), same)
        rate = statistics.median(rates[name])
        rows.append((rate * needed, (str(beam), name, Number(rate, ".0f"), *more)))
        print(*rows[-1][1], flush=True)
    return rows


def work(model: Any, batches: list[Batch], found: dict[int, Translations], beam: int) -> float:
    """FLOPs of the products that a sentence needs: the encoder's once, the decoder's for every word and hypothesis."""
    each = [
        (float(source), len(tokens) + 1.0)
        for number, translations in found.items()
        for source, tokens in zip(batches[number].source_mask.sum(1), translations, strict=True)
    ]
    _, s, t, st, ss, tt = (count(model).coefficients / (1 + BACKWARD)).tolist()
    sentences = [s * S + ss * S**2 + beam * (t * T + st * S * T + tt * T**2) for S, T in each]
    return statistics.mean(sentences)


def limits(options: argparse.Namespace) -> tuple[int, int]:
    """Least and most words of a translation, its end not counted."""
    return (options.steps - 1, options.steps) if options.mode == "forced" else (0, LONGEST)


def own(run: Any, batches: list[Batch], beam: int, options: argparse.Namespace) -> Search:
    least, most = limits(options)
    bounds: dict[str, Any] = {"min_length": least, "max_length": most, "max_ratio": 1e3}
    search: Any = Greedy(**bounds) if beam == 1 else Beam(beam, length_penalty=0.0, patience=1.0, **bounds)

    def translate(number: int) -> Any:
        return search(run.model, batches[number].source, batches[number].source_mask)

    return Search(translate, lambda found: [several[0].tokens for several in found])


def engine(run: Any, batches: list[Batch], beam: int, options: argparse.Namespace) -> Search:
    """CTranslate2."""
    source, target = named(run.source), named(run.target)
    with tempfile.TemporaryDirectory() as folder:
        specification(run.model, source, target).save(folder)
        translator = ctranslate2.Translator(folder, inter_threads=1, intra_threads=1, compute_type="float32")
    least, most = limits(options)
    texts = [
        [[source[piece] for piece in ids[real]] for ids, real in zip(batch.source, batch.source_mask, strict=True)]
        for batch in batches
    ]
    ids = {piece: number for number, piece in enumerate(target)}

    def translate(number: int) -> Any:
        return translator.translate_batch(
            texts[number], beam_size=beam, length_penalty=0, patience=1, min_decoding_length=least,
            max_decoding_length=most, max_batch_size=0,
        )  # fmt: skip

    return Search(translate, lambda found: [[ids[piece] for piece in one.hypotheses[0]] for one in found])


def opennmt(run: Any, batches: list[Batch], beam: int, options: argparse.Namespace) -> Search:
    from peers import opennmt as peer

    search = peer.Search(peer.transformer(run.model), run.model.output.out_features, beam, 0.0)
    search = partial(search, steps=limits(options)[1], forced=options.mode == "forced")
    return searching(search, peer, batches)


def joeynmt(run: Any, batches: list[Batch], beam: int, options: argparse.Namespace) -> Search:
    from peers import joey as peer

    model = peer.transformer(run.model).eval()
    forced = options.mode == "forced"
    search = partial(peer.translate, model, beam=beam, steps=limits(options)[1], forced=forced, alpha=-1)
    return searching(search, peer, batches)


def searching(search: Callable[[Any], Translations], peer: Any, batches: list[Batch]) -> Search:
    """Over a peer's own batches, which are made before the clock starts."""
    given = [peer.batch_of(batch, train=False) for batch in batches]
    return Search(lambda number: search(given[number]))


def arguments() -> argparse.Namespace:
    parser = measure.timer(__doc__)
    parser.add_argument("--run", type=Path, help="the folder of a trained Transformer; one is trained if none is named")
    parser.add_argument("--epochs", type=int, default=4, help="of the one that is trained")
    parser.add_argument("--text", type=Path, default=TEXT, help="sentences, a line each; plain or .gz")
    parser.add_argument("--lines", type=int, default=1000, help="of it")
    parser.add_argument("--beams", nargs="+", type=int, default=[1, 5])
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), help="beside attnlab")
    parser.add_argument("--mode", choices=["free", "forced"], default="free")
    parser.add_argument("--steps", type=int, default=20, help="of a forced translation")
    parser.add_argument("--sentences", type=int, default=64, help="in a batch")
    parser.add_argument("--batches", type=int, default=1000, help="at most, evenly spread")
    parser.add_argument("--repeats", type=int, default=1, help="times through them")
    parser.add_argument("--warm", type=int, default=2, help="batches before the clock counts")
    return parser.parse_args()


if __name__ == "__main__":
    main()
