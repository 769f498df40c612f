"""Documents in a report: every sentence a paragraph with its bar; maps of them that are damaged."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from judged import lines, write

from attnlab.analysis.comparing import Settings, compare
from attnlab.analysis.finding import find_runs
from attnlab.analysis.maps import AttentionMap, map_of
from attnlab.analysis.report.page import write_report
from attnlab.analysis.report.texts import shade
from attnlab.runs.writing import Map, save_maps
from attnlab.viz.palette import LEVELS

WORDS = ["<b>", "fine", "film", "."]
LENGTHS, ABOVE = [3, 1], np.array([[0.25, 0.75]])
WEIGHTS = np.array([[0.2, 0.8, 0.0, 1.0]])


def kept(**more: Any) -> AttentionMap:
    settings = {"note": "bad", "sentences": LENGTHS, "sentence_weights": ABOVE} | more
    return AttentionMap(3, WEIGHTS, WORDS, ["look"], **settings)


def test_sentences_and_words_are_shaded_by_the_largest() -> None:
    found = shade(kept())
    assert found.looks == ()
    assert [sentence.level for sentence in found.sentences] == [round(LEVELS / 3), LEVELS]
    assert [sentence.weight for sentence in found.sentences] == [0.25, 0.75]
    words = [[(word.text, word.weight, word.level) for word in sentence.words] for sentence in found.sentences]
    dark = [0.5 * 0.2, 0.5 * 0.8, 0.0, 0.75**0.5]
    levels = [round(LEVELS * value / dark[3]) for value in dark]
    expected = list(zip(WORDS, WEIGHTS[0].tolist(), levels, strict=True))
    assert words == [expected[:3], expected[3:]]
    flat = shade(kept(sentence_weights=None))
    assert [(sentence.weight, sentence.level) for sentence in flat.sentences] == [(None, 0)] * 2


def test_maps_are_read_as_they_were_written(tmp_path: Path) -> None:
    item = Map(3, WEIGHTS, WORDS, ["look"], None, True, "bad", LENGTHS, ABOVE)
    save_maps(tmp_path / "maps.npz", [item, item._replace(number=4, sentence_weights=None)])
    arrays = np.load(tmp_path / "maps.npz", allow_pickle=False)
    whole, flat = map_of(arrays, 3), map_of(arrays, 4)
    assert (whole.sentences, flat.sentences) == (LENGTHS, LENGTHS)
    np.testing.assert_allclose(whole.sentence_weights, ABOVE)
    assert flat.sentence_weights is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("sentences_3", np.array([3, 2])), ("sentences_3", np.array([4, 0])), ("sentences_3", np.array([3.0, 1.0])),
     ("sentence_weights_3", np.ones((1, 3))), ("sentence_weights_3", np.full((1, 2), np.nan))],
)  # fmt: skip
def test_a_damaged_map(tmp_path: Path, name: str, value: Any) -> None:
    save_maps(tmp_path / "maps.npz", [Map(3, WEIGHTS, WORDS, ["look"], None, True, "bad", LENGTHS, ABOVE)])
    arrays = dict(np.load(tmp_path / "maps.npz", allow_pickle=False)) | {name: value}
    with pytest.raises(ValueError, match=name):
        map_of(arrays, 3)


def test_the_report_has_a_paragraph_a_sentence(tmp_path: Path) -> None:
    for number, pooling in enumerate(("mean", "last_state")):
        found = lines(0, 60, 0.5 + 0.2 * number, 1)
        folder = write(tmp_path / "runs" / f"{number}_x", found, pooling, 1)
        maps = []
        for place, line in enumerate(found):
            lengths = [1, len(line["tokens"]) - 1]
            maps.append(
                Map(place, np.array(line["weights"]), line["tokens"], ["look"], None, True, "said", lengths, ABOVE)
            )
        save_maps(folder / "attention" / "maps.npz", maps)
    compared = compare(find_runs(tmp_path / "runs"), Settings(resamples=100), "python compare.py")
    page = write_report(compared, tmp_path / "report.html")[0].read_text("utf-8")
    paragraphs = re.findall(r'<p class="look sentence b(\d+)" title="(0\.\d{3})">(.*?)</p>', page)
    assert len(paragraphs) >= 4
    assert {(level, weight) for level, weight, _ in paragraphs} == {("7", "0.250"), (str(LEVELS), "0.750")}
    assert all(text.count("<span") >= 1 for *_, text in paragraphs)
    assert f".b{LEVELS} {{ border-color:" in page
