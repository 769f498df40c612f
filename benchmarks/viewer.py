"""How long the viewer's page takes to open, and to show something else.

    python benchmarks/viewer.py [--sentences 2000] [--own 300] [--layers 6] [--heads 8] [--words 12] [--out file]

The page of two runs, cross-attention of all sentences and self-attention of the first of them, written as ``attnlab
view`` writes it, in headless Chromium. Lengths spread as those of Multi30k do: 12 words on average, between 3 and 40.
Weights are random (Dirichlet, with the concentration 0.2), so that nothing compresses better than in earnest. A change
is timed from the call until the frame with it has been laid out and painted, most of them each on another sentence.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "analysis"))
import measure
from browser_tab import QUIET, installed

from attnlab.analysis.viewer.collected import Asked, Collected, Look, Viewed, ViewedRun
from attnlab.analysis.viewer.page import render
from attnlab.runs.words import Words

WORDS = Words("sentence", "sentences", "translation", "translations", "word", "source words", "row", "target words")
FLOW = "{ item: N * 7 % OWN, tab: 'flow', beside: 'all', look: 'own source', row: N % 3, way: "
CHANGES = {
    "head": "{ head: N % 8, layer: N % 6, tab: 'map' }",
    "sentence": "{ item: N * 7 % OWN, tab: 'map' }",
    "run": "{ run: N % 2, tab: 'map' }",
    "all heads, one run": "{ item: N * 7 % OWN, tab: 'grid', beside: 'none', look: 'attention' }",
    "all heads, two runs": "{ item: N * 7 % OWN, tab: 'grid', beside: 'all', look: 'attention' }",
    "what heads do": "{ tab: 'summary', beside: N % 2 ? 'all' : 'none' }",
    "rollout, two runs": FLOW + "'rollout' }",
    "maximum flow, two runs": FLOW + "'flow' }",
}
TIMED = """async () => {
  const start = performance.now(), channel = new MessageChannel();
  await set(CHANGE);
  const painted = new Promise(done => { channel.port1.onmessage = done; });
  requestAnimationFrame(() => channel.port2.postMessage(0));
  await painted;
  return performance.now() - start;
}"""


def lengths(rng: np.random.Generator, count: int, mean: int) -> list[int]:
    """A rounded log-normal; between 3 and 40 where the mean is 12."""
    drawn = np.round(rng.lognormal(np.log(mean) - 0.36**2 / 2, 0.36, count))
    return np.clip(drawn, mean / 4, mean * 10 / 3).astype(int).tolist()


def weights(rng: np.random.Generator, *shape: int) -> Any:
    return rng.dirichlet(np.full(shape[-1], 0.2), shape[:-1]).astype(np.float32)


def collected(asked: argparse.Namespace) -> Collected:
    rng = np.random.default_rng(0)
    sizes = list(zip(*(lengths(rng, asked.sentences, asked.words) for _ in range(2)), strict=True))
    items = [Asked(" ".join(f"word{rng.integers(5000)}" for _ in range(source)), "a reference") for source, _ in sizes]
    runs = []
    for name in ("first", "second"):
        lines = []
        for number, (source, target) in enumerate(sizes):
            across, down = items[number].input.split(), [f"wort{rng.integers(5000)}" for _ in range(target)]
            looks = {"attention": Look(weights(rng, asked.layers, asked.heads, target, source), down, across)}
            if number < asked.own:
                looks["own source"] = Look(weights(rng, asked.layers, asked.heads, source, source), across, across)
            lines.append(Viewed(" ".join(down), looks, score=float(rng.random() * 100)))
        runs.append(ViewedRun(name, f"size/{name}", lines))
    return Collected("two runs", items, runs, WORDS, ("source words", "target words"), "chrF", True, ())


def main() -> None:
    parser = measure.parser(__doc__)
    for name, size in {"sentences": 2000, "own": 300, "layers": 6, "heads": 8, "words": 12, "rounds": 15}.items():
        parser.add_argument(f"--{name}", type=int, default=size)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "view.html"
        file.write_text(render(collected(asked)), "utf-8")
        rows = [["size of the file", f"{file.stat().st_size / 1e6:.1f} MB", ""]]
        browser = playwright.chromium.launch(executable_path=installed(), args=list(QUIET))
        opened = []
        for _ in range(5):
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            page.goto(file.as_uri())
            page.wait_for_selector("body[data-ready]")
            opened.append(page.evaluate("performance.now()"))
        rows.append(row("open", opened))
        for name, change in CHANGES.items():
            scripts = [
                TIMED.replace("CHANGE", change.replace("OWN", str(asked.own)).replace("N", str(number)))
                for number in range(asked.rounds + 2)
            ]
            rows.append(row(name, [page.evaluate(script) for script in scripts][2:]))
        version = browser.version
        browser.close()
    what = f"{asked.sentences:,} sentences of {asked.words} words, {asked.own} with self-attention"
    head = [f"{what}; 2 runs of {asked.layers} layers of {asked.heads} heads", "median", "longest"]
    measure.report(f"{measure.machine()}\nChromium {version}\n", asked.out)
    measure.results("The viewer's page", head, rows, asked.out)


def row(name: str, times: list[float]) -> list[str]:
    return [name, f"{statistics.median(times):.0f} ms", f"{max(times):.0f} ms"]


if __name__ == "__main__":
    main()
