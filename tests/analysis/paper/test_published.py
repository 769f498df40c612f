"""What a paper has printed stands beside what its runs have reached, wherever scores are told."""

import csv
from dataclasses import replace

import pytest
from texts import references

from attnlab.analysis.comparing import Settings, compare
from attnlab.analysis.documents import markdown
from attnlab.analysis.exports import scores, write_csv
from attnlab.analysis.finding import find_runs
from attnlab.analysis.latex import latex_table
from attnlab.analysis.paper.citations import Citations
from attnlab.analysis.paper.kit import sources
from attnlab.analysis.paper.method import method
from attnlab.analysis.paper.results import results
from attnlab.analysis.report.tables import quality

TARGETS = {"test": references(30), "test_long": references(20, 1)}
PUBLISHED = {
    "source": "Luong, Pham and Manning 2015, Table 4",
    "cite": "luong2015effective",
    "data": "WMT'14",
    "rows": [{"when": {"attention": "luong_dot", "decoder": "luong"}, "values": {"bleu": 18.6, "replaced": "> 20"}}],
}


@pytest.fixture
def compared(write_run):
    def run(**settings):
        for name in ("luong_dot", "luong_general"):
            write_run(name, name, targets=TARGETS, config={"published": settings.pop("published", PUBLISHED)})
        asked = Settings(tests=("seeds",), resamples=100)._replace(**settings)
        return compare(find_runs(write_run.root), asked, "python compare.py")

    return run


def column(table, title):
    place = [column.title for column in table.columns].index(title)
    return {line.head: line.cells[place - 1].text for line in table.lines}


def test_it_stands_beside_our_figure(compared, tmp_path):
    found = compared()
    table = quality(found, "test")
    titles = [column.title for column in table.columns]
    assert titles[titles.index("BLEU") + 1] == "BLEU, published"
    assert titles[-1] == "replaced, published"
    assert column(table, "BLEU, published") == {"luong_dot": "18.6", "luong_general": "–"}
    assert column(table, "replaced, published")["luong_dot"] == "> 20"
    told = "Published: Luong, Pham and Manning 2015, Table 4, on its own data and at its own size (WMT'14)."
    assert told in table.hint
    for text in (str(found), markdown(found)):
        assert "18.6" in text
    rows = list(csv.DictReader(write_csv(tmp_path / "scores.csv", scores(found)).read_text("utf-8").splitlines()))
    assert {(row["split"], row["configuration"]): row["bleu_published"] for row in rows} == {
        ("test", "luong_dot"): "18.6", ("test", "luong_general"): "", ("test_long", "luong_dot"): "",
        ("test_long", "luong_general"): "",
    }  # fmt: skip


def test_in_a_paper_it_is_cited(compared):
    found, cited = compared(), Citations()
    table, other = results(found)
    text = latex_table(table, None, sources(table, found, cited))
    assert r"~\cite{luong2015effective}}" in text
    assert "18.6" in text
    assert sources(other, found, cited) == ""
    assert "published" not in latex_table(other)
    assert method(found, cited).count("BLEU~") == 1
    few = results(replace(found, columns=("chrf",)))[0]
    assert [column.title for column in few.columns if column.published] == []


@pytest.mark.parametrize("edited", [3, {"rows": 3}, {"rows": [3, {"when": 3}, {"when": {}, "values": 3}]}])
def test_an_edited_record_says_nothing(compared, edited):
    found = compared(published=edited)
    assert found.published.values == {}
    assert not any(column.published for column in quality(found, "test").columns)
