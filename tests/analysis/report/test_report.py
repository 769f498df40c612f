"""The report as a file: whole, alone, escaped, and with the numbers of the comparison."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from report_example import ARABIC, AWKWARD, JAPANESE, example

from attnlab.analysis.comparison import Comparison
from attnlab.analysis.contrasts import worth_showing
from attnlab.analysis.report.heatmaps import LEVELS, describe, lay_out, shade_rules
from attnlab.analysis.report.page import command, write_report
from attnlab.analysis.report.tables import differences, number, probability, quality, significance
from attnlab.analysis.runs import AttentionMap, Run
from attnlab.runs import legacy
from attnlab.runs.words import Words

WORDS = Words(**legacy.WORDS)
NAMES = ["none", "luong_dot", "注意 <i>x</i>"]


class Page(HTMLParser):
    """What an HTML parser makes of the file."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []  # innermost open element, text
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing, at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def words(self) -> str:
        return "".join(text for element, text in self.texts if element not in ("style", "script"))


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return example(tmp_path_factory.mktemp("runs"), NAMES)


@pytest.fixture(scope="module")
def files(comparison: Comparison, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_report(comparison, tmp_path_factory.mktemp("report") / "new" / "report.html")


@pytest.fixture(scope="module")
def page(files: list[Path]) -> Page:
    return Page(files[0].read_text(encoding="utf-8"))


def test_is_well_formed(page: Page) -> None:
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    known = set(ids)
    for tag, attributes in page.tags:
        for name in ("aria-labelledby", "xlink:href", "href"):
            for target in (attributes.get(name) or "").split():
                assert target.lstrip("#") in known or target == "data:,", (tag, name, target)


def test_needs_nothing_from_elsewhere(page: Page, files: list[Path]) -> None:
    assert not [tag for tag, attributes in page.tags if {"src", "srcset", "data", "poster"} & attributes.keys()]
    assert [attributes["href"] for tag, attributes in page.tags if tag == "link"] == ["data:,"]
    text = files[0].read_text(encoding="utf-8")
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)


def test_texts_from_data_are_escaped(page: Page) -> None:
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not {"img", "i"} & {tag for tag, _ in page.tags}
    words = page.words()
    assert words.count(AWKWARD) >= 3  # a note, a config value, a sentence
    assert "注意 <i>x</i>" in words
    labels = [attributes["data-word"] for tag, attributes in page.tags if tag == "text" and "data-word" in attributes]
    assert {"<b>one</b>", '"&lt;', *ARABIC, *JAPANESE} <= set(labels)


def test_tables_say_what_they_are(page: Page) -> None:
    heads = [attributes for tag, attributes in page.tags if tag == "th"]
    assert heads
    assert {attributes.get("scope") for attributes in heads} == {"col", "row", "rowgroup"}
    tables = [tag for tag, _ in page.tags if tag == "table"]
    captions = [tag for tag, _ in page.tags if tag == "caption"]
    assert len(tables) == len(captions) == 8  # two splits, cost, two tests, differences, versions, signatures


def test_quality_has_the_numbers(comparison: Comparison) -> None:
    for split in comparison.splits:
        table = quality(comparison, split)
        place = [column.title for column in table.columns].index("BLEU") - 1
        best = max(np.mean([run.metrics[f"{split}/bleu"] for run in c.runs]) for c in comparison.configurations)
        for line in table.lines:
            values = [run.metrics[f"{split}/bleu"] for run in comparison.configuration(line.head).runs]
            mean, std = np.mean(values), np.std(values, ddof=1)
            cell = line.cells[place]
            assert cell.text == f"{mean:.2f} ± {std:.2f}"
            assert cell.detail == f"[{mean - 1.2:.2f}, {mean + 1.2:.2f}]"  # the margin of the example
            assert cell.value == pytest.approx(mean)
            assert cell.best == (mean == best)


def test_significance_has_every_kind_of_evidence(comparison: Comparison) -> None:
    table = significance(comparison, comparison.against_baseline, "against-baseline", "Against none")
    line, pair = table.lines[0], comparison.against_baseline[0]
    assert [column.title for column in table.columns] == [
        "configuration", "difference in BLEU", "effect size g", "better / worse", "p, seeds and sentences",
        "p, bootstrap", "p, randomisation", "what can be concluded",
    ]  # fmt: skip
    texts = [cell.text for cell in line.cells]
    assert texts == [f"+{pair.difference:.2f}", "1.50", "60% / 20%", "0.040", *2 * ["up to 0.012"], pair.verdict]
    assert line.cells[0].detail == f"[{pair.low:.2f}, {pair.high:.2f}]"
    assert line.cells[4].detail == "3 of 3 below 0.05"
    assert "in this table, 2." in table.hint


def test_one_seed_claims_nothing_of_seeds(tmp_path: Path) -> None:
    comparison = example(tmp_path, NAMES, seeds=1)
    table = significance(comparison, comparison.against_baseline, "against-baseline", "Against none")
    assert "p, seeds and sentences" not in [column.title for column in table.columns]
    assert (table.lines[0].cells[1].text, table.lines[0].cells[1].detail) == ("–", "one seed")
    assert "±" not in "".join(cell.text for line in quality(comparison, "test").lines for cell in line.cells)


def test_differences_are_grouped_by_value(comparison: Comparison) -> None:
    found = dict(differences(comparison))
    assert found["decoder.size"] == [("0", ["none", "注意 <i>x</i>"]), ("1", ["luong_dot"])]


