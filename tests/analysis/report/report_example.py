"""A comparison made up for the tests of the report: any number of configurations and seeds, awkward texts."""

import json
from pathlib import Path

import numpy as np

from attnlab.analysis.comparison import (
    Bin,
    Breakdown,
    Comparison,
    Contrast,
    Estimate,
    Pair,
    Row,
    SeedTest,
    SentenceDifference,
    SentenceTest,
)
from attnlab.analysis.groups import Configuration, Difference
from attnlab.analysis.runs import Item, Run
from attnlab.metrics.quantities import costs
from attnlab.metrics.quantities.aer import AER
from attnlab.metrics.quantities.bleu import BLEU

# What would break a page that forgets to escape, or to care for scripts other than Latin.
AWKWARD = "</script><script>window.broken = 1</script><img src=x onerror=window.broken=1> & \"quoted\" 'too' {{ 7*7 }}"
ARABIC = ["قرأ", "الولد", "الكتاب", "الجديد", "أمس", "."]
JAPANESE = ["彼", "は", "昨日", "新しい", "本", "を", "買い", "ました", "。"]
LONG = [f"word{number}" for number in range(39)] + ["Donaudampfschifffahrtsgesellschaftskapitän"]
SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"


def example(folder: Path, names: list[str], seeds: int = 3, awkward: bool = True, level: float = 0.05) -> Comparison:
    """Configurations that get better by name, the first one the baseline and without attention."""
    random = np.random.default_rng(0)
    configurations = tuple(
        Configuration(name, tuple(run(folder, name, number, seed, random) for seed in range(1, seeds + 1)))
        for number, name in enumerate(names)
    )
    pairs = tuple(pair(item, configurations[0]) for item in configurations[1:])
    every = tuple(pair(a, b) for number, a in enumerate(configurations) for b in configurations[:number])
    return Comparison(
        command=f"python compare.py runs={folder} split=test",
        folder=folder,
        split="test",
        splits=("test", "test_long"),
        quantities={"bleu": BLEU, "aer": AER},
        costs={cost.key(): cost for cost in (costs.PARAMETERS, costs.TRAINING_SPEED)},
        metric="bleu",
        baseline=names[0],
        level=level,
        configurations=configurations,
        differences=(
            Difference("attention", {name: name for name in names}),
            Difference("decoder.size", {name: str(number % 2) for number, name in enumerate(names)}),
            *([Difference("note", dict.fromkeys(names[:1], AWKWARD))] if awkward else []),
        ),
        rows={split: rows(configurations, split) for split in ("test", "test_long")},
        against_baseline=pairs,
        all_pairs=every,
        by_length=breakdown(configurations, "bleu", "source words", [1, 6, 11, 16, 21, 31], random),
        by_frequency=breakdown(configurations, "f1", "occurrences in the training targets", [0, 1, 10, 100], random),
        contrasts=tuple(
            contrast(a, b, awkward)
            for a, b in [
                *zip(configurations[2:3], configurations[1:2], strict=False),
                *((item, configurations[0]) for item in configurations[1:]),
            ]
        ),
        signatures={"bleu": SIGNATURE, "chrf": "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0"},
        unequal=(),
        notes=("one note", AWKWARD) if awkward else ("With one seed nothing can be said of configurations.",),
    )


def run(folder: Path, name: str, number: int, seed: int, random: np.random.Generator) -> Run:
    place = folder / f"{number}_seed_{seed}"
    (place / "attention").mkdir(parents=True)
    sentences = (Item("a b", "c d", "e f", {}),) * 40
    if number:
        shown = [(ARABIC, JAPANESE), (LONG, LONG), (["<b>one</b>"], ['"&lt;'])]
        arrays: dict[str, np.ndarray] = {"sentences": np.arange(len(shown))}
        for index, (source, target) in enumerate(shown):
            sharp = random.dirichlet(np.full(len(source), 0.1), len(target))
            arrays |= {f"weights_{index}": sharp, f"source_tokens_{index}": np.array(source),
                       f"target_tokens_{index}": np.array(target)}  # fmt: skip
        np.savez(place / "attention" / "maps.npz", allow_pickle=False, **arrays)
    final = 50.0 + 40 * (number > 0) + number / 4 + float(random.normal(0, 0.8))
    with (place / "history.jsonl").open("w", encoding="utf-8") as file:
        for step in range(100, 1700, 100):
            value = final * (1 - np.exp(-step / (300 + 20 * number)))
            print(
                json.dumps({"step": step, "epoch": 0, "seconds": step / (20 - number / 2), "val/bleu": value}),
                file=file,
            )
    metrics = {
        "test/bleu": final, "test_long/bleu": final / 2, "params": 600_000 + 50_000 * number,
        "train/target_tokens_per_second": 9000 - 300 * number + float(random.normal(0, 90)), "device": "cpu",
        "version/torch": "2.13.0", "version/attnlab": "0.1.0", "seed": seed,
    }  # fmt: skip
    config = {"dataset": {"source_language": "ar", "target_language": "ja"}}
    overrides = (f"attention={name}", f"seed={seed}")
    return Run(place, metrics, config, overrides, {"attention": name}, {"test": sentences, "test_long": sentences})


