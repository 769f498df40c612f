"""Preparing a large corpus: seconds, sentence pairs a second, and the memory of all processes.

    python benchmarks/prepare.py [--pairs 1000000] [--tokenizer bpe] [--out file]

The text is made: words of a Zipf distribution over 200,000 invented ones, 20 a sentence on average. It is prepared
from two plain files as ``dataset=parallel`` would be, then opened again (which must not tokenize). The peak is the sum
over this process and its workers, sampled ten times a second: resident memory without the pages of files that are
mapped, which the system may drop at any time.
"""

import argparse
import shutil
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import measure

from attnlab.data.corpora.parallel import Parallel
from attnlab.data.module import TranslationData
from attnlab.data.tokenizers.bpe import Bpe
from attnlab.data.tokenizers.word import Word

WORDS, MEAN = 200_000, 20
TOKENIZERS = {"bpe": partial(Bpe, vocab_size=32_000), "word": partial(Word, max_size=50_000)}


def main() -> None:
    options = arguments()
    folder = Path(tempfile.mkdtemp(prefix="prepare-"))
    try:
        write(folder, options.pairs)
        rows = [run(folder, options), run(folder, options)]
    finally:
        shutil.rmtree(folder)
    head = f"## Preparing {options.pairs:,} sentence pairs, {options.tokenizer}"
    header = ("run", "seconds", "pairs/s", "peak MiB, all processes", "peak MiB before")
    labelled = [(name, *row) for name, row in zip(("first", "second"), rows, strict=True)]
    measure.report("\n\n".join([head, measure.machine(), ""]), options.out)
    measure.results(head, header, labelled, options.out)


def write(folder: Path, pairs: int) -> None:
    """Two files of invented sentences."""
    random = np.random.default_rng(1)
    letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
    for side in ("en", "de"):
        words = ["".join(letters[random.integers(0, 20, random.integers(2, 9))]) for _ in range(WORDS)]
        with (folder / f"text.{side}").open("w", encoding="utf-8") as file:
            for start in range(0, pairs, 10_000):
                lengths = random.poisson(MEAN, min(10_000, pairs - start)) + 1
                drawn = np.minimum(random.zipf(1.2, lengths.sum()), WORDS) - 1
                for row in np.split(drawn, np.cumsum(lengths)[:-1]):
                    file.write(" ".join(words[number] for number in row) + "\n")


def run(folder: Path, options: argparse.Namespace) -> tuple[str, ...]:
    """Prepare and open; what it took."""
    corpus = Parallel(str(folder), "en", "de", train=["text.en", "text.de"], val_size=1000, test_size=1000)
    data = TranslationData(
        corpus, TOKENIZERS[options.tokenizer], str(folder / "cache"), shared_vocabulary=True,
        batch_size=None, batch_tokens=4096, prepare_processes=options.processes,
    )  # fmt: skip
    with Memory() as memory:
        before, start = memory.now(), time.perf_counter()
        data.prepare_data()
        data.setup("fit")
        seconds = time.perf_counter() - start
    next(iter(data.train_dataloader()))
    return f"{seconds:.1f}", f"{options.pairs / seconds:,.0f}", f"{memory.peak:.0f}", f"{before:.0f}"


class Memory:
    """The highest resident anonymous memory of this process and its children, in MiB (Linux)."""

    def __enter__(self) -> "Memory":
        self.peak, self._stop = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            self.peak = max(self.peak, self.now())

    def now(self) -> float:
        children = Path(f"/proc/self/task/{threading.main_thread().native_id}/children").read_text().split()
        return sum(_anonymous(Path("/proc") / process / "status") for process in ("self", *children)) / 1024


def _anonymous(status: Path) -> int:
    try:
        lines = status.read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon", "RssShmem")))


def arguments() -> argparse.Namespace:
    parser = measure.parser(__doc__)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--tokenizer", choices=list(TOKENIZERS), default="bpe")
    parser.add_argument("--processes", type=int, help="all cores by default")
    return parser.parse_args()


if __name__ == "__main__":
    main()
