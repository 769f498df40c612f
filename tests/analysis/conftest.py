"""Run folders as ``train.py`` leaves them, written by hand: noisy copies of references, scored by sacreBLEU."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sacrebleu
import yaml
from browser_tab import QUIET, installed
from texts import SIGNATURE, corrupted, references

CHOICES = {"encoder": "lstm", "dataset": "grammar", "tokenizer": "word", "search": "greedy"}
METRICS = {"bleu": sacrebleu.BLEU, "chrf": sacrebleu.CHRF, "ter": sacrebleu.TER}


class Writer:
    """Writes run folders below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(
        self,
        name: str,
        attention: str = "luong_dot",
        seed: int = 1,
        outputs: dict[str, list[str]] | None = None,
        targets: dict[str, list[str]] | None = None,
        config: dict[str, Any] | None = None,
        choices: dict[str, str] | None = None,
        metrics: dict[str, Any] | None = None,
        counted: bool = True,
        extra: dict[str, list[Any]] | None = None,
    ) -> Path:
        """Write a run; ``extra`` has more keys of the lines of the split ``test``."""
        folder = self.root / name
        (folder / ".hydra").mkdir(parents=True)
        targets = targets or {"test": references(40)}
        outputs = outputs or {split: corrupted(lines, 0.2, seed) for split, lines in targets.items()}
        table: dict[str, Any] = {"seed": seed, "attention": attention, "bleu_signature": SIGNATURE, "device": "cpu"}
        table |= {
            "train/seconds": 10.0 * seed,
            "params": 1000,
            "test/sentences_per_second": 50.0,
            "test/ppl": 2.0 + seed,
            "val/bleu": 20.0 + seed,  # of the best checkpoint: a score without a file of translations
        }
        for split, lines in targets.items():
            scores = {k: make().corpus_score(outputs[split], [lines]).score for k, make in METRICS.items()}
            table |= {f"{split}/{k}": score for k, score in scores.items()}
            self.lines(folder / f"{split}.jsonl", outputs[split], lines, counted, extra if split == "test" else None)
        (folder / "metrics.json").write_text(json.dumps(table | (metrics or {})), "utf-8")
        (folder / "finished.json").write_text('{"score": null, "trial": null}', "utf-8")
        chosen = {**CHOICES, "decoder": "luong", "attention": attention, "hydra/launcher": "basic", **(choices or {})}
        composed = {"seed": seed, "paths": {"run": str(folder)}, "data": {"seed": "${seed}"}}
        composed |= {"attention": {"_target_": f"attnlab.attention.{attention}"}, "optimizer": {"lr": 0.001}}
        overrides = [f"attention={attention}", f"seed={seed}"]
        files = {
            "config": composed | (config or {}),
            "overrides": overrides,
            "hydra": {"hydra": {"runtime": {"choices": chosen}}},
        }
        for part, content in files.items():
            (folder / ".hydra" / f"{part}.yaml").write_text(yaml.safe_dump(content), "utf-8")
        return folder

    def lines(
        self, path: Path, hypotheses: list[str], targets: list[str], counted: bool, extra: dict[str, list[Any]] | None
    ) -> None:
        counts = {k: make()._extract_corpus_statistics(hypotheses, [targets]) for k, make in METRICS.items()}
        with path.open("w", encoding="utf-8") as file:
            for number, (hypothesis, target) in enumerate(zip(hypotheses, targets, strict=True)):
                source = " ".join(reversed(target.split()))
                line = {"source": source, "reference": target, "hypothesis": hypothesis, "score": -1.0}
                line |= {"source_tokens": source.split(), "hypothesis_tokens": hypothesis.split(), "alignment": None}
                if counted:
                    line["counts"] = {k: [int(n) for n in rows[number]] for k, rows in counts.items()}
                line |= {key: values[number] for key, values in (extra or {}).items()}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


@pytest.fixture(scope="session")
def run_writer() -> type[Writer]:
    """For fixtures that outlive a test: called with a folder, it writes runs below it."""
    return Writer


@pytest.fixture
def write_run(tmp_path: Path) -> Writer:
    return Writer(tmp_path / "sweeps" / "types" / "2026-11-24_10-00-00")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium: the one that CHROMIUM names, that Playwright has brought, or that is installed."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        own = playwright.chromium.executable_path  # where "playwright install chromium" puts it
        found = os.environ.get("CHROMIUM") or (own if Path(own).is_file() else installed())
        if found is None:
            pytest.skip("no Chromium here: install one, or name it in CHROMIUM")
        started = playwright.chromium.launch(executable_path=found, args=list(QUIET))
        yield started
        started.close()