def rows(configurations: tuple[Configuration, ...], split: str) -> tuple[Row, ...]:
    made = [
        Row(
            item.name, split, len(item.runs),
            {"bleu": estimate(item, f"{split}/bleu", 1.2), "aer": Estimate(0.1, None, None, None, (0.1,), "")},
            {key: estimate(item, key, None) for key in ("params", "train/target_tokens_per_second")},
        )
        for item in configurations
    ]  # fmt: skip
    return tuple(sorted(made, key=lambda row: -row.scores["bleu"].mean))


def estimate(item: Configuration, key: str, margin: float | None) -> Estimate:
    values = tuple(float(run.metrics[key] or 0) for run in item.runs)
    mean, std = float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None
    if margin is None:
        return Estimate(mean, std, None, None, values, "")
    return Estimate(mean, std, mean - margin, mean + margin, values, "seeds and sentences" if std else "sentences")


def pair(a: Configuration, b: Configuration) -> Pair:
    first, second = estimate(a, "test/bleu", 1.0), estimate(b, "test/bleu", 1.0)
    difference = first.mean - second.mean
    several = len(a.runs) > 1
    tests = tuple(
        SentenceTest(kind, x, y, float(x.metrics["test/bleu"]), float(y.metrics["test/bleu"]), 0.001, 0.0123,
                     0.001, 40, 2.0**-39)
        for kind in ("bs", "ar") for x, y in zip(a.runs, b.runs, strict=True)
    )  # fmt: skip
    return Pair(
        a.name, b.name, a.runs, b.runs, difference, difference - 2, difference + 2,
        "seeds and sentences" if several else "sentences",
        1.5 if several else None, 0.6, 0.2, SeedTest(1.1, 3.4, difference, 0.0004, 0.04) if several else None, tests,
        f"{a.name} is better than {b.name}." if several else "One seed each: nothing is known of seeds.",
    )  # fmt: skip


def breakdown(
    configurations: tuple[Configuration, ...], score: str, unit: str, edges: list[int], random: np.random.Generator
) -> Breakdown:
    highs = [edge - 1 for edge in edges[1:]] + [None]
    bins = tuple(Bin(low, high, 40 * (index + 1)) for index, (low, high) in enumerate(zip(edges, highs, strict=True)))
    values: dict[str, tuple[Estimate | None, ...]] = {}
    for number, item in enumerate(configurations):
        slope = 16 if number == 0 else 3 + number / 5
        rows = [95 - slope * index + random.normal(0, 1.5, len(item.runs)) for index in range(len(bins))]
        values[item.name] = tuple(
            None
            if index == 0 and number == 1
            else Estimate(float(row.mean()), None, None, None, tuple(map(float, row)), "")
            for index, row in enumerate(rows)
        )
    return Breakdown(score, unit, ("test", "test_long"), bins, values)


def contrast(a: Configuration, b: Configuration, awkward: bool) -> Contrast:
    found = [
        SentenceDifference(0, " ".join(ARABIC), "".join(JAPANESE), "".join(JAPANESE[:6]), "本。", 88.0, 12.0),
        SentenceDifference(1, " ".join(LONG), " ".join(LONG), " ".join(LONG[:30]), " ".join(LONG[:7]), 70.0, 20.0),
    ]
    odd = SentenceDifference(2, AWKWARD if awkward else "a", "b", "", AWKWARD if awkward else "c", 0.0, 40.0)
    return Contrast(a.name, b.name, a.runs[0], b.runs[0], tuple(found), (odd,))
