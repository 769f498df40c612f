"""Run folders of classifiers, written by hand: texts that are found with some probability, scored from their lines."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from attnlab.metrics.quantities import costs
from attnlab.runs.schema import described
from attnlab.runs.words import Words
from attnlab.tasks.classification import VALIDATED

CLASSES = ("bad", "good", "fair")
WORDS = Words("text", "texts", "prediction", "predictions", "word", "words", "look", "looks")
COSTS = (costs.PARAMETERS, costs.SECONDS, costs.PEAK_MEMORY, costs.training_speed("texts"))


def lines(first: int, items: int, share: float, seed: int) -> list[dict[str, Any]]:
    """Texts number ``first`` and following, of which this share is found."""
    draw = np.random.default_rng([seed, first])
    found = []
    for number in range(first, first + items):
        label = CLASSES[number % 3]
        predicted = label if draw.random() < share else CLASSES[(number + 1 + int(draw.integers(2))) % 3]
        sure = float(draw.uniform(0.4, 1))
        probabilities = {name: sure if name == predicted else (1 - sure) / 2 for name in CLASSES}
        tokens = ["a", "text", "of", "number", str(number)][: 3 + number % 3]
        weights = [draw.dirichlet(np.ones(len(tokens))).round(4).tolist()]
        record = {"text": " ".join([*tokens, str(number)]), "label": label, "predicted": predicted}
        loss = -float(np.log(probabilities[label]))
        found.append({**record, "probabilities": probabilities, "loss": loss, "tokens": tokens, "weights": weights})
    return found


def write(
    folder: Path,
    found: list[dict[str, Any]],
    pooling: str,
    seed: int,
    dataset: dict[str, Any] | None = None,
    more: dict[str, Any] | None = None,
    maps: bool = False,
) -> Path:
    """A run folder with these lines of the split test."""
    (folder / ".hydra").mkdir(parents=True)
    (folder / "test.jsonl").write_text("\n".join(map(json.dumps, found)) + "\n", "utf-8")
    keys = {"input": "text", "reference": "label", "output": "predicted"}
    said = described("classification", "texts", "val/accuracy", ["test"], keys, WORDS, (*VALIDATED, *COSTS))
    scores = {quantity.key("test"): quantity.score(rows) for quantity in VALIDATED
              if (rows := quantity.rows(found)) is not None}  # fmt: skip
    metrics = {"seed": seed, "pooling": pooling, "device": "cpu", "params": 1000, **scores, **said, **(more or {})}
    (folder / "metrics.json").write_text(json.dumps(metrics), "utf-8")
    choices = {"pooling": pooling, "dataset": "trec", "attention": "luong_dot"}
    config = {"seed": seed, "pooling": {"_target_": pooling}, "dataset": {"_target_": "trec", **(dataset or {})}}
    fold = [f"dataset.{key}={value}" for key, value in (dataset or {}).items() if value is not None]
    parts: dict[str, Any] = {"config": config, "overrides": [f"pooling={pooling}", *fold, f"seed={seed}"]}
    parts["hydra"] = {"hydra": {"runtime": {"choices": choices}}}
    for name, content in parts.items():
        (folder / ".hydra" / f"{name}.yaml").write_text(yaml.safe_dump(content), "utf-8")
    if maps:
        arrays: dict[str, Any] = {"sentences": np.arange(len(found))}
        for number, line in enumerate(found):
            arrays |= {
                f"weights_{number}": np.array(line["weights"]), f"source_tokens_{number}": np.array(line["tokens"]),
                f"target_tokens_{number}": np.array(["last state"]),
                f"text_{number}": np.array(f"{line['label']}, taken for {line['predicted']}"),
            }  # fmt: skip
        (folder / "attention").mkdir()
        np.savez(folder / "attention" / "maps.npz", allow_pickle=False, **arrays)
    return folder


def write_confusion(folder: Path, classes: Sequence[str], counts: Sequence[Sequence[int]]) -> None:
    """``confusion_test.csv`` as the task leaves it."""
    rows = [["label / predicted", *classes], *([name, *row] for name, row in zip(classes, counts, strict=True))]
    text = "".join(",".join(map(str, row)) + "\n" for row in rows)
    (folder / "confusion_test.csv").write_text(text, "utf-8")
