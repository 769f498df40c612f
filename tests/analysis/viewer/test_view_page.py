"""The file of the viewer: what is packed in it, and how large it is."""

import numpy as np
import pytest
from page_example import collected, formed
from viewer_data import elements, read

from attnlab.analysis.viewer.page import render
from attnlab.errors import DataError


def test_all_weights_stand_in_the_page_to_a_510th():
    made = collected()
    index, runs = read(render(made))
    assert index["levels"] == 255
    assert [item["input"] for item in index["items"]] == [item.input for item in made.items]
    for run, told in zip(made.runs, runs, strict=True):
        assert len(told) == len(run.items)
        for item, kept in zip(run.items, told, strict=True):
            assert set(kept["look"]) == set(item.looks)
            for name, look in item.looks.items():
                rows, columns, values = kept["look"][name]
                assert (rows, columns) == (list(look.rows), list(look.columns))
                assert np.abs(values - look.weights).max() <= look.weights.max() / 510 + 1e-6
            gold = None if item.gold is None else [[list(link) for link in links] for links in item.gold]
            assert kept["gold"] == gold


def test_chunks_are_small_however_much_there_is(monkeypatch):
    monkeypatch.setattr("attnlab.analysis.viewer.packing.CHUNK", 500)
    html = render(collected())
    sizes = [len(data) for name, data in elements(html).items() if name != "index"]
    assert len(sizes) > 20
    read(html)


def test_a_page_stays_within_what_is_asked_for():
    whole = len(render(collected()).encode())
    smaller = render(collected(), megabytes=(whole - 2500) / 1e6)
    index, runs = read(smaller)
    assert len(smaller.encode()) <= whole - 2500
    assert index["levels"] < 255
    look = collected().runs[0].items[0].looks["attention"].weights
    assert np.abs(runs[0][0]["look"]["attention"][2] - look).max() <= look.max() / index["levels"] / 2 + 1e-6
    with pytest.raises(DataError, match=r"over the 0\.01 of megabytes=0\.01; show fewer"):
        render(collected(), megabytes=0.01)


def test_nothing_of_a_text_becomes_markup():
    html = render(collected())
    assert "<i>run</i>" not in html
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in html


def test_items_can_be_told_apart_by_what_is_known_of_them():
    index, _ = read(render(collected()))
    first, last = index["items"][0], index["items"][-1]
    assert first["score"] == [0.0, 0.0]
    assert last["aer"] == [0.975, 0.975]
    assert first["length"] == 3
    assert {pair["look"] for pair in index["apart"]} == {"attention", "own source"}
    assert np.shape(index["apart"][0]["divergence"]) == (2, 3)
    assert index["runs"][0]["heads"]["own source"]["items"] == 20


def test_signed_weights_keep_their_sign_to_a_254th_and_0_is_0():
    made = formed(sign=-1.5)
    first = made.runs[0].items[0].looks["attention"].weights
    first[0, 0, 0, :2] = 0.0, 0.7
    index, runs = read(render(made))
    for run, told in zip(made.runs, runs, strict=True):
        for item, kept in zip(run.items, told, strict=True):
            expected, values = item.looks["attention"].weights, kept["look"]["attention"][2]
            assert np.abs(values - expected).max() <= np.abs(expected).max() / 254 + 1e-6
    assert runs[0][0]["look"]["attention"][2][0, 0, 0, 0] == 0
    assert all(0 <= bits <= 2 for item in index["items"] for bits in item["entropy"])  # of four columns


def test_a_run_at_several_moments_is_held_against_what_is_near_it():
    index, _ = read(render(formed()))
    assert [(run["of"], run["moment"]) for run in index["runs"]] == [
        *(("first", f"epoch {n}") for n in (1, 2, 3)), *(("second", f"epoch {n}") for n in (1, 2, 3, 4)),
    ]  # fmt: skip
    assert index["runs"][0]["name"] == "first, epoch 1"
    pairs = [tuple(pair["runs"]) for pair in index["apart"]]
    assert pairs == [(0, 1), (0, 3), (1, 2), (1, 4), (2, 5), (3, 4), (4, 5), (5, 6)]
