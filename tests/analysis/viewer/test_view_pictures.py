"""Pictures of what several runs look at in one item: the weights of the page, chosen by layer and head, any task."""

import numpy as np
import pytest
from page_example import collected

from attnlab.analysis.viewer.collected import Asked, Collected, Look, Viewed, ViewedRun
from attnlab.analysis.viewer.pictures import Chosen, picture_of, save_picture
from attnlab.errors import ConfigError

MADE = collected()
FULL = 5  # the number, from 1, of an item with gold links and all words of both sides


def maps(figure):
    return [axes for axes in figure.axes if axes.images and not axes.get_label().startswith("<colorbar")]


def tables(figure):
    return [np.asarray(axes.images[0].get_array()) for axes in maps(figure)]


def weights(run, look="attention"):
    return MADE.runs[run].items[FULL - 1].looks[look].weights


def one_item(*viewed):
    runs = [ViewedRun(f"run {number}", "", [item]) for number, item in enumerate(viewed, 1)]
    return MADE._replace(items=[Asked("input")], runs=runs)


def texts(figure):
    return [text.get_text() for text in figure.texts]


def test_runs_stand_side_by_side_with_layer_and_head_of_choice():
    figure = picture_of(MADE, FULL, Chosen())
    for run, table in enumerate(tables(figure)):
        assert table == pytest.approx(weights(run)[-1].mean(0), abs=1e-6)
    assert [text for text in texts(figure) if "link" not in text] == ["first", "second <i>run</i>"]
    assert [len(axes.patches) for axes in maps(figure)] == [3, 3]  # gold links
    figure = picture_of(MADE, FULL, Chosen("own source", layer=1, head=2))
    for run, table in enumerate(tables(figure)):
        assert table == pytest.approx(weights(run, "own source")[0, 1], abs=1e-6)
    assert not maps(figure)[0].patches


def test_pieces_become_words_and_links_go_with_them():
    rows, columns = ["▁un", "glaub", "lich", "</s>"], ["▁in", "cred", "ible", "▁dogs"]
    look = Look(np.random.default_rng(1).dirichlet(np.ones(4), (1, 1, 4)), rows, columns)
    item = MADE.runs[0].items[FULL - 1]._replace(looks={"attention": look})
    item = item._replace(gold=item.gold._replace(sure=[(0, 0), (1, 2)], possible=[(3, 3)]))
    axes = maps(picture_of(one_item(item, item), 1, Chosen(joined=True)))[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["unglaublich", "</s>"]
    assert [(patch.get_x(), patch.get_y()) for patch in axes.patches] == [
        (pytest.approx(-0.42), pytest.approx(-0.42)), (pytest.approx(0.58), pytest.approx(0.58)),
    ]  # fmt: skip


def test_of_two_texts_that_look_at_each_other_both_ways_are_drawn():
    look = Look(np.full((1, 1, 2, 3), 1 / 3), ["a", "b"], ["x", "y", "z"])
    back = Look(np.full((1, 1, 3, 2), 1 / 2), ["x", "y", "z"], ["a", "b"])
    figure = picture_of(one_item(*2 * [Viewed("", {"attention": look, "back": back})]), 1, Chosen())
    assert [table.shape for table in tables(figure)] == [(2, 3), (3, 2)] * 2
    assert texts(figure) == ["run 1", "run 1, the other way", "run 2", "run 2, the other way"]


def running(words, rows, note="", sentences=None):
    table = np.random.default_rng(len(words)).dirichlet(np.ones(len(words)), (1, 1, len(rows)))
    looks = {"attention": Look(table, rows, words)}
    if sentences is not None:
        looks["sentences"] = Look(np.full((1, 1, 1, len(sentences)), 1 / len(sentences)), ["look 1"], ["1", "2"])
    return Viewed("good", looks, "text", note, sentences)


def test_running_texts_stand_one_below_another_each_in_its_own_words():
    words = ["a", "fine", "film"]
    figure = picture_of(one_item(running(words, ["last"]), running([*words, "."], ["1", "2"], "bad")), 1, Chosen())
    told = [text.partition(": largest")[0] for text in texts(figure) if "largest" in text]
    assert told == ["run 1", "run 2, bad, 1", "run 2, bad, 2"]
    assert [text for text in texts(figure) if "largest" not in text] == [*words, *words, ".", *words, "."]
    figure = picture_of(one_item(*2 * [running(words, ["look"], "", [1, 2])]), 1, Chosen())
    assert [text for text in texts(figure) if text not in words] == ["run 1", "run 2"]


def test_lags_stand_one_below_another():
    rng = np.random.default_rng(2)
    lags, steps = [str(lag) for lag in range(48, 0, -1)], ["1", "2", "3"]
    looks = [Look(rng.dirichlet(np.ones(48), (1, 1, 3)), steps, lags) for _ in range(2)]
    figure = picture_of(one_item(*(Viewed("", {"attention": look}, "lags") for look in looks)), 1, Chosen())
    for table, look in zip(tables(figure), looks, strict=True):
        assert table == pytest.approx(look.weights[0, 0])
    assert [axes.get_title(loc="left") for axes in maps(figure)] == ["run 1", "run 2"]


def test_files_of_every_kind(tmp_path):
    for name, begins in (("a.pdf", b"%PDF"), ("a.svg", b"<?xml"), ("a.png", b"\x89PNG"), ("a.tex", b"\\definecolor")):
        save_picture(MADE, FULL, Chosen(width="8.4cm"), tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(begins)
    assert (tmp_path / "a.tex").read_text("utf-8").count(r"\begin{tikzpicture}") == 2
    with pytest.raises(ConfigError, match="TikZ has maps of one text over another"):
        save_picture(one_item(running(["a"], ["b"])), 1, Chosen(), tmp_path / "b.tex")


@pytest.mark.parametrize(
    ("item", "chosen", "message"),
    [
        (41, Chosen(), "item=41: there are 40"),
        (FULL, Chosen(layer=3), "layer=3: first has 2, counted from 1"),
        (FULL, Chosen(head=4), "head=4: first has 3"),
        (FULL, Chosen("own text"), "look=own text: no run looks there; there is own source"),
        (FULL, Chosen(width="8"), "expected a number with a unit"),
    ],
)
def test_what_is_not_there_is_told(item: int, chosen: Chosen, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        picture_of(MADE, item, chosen)


def test_pieces_of_running_texts_are_not_joined() -> None:
    made: Collected = one_item(running(["a"], ["b"]))
    with pytest.raises(ConfigError, match="joined=true: pieces are joined in maps"):
        picture_of(made, 1, Chosen(joined=True))
