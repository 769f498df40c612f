"""``attnlab view`` from the command line."""

import pytest
from viewer_data import read


def test_a_run_is_written_into_one_file(commands, run):
    said = commands("view", f"runs={run}", "items=4", "checkpoints=[best,last]")
    assert said.strip() == f"view: {run / 'view.html'}"
    index, runs = read((run / "view.html").read_text("utf-8"))
    assert [told["name"] for told in index["runs"]] == ["luong_general, best", "luong_general, last"]
    assert [len(items) for items in runs] == [4, 4]


def test_pictures_are_asked_for_by_their_ending(commands, run, tmp_path):
    said = commands("view", f"runs={run}", "item=3", f"output={tmp_path}/seen.pdf", "width=8.4cm", "cmap=viridis")
    assert said.strip() == f"view: {tmp_path / 'seen.pdf'}"
    assert (tmp_path / "seen.pdf").read_bytes().startswith(b"%PDF")
    (tmp_path / "in.txt").write_text("he sees ||| er sieht\nhe sleeps ||| er schläft\n", "utf-8")
    said = commands("view", f"runs={run}", f"input={tmp_path}/in.txt", f"output={tmp_path}/own.tex")
    assert said.strip() == f"view: {tmp_path / 'own_1.tex'} to own_2.tex"
    assert r"{\strut schläft}" in (tmp_path / "own_2.tex").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["width=8cm"], "width=8cm: is of a picture; name one: output=seen.pdf"),
        (["output=seen.doc"], "expected a name that ends in .html, or of a picture in .pdf, .svg, .png, .tex, .gif"),
        (["output=seen.pdf"], "a picture an item, of up to 2,000; name one (item=17) or few (items=4)"),
        (["output=seen.pdf", "item=999999"], "item=999999: there are 20, counted from 1"),
        (["output=seen.pdf", "item=1", "cmap=pale"], "cmap=pale: expected a colour map of matplotlib's"),
    ],
)
def test_what_cannot_be_drawn_is_told(commands, run, words, message):
    assert message in commands("view", f"runs={run}", *words, code=2)
