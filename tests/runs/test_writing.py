"""The formats that others read."""

import json
from pathlib import Path

import numpy as np
import pytest

from attnlab.runs.writing import Map, save_lines, save_maps, save_metrics
from attnlab.tasks.records import maps_of
from attnlab.tasks.translation.records import Translated

WEIGHTS = np.array([[0.1, 0.7, 0.2], [0.0, 0.0, 0.0], [0.8, 0.1, 0.1]], dtype=np.float32)
RECORD = Translated(
    "a «b» c", "ä b", "ä 漢", -1.5, ["a", "b", "c"], ["ä", "漢"], WEIGHTS, {"ter": [1, 2]}, 2.5, 3, [1, 2, 2, 3]
)


def test_metrics_are_flat_json_without_nan(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    save_metrics(path, {"test/bleu": 12.5, "test/aer": float("nan"), "x": float("inf"), "seed": 1, "name": "ü"})
    text = path.read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=pytest.fail) == {
        "test/bleu": 12.5,
        "test/aer": None,
        "x": None,
        "seed": 1,
        "name": "ü",
    }
    assert "ü" in text


def test_a_line_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "test.jsonl"
    records = [RECORD, RECORD._replace(weights=None, score=float("-inf"), loss=float("inf"), links=None)]
    save_lines(path, (record.line() for record in records))
    first, second = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert first == {
        "source": "a «b» c",
        "reference": "ä b",
        "hypothesis": "ä 漢",
        "score": -1.5,
        "source_tokens": ["a", "b", "c"],
        "hypothesis_tokens": ["ä", "漢"],
        "alignment": [1, None],  # the second token looks nowhere; the end of the sentence is no token
        "counts": {"ter": [1, 2]},
        "loss": 2.5,
        "target_tokens": 3,
        "links": [1, 2, 2, 3],
    }
    assert second["alignment"] is None
    assert second["score"] is None
    assert second["loss"] is None
    assert second["links"] is None


def test_maps_are_read_without_pickle(tmp_path: Path) -> None:
    path = tmp_path / "maps.npz"
    save_maps(path, maps_of([RECORD._replace(weights=None), RECORD]))
    with np.load(path, allow_pickle=False) as maps:
        assert maps["sentences"].tolist() == [1]
        assert maps["source_tokens_1"].tolist() == ["a", "b", "c"]
        assert maps["target_tokens_1"].tolist() == ["ä", "漢", "</s>"]
        np.testing.assert_array_equal(maps["weights_1"], WEIGHTS)
        assert maps["weights_1"].dtype == np.float32


def test_maps_without_the_end_of_sentence() -> None:
    (only,) = maps_of([RECORD._replace(weights=WEIGHTS[:2])])
    assert only == Map(0, only.weights, ["a", "b", "c"], ["ä", "漢"])


def test_maps_that_show_nothing_are_left_out() -> None:
    nan = RECORD._replace(weights=np.full((3, 3), np.nan, dtype=np.float32))
    empty = RECORD._replace(weights=np.zeros((0, 3), dtype=np.float32), hypothesis_tokens=[])
    assert [item.number for item in maps_of([RECORD, nan, empty, RECORD])] == [0, 3]
    assert [item.number for item in maps_of([RECORD] * 5, limit=2)] == [0, 1]
