"""Breakdowns against scalar loops."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
import sacrebleu
from texts import corrupted, references

from attnlab.analysis.breakdown import FREQUENCIES, by_frequency, by_length, input_lengths, length_bins
from attnlab.analysis.groups import Configuration
from attnlab.analysis.runs import read_run
from attnlab.metrics.quantities.bleu import BLEU


def test_bleu_by_length_of_all_splits(write_run: Any) -> None:
    targets = {"test": references(150), "test_long": [" ".join(references(3, n)) for n in range(60)]}
    runs = [read_run(write_run(str(seed), seed=seed, targets=targets)) for seed in (1, 2)]
    found = by_length([Configuration("a", tuple(runs))], ["test", "test_long"], BLEU)
    assert found is not None
    assert found.unit == "source words"
    assert sum(item.size for item in found.bins) == 210
    for place, item in enumerate(found.bins):
        scores = []
        for run in runs:
            lines = [s for split in targets for s in run.items(split)]
            chosen = [s for s in lines if item.low <= len(s.input.split()) <= (item.high or 99)]
            pairs = [s.output for s in chosen], [[s.reference for s in chosen]]
            scores.append(sacrebleu.BLEU().corpus_score(*pairs).score)
        estimate = found.values["a"][place]
        assert estimate is not None
        assert estimate.values == pytest.approx(scores)
        assert estimate.std == pytest.approx(np.std(scores, ddof=1))
        assert item.size == len(chosen)


def test_bins_hold_enough_sentences() -> None:
    lengths = np.array([1] * 3 + [4] * 40 + [9] * 50 + [17] * 31 + [18, 40])
    bins = length_bins(lengths)
    assert [tuple(item) for item in bins] == [(1, 5, 43), (6, 10, 50), (16, 40, 33)]  # none has 11 to 15
    assert length_bins(np.array([3, 3])) == [(1, 4, 2)]


def test_lengths_of_text_without_blanks() -> None:
    assert input_lengths(["a b c", "d"])[0] == "words"
    unit, lengths = input_lengths(["我喜歡貓。", "你好"])
    assert unit == "characters"
    assert lengths.tolist() == [5, 2]


def test_f1_by_training_frequency(write_run: Any) -> None:
    targets = {"test": references(60)}
    outputs = {"test": corrupted(targets["test"], 0.3, 4)}
    folder = write_run("a", outputs=outputs, targets=targets)
    counts = {"der": 5000, "die": 100, "das": 99, "Hund": 10, "Katze": 9, "Haus": 5, "sieht": 1, "nicht": 2}
    content = {"counts": counts, "tokenizer": "13a", "lowercase": False, "sentences": 9}
    (folder / "word_counts.json").write_text(json.dumps(content), "utf-8")
    run = read_run(folder)
    found = by_frequency([Configuration("a", (run,)), Configuration("b", (read_run(write_run("b")),))], "test", BLEU)
    assert found is not None
    assert [item.low for item in found.bins] == list(FREQUENCIES)
    assert [item.high for item in found.bins] == [0, 1, 4, 9, 99, 999, None]
    assert found.values["b"] == (None,) * len(FREQUENCIES)  # recorded no frequencies
    cut = sacrebleu.BLEU()._preprocess_segment
    for item, estimate in zip(found.bins, found.values["a"], strict=True):
        right = said = wanted = 0
        for hypothesis, reference in zip(outputs["test"], targets["test"], strict=True):
            ours, theirs = Counter(cut(hypothesis).split()), Counter(cut(reference).split())
            for word in set(ours) | set(theirs):
                if item.low <= counts.get(word, 0) <= (item.high or 10**9 if item.high != 0 else 0):
                    right, said, wanted = (
                        right + min(ours[word], theirs[word]),
                        said + ours[word],
                        wanted + theirs[word],
                    )
        assert item.size == wanted
        if not wanted:
            assert estimate is None
            continue
        precision, recall = right / said, right / wanted
        assert estimate is not None
        assert estimate.mean == pytest.approx(100 * 2 * precision * recall / (precision + recall))


def test_no_frequencies_no_breakdown(write_run: Any) -> None:
    assert by_frequency([Configuration("a", (read_run(write_run("a")),))], "test", BLEU) is None