def test_numbers_and_probabilities() -> None:
    assert number(1234567.891, 1) == "1,234,567.9"
    assert number(-0.5, 2) == "−0.50"
    assert [probability(p) for p in (0.0, 0.000999, 0.001, 0.05, 1.0)] == [
        "< 0.001",
        "< 0.001",
        "0.001",
        "0.050",
        "1.000",
    ]


def test_commands_can_be_pasted(comparison: Comparison, page: Page, tmp_path: Path) -> None:
    words = page.words()
    assert "python train.py attention=luong_dot seed=3" in words
    assert comparison.command in words
    run = Run(tmp_path, {}, {}, ("a=[x,y]", "note='it is'", "b=$HOME"), {})
    assert command(run) == """python train.py 'a=[x,y]' 'note='"'"'it is'"'"'' 'b=$HOME'"""


def test_figures_lie_beside_the_report(files: list[Path], page: Page) -> None:
    charts = [attributes for tag, attributes in page.tags if tag == "svg" and attributes.get("class") == "chart"]
    assert all(path.is_file() for path in files)
    assert {path.suffix for path in files[1:]} == {".svg", ".png"}
    assert len(files) == 1 + 2 * len(charts)
    assert {path.stem for path in files[1:]} == {
        "bleu-by-length", "f1-by-frequency", "bleu-test", "bleu-test_long", "learning-steps", "learning-seconds",
        "bleu-against-speed", "bleu-against-size",
    }  # fmt: skip
    assert all(attributes["role"] == "img" for attributes in charts)


def test_the_same_comparison_gives_the_same_bytes(comparison: Comparison, files: list[Path], tmp_path: Path) -> None:
    again = write_report(comparison, tmp_path / "report.html")
    assert again[0].read_bytes() == files[0].read_bytes()


def test_what_runs_do_not_have_is_left_out(tmp_path: Path) -> None:
    comparison = example(tmp_path, ["one"], seeds=1)
    for path in tmp_path.glob("*/history.jsonl"):
        path.unlink()
    bare = Comparison(**{**vars(comparison), "by_frequency": None, "contrasts": (), "notes": (), "all_pairs": (),
                         "against_baseline": (), "differences": ()})  # fmt: skip
    page = Page(write_report(bare, tmp_path / "report.html")[0].read_text(encoding="utf-8"))
    assert "In nothing: all runs have the same configuration" in page.words()
    assert not {"significance", "sentences", "notes"} & {attributes.get("id") for _, attributes in page.tags}
    assert not list(tmp_path.glob("figures/learning*"))


def test_heatmap_places_every_weight() -> None:
    weights = np.array([[0.0, 0.25, 0.75], [1.0, 0.0, 0.0]])
    placed = lay_out(AttentionMap(0, weights, ["a", "b", "c"], ["x", "y"]), WORDS)
    assert placed.weights == "0 250 750 1000 0 0"
    cells = {}
    for level, path in placed.shades:
        for x, y, side in re.findall(r"M([\d.]+) ([\d.]+)h(\d+)v\3h-\3z", path):
            assert int(side) == placed.cell
            column, row = (float(x) - placed.left) / placed.cell, (float(y) - placed.top) / placed.cell
            cells[round(row), round(column)] = level / LEVELS
    assert cells == {(0, 1): 0.25, (0, 2): 0.75, (1, 0): 1.0}
    assert [label.word for label in placed.source] == ["a", "b", "c"]
    assert np.diff([label.x for label in placed.source]) == pytest.approx(placed.cell)
    assert np.diff([label.y for label in placed.target]) == pytest.approx(placed.cell)


def test_heatmap_in_words() -> None:
    weights = np.array([[0.1, 0.9], [0.6, 0.4]])
    text = describe(AttentionMap(0, weights, ["one", "two"], ["zwei", "eins"]), WORDS)
    assert text == "Target word: the source word with the most weight. zwei: two 0.90; eins: one 0.60"
    assert describe(AttentionMap(0, weights, ["a", "b"], ["c", "d"]), Words(row="bar", column="note")) == (
        "Bar: the note with the most weight. c: b 0.90; d: a 0.60"
    )


def test_overlong_words_are_cut_but_kept_whole_for_the_tip() -> None:
    word = "Donaudampfschifffahrtsgesellschaftskapitän"
    label = lay_out(AttentionMap(0, np.ones((1, 1)), [word], ["x"]), WORDS).source[0]
    assert label.word == word
    assert len(label.text) == 16
    assert word.startswith(label.text.split("…")[0])
    assert word.endswith(label.text.split("…")[1])


def test_shades_run_from_the_ground_to_the_end_of_the_scale() -> None:
    light, dark = (dict(re.findall(r"\.h(\d+) \{ fill: (#\w+)", part)) for part in shade_rules().split("@media"))
    assert list(light) == list(dark) == [str(level) for level in range(1, LEVELS + 1)]
    assert light[str(LEVELS)] == "#08306b"
    brightness = [sum(int(color[i : i + 2], 16) for i in (1, 3, 5)) for color in light.values()]
    assert brightness == sorted(brightness, reverse=True)
    brightness = [sum(int(color[i : i + 2], 16) for i in (1, 3, 5)) for color in dark.values()]
    assert brightness == sorted(brightness)


def test_two_maps_are_shown_even_where_the_baseline_has_none(comparison: Comparison) -> None:
    none, dot, other = comparison.configurations
    assert worth_showing([other, dot, none], none, "test") == [(other, dot), (other, none), (dot, none)]
    assert worth_showing([other, dot, none], dot, "test") == [(other, dot), (none, dot)]
    assert worth_showing([dot, none], none, "test") == [(dot, none)]
