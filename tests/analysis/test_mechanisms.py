"""The table of all mechanisms, on run folders written by hand."""

import json

import pytest
import yaml

from attnlab.analysis.finding import find_runs
from attnlab.analysis.mechanisms import mechanisms_table

LINE = {"source": "a", "reference": "b", "hypothesis": "b", "score": -1.0, "source_tokens": ["a"],
        "hypothesis_tokens": ["b"], "alignment": None}  # fmt: skip
NUMBERS = ("test/bleu", "test_long/bleu", "test/aer", "test/ppl", "train/target_tokens_per_second")


def write(folder, attention, seed, values):
    (folder / ".hydra").mkdir(parents=True)
    numbers = {name: value for name, value in zip(NUMBERS, values, strict=True) if value is not None}
    (folder / "metrics.json").write_text(json.dumps(numbers), "utf-8")
    for split in ("test", "test_long"):
        (folder / f"{split}.jsonl").write_text(json.dumps(LINE) + "\n", "utf-8")
    choices = {"runtime": {"choices": {"attention": attention, "decoder": "luong"}}}
    config = {"seed": seed, "attention": {"score": attention}}
    for name, content in (("config", config), ("overrides", []), ("hydra", {"hydra": choices})):
        (folder / ".hydra" / f"{name}.yaml").write_text(yaml.safe_dump(content), "utf-8")


@pytest.fixture
def runs(tmp_path):
    write(tmp_path / "0", "plain", 1, (50.0, 10.0, None, 3.0, 900.0))
    write(tmp_path / "1", "good", 1, (90.0, 40.0, 0.1, 1.5, 1000.0))
    write(tmp_path / "2", "good", 2, (92.0, 44.0, 0.3, 1.7, 1200.0))
    return find_runs(tmp_path).runs


def test_best_first_means_over_seeds_and_the_best_in_bold(runs):
    lines = mechanisms_table(runs, NUMBERS, {"good": "[good](x)"}).splitlines()
    assert lines[0] == ("| attention | decoder | BLEU | BLEU, long | AER | perplexity | training speed (tokens/s) |")
    assert lines[2] == "| [good](x) | luong | **91.00** | **42.00** | **0.200** | **1.600** | **1100** |"
    assert lines[3] == "| `plain` | luong | 50.00 | 10.00 | – | 3.000 | 900 |"
    assert lines[5] == "Means over up to 2 seeds."
