"""What a report shows of classifiers: texts whose words are shaded, and which classes are taken for which."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from judged import CLASSES, lines, write, write_confusion

from attnlab.analysis.comparing import Settings, compare
from attnlab.analysis.confusions import MOST, confusions
from attnlab.analysis.finding import find_runs
from attnlab.analysis.groups import Configuration
from attnlab.analysis.report.heatmaps import lay_out, shade_rules
from attnlab.analysis.report.page import write_report
from attnlab.analysis.report.texts import ground_rules, shade
from attnlab.analysis.runs import AttentionMap, Run, read_run
from attnlab.runs.words import Words
from attnlab.viz.palette import BLUES, BLUES_ON_DARK, LEVELS, ORANGES, ORANGES_ON_DARK, contrast, steps

TEXT = ["a", "<b>dull</b>", "film", "&"]


def kept(weights: Any, looks: tuple[str, ...] = ("last state",)) -> AttentionMap:
    return AttentionMap(3, np.array(weights), TEXT, list(looks), note="bad, taken for good")


def test_words_are_shaded_by_the_largest_weight_of_a_look() -> None:
    found = shade(kept([[0.1, 0.4, 0.3, 0.2], [1.0, 0.0, 0.0, 0.0]], ("first", "second")))
    assert found.note == "bad, taken for good"
    assert [look.name for look in found.looks] == ["first", "second"]
    assert [word.level for word in found.looks[0].words] == [LEVELS // 4, LEVELS, 15, LEVELS // 2]
    assert [word.level for word in found.looks[1].words] == [LEVELS, 0, 0, 0]
    assert [word.text for word in found.looks[0].most] == ["<b>dull</b>", "film", "&"]
    assert [word.level for word in shade(kept([[0.0] * 4])).looks[0].words] == [0] * 4


def test_weights_of_either_sign_have_colours_of_their_own() -> None:
    (look,) = shade(kept([[0.2, -0.8, 0.0, 0.4]])).looks
    assert [word.level for word in look.words] == [LEVELS // 4, -LEVELS, 0, LEVELS // 2]
    assert [word.text for word in look.most] == ["<b>dull</b>", "&", "a"]
    signed = lay_out(AttentionMap(3, np.array([[0.5, -2.0]]), ["a", "b"], ["x"]), Words(*"abcdefgh"))
    assert [level for level, _ in signed.shades] == [-LEVELS, LEVELS // 4]
    assert {".h-20", ".h5"} <= set(re.findall(r"\.h-?\d+", shade_rules()))


@pytest.mark.parametrize("scale", [BLUES, BLUES_ON_DARK, ORANGES, ORANGES_ON_DARK])
def test_every_shaded_word_is_legible(scale: tuple[str, ...]) -> None:
    light, _, dark = ground_rules().partition("@media")
    name = r"\.g(\d+)" if scale in (BLUES, BLUES_ON_DARK) else r"\.g-(\d+)"
    rules = re.findall(rf"{name} {{ background: (#\w+); color: (#\w+)", light if scale in (BLUES, ORANGES) else dark)
    assert [ground for _, ground, _ in rules] == steps(scale)
    assert rules[-1][1] == scale[-1]
    assert all(contrast(ground, ink) >= 4.5 for _, ground, ink in rules)  # WCAG 2.2, 1.4.3
    assert contrast("#ffffff", "#000000") == pytest.approx(21)


def runs(folder: Path) -> list[Run]:
    made = []
    for number, (pooling, seed) in enumerate((pooling, seed) for pooling in ("mean", "last_state") for seed in (1, 2)):
        found = lines(0, 60, 0.5 + 0.1 * number, seed)
        place = write(folder / f"{number}_x", found, pooling, seed, maps=pooling != "mean")
        write_confusion(place, CLASSES, [[number, 1, 2], [3, 4 + seed, 5], [6, 7, 8]])
        made.append(read_run(place))
    return made


def test_classes_of_all_seeds_of_a_configuration_are_counted_together(tmp_path: Path) -> None:
    found = runs(tmp_path)
    whole = [Configuration("a", tuple(found[:2])), Configuration("b", tuple(found[2:]))]
    a, b = confusions(whole, "test")
    assert (a.configuration, a.runs, a.classes, a.small) == ("a", 2, CLASSES, True)
    assert [[cell.items for cell in row] for row in a.rows] == [[1, 2, 4], [6, 11, 10], [12, 14, 16]]
    assert [cell.share for cell in a.rows[1]] == pytest.approx([6 / 27, 11 / 27, 10 / 27])
    assert [cell.items for cell in b.rows[0]] == [5, 2, 4]
    assert [(one, other, cell.items) for one, other, cell in a.mistakes[:3]] == [
        ("fair", "good", 14), ("fair", "bad", 12), ("good", "fair", 10)
    ]  # fmt: skip
    (tmp_path / "3_x" / "confusion_test.csv").unlink()
    assert [item.configuration for item in confusions(whole, "test")] == ["a"]
    assert confusions(whole, "other") == []


@pytest.mark.parametrize(
    "text", ["", "a\n", "x,bad,good\nbad,1\ngood,2,3\n", "x,bad\nbad,-1\n", "x,bad\nbad,1.5\n", "x,a\nb,1\n"]
)
def test_a_damaged_table_is_told(tmp_path: Path, text: str) -> None:
    run = runs(tmp_path)[0]
    path = run.folder / "confusion_test.csv"
    path.write_text(text, "utf-8")
    assert confusions([Configuration("a", (run,))], "test") == []
    assert str(path) in run.damaged[path]
    found = compare(find_runs(tmp_path), Settings(resamples=100, tests=("seeds",)), "python compare.py")
    assert [item.configuration for item in found.confusions] == ["pooling=last_state"]
    assert any(str(path) in note for note in found.notes)


def report(folder: Path, runs: Path, **settings: Any) -> str:
    found = compare(find_runs(runs), Settings(resamples=100, **settings), "python compare.py")
    return write_report(found, folder / "report.html")[0].read_text("utf-8")


def test_the_report_shows_running_text_and_classes(tmp_path: Path) -> None:
    runs(tmp_path / "runs")
    page = report(tmp_path, tmp_path / "runs")
    assert '<svg class="heat"' not in page
    looks = re.findall(r'<p class="look">(.*?)</p>', page)
    assert looks
    assert all(re.search(rf'<span class="g{LEVELS}" title="0\.\d{{3}}">', look) for look in looks)
    assert "A word is the darker" in page
    assert "run across" not in page
    assert "Which classes are taken for which" in page
    assert page.count('<table class="confusion">') == 2
    assert '<small lang="en">right</small>' in page
    assert "sentence" not in re.sub(
        r"<style>.*?</style>|<script>.*?</script>|class=\"sentences\"|[\"#]sentences\"", "", page, flags=re.DOTALL
    )


def test_of_many_classes_the_mistakes_are_listed(tmp_path: Path) -> None:
    made, names = runs(tmp_path / "runs"), [f"class {number}" for number in range(MOST + 1)]
    counts = np.arange(len(names) ** 2).reshape(len(names), -1).tolist()
    for run in made:
        write_confusion(run.folder, names, counts)
    page = report(tmp_path, tmp_path / "runs")
    assert '<table class="confusion">' not in page
    assert re.search(r"<th scope=\"row\">class 12</th><td class=\"text\">class 11</td><td>334</td>", page)


def test_a_map_that_says_of_itself_what_it_cannot_is_damaged(tmp_path: Path) -> None:
    run = runs(tmp_path)[2]
    (run.folder / "attention" / "maps.npz").unlink()
    np.savez(run.folder / "attention" / "maps.npz", sentences=np.array([0]), weights_0=np.ones((1, 1)),
             source_tokens_0=np.array(["a"]), target_tokens_0=np.array(["b"]), text_0=np.array(3.0))  # fmt: skip
    assert run.maps("test") == []
    assert "expected a text" in next(iter(run.damaged.values()))
