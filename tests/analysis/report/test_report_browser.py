"""The report in a real browser: nothing leaves the file, no error, and everything that can be done works.

Chromium is driven through Playwright: the one installed (Debian: ``apt-get install chromium``), the one that
``playwright install chromium`` brings, or the one named in the variable CHROMIUM. Where there is none these tests are
skipped.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser_tab import Tab
from report_example import ARABIC, JAPANESE, example

from attnlab.analysis.comparison import Comparison
from attnlab.analysis.report.page import write_report

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

NAMES = ["none", "luong_dot", "bahdanau", "注意 <i>x</i>"]
MANY = [*NAMES, *(f"configuration_{number}" for number in range(13))]
A4 = 794 - 2 * 53  # pixels between the margins of the page
TIP = "#tip:not([hidden])"


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return example(tmp_path_factory.mktemp("runs"), NAMES)


@pytest.fixture(scope="module")
def report(comparison: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(comparison, tmp_path_factory.mktemp("report") / "report.html")[0]


@pytest.fixture
def open_tab(browser: Any, report: Path) -> Iterator[Any]:
    tabs: list[Tab] = []

    def opened(path: Path = report, **settings: Any) -> Tab:
        tabs.append(Tab(browser, path, **settings))
        return tabs[-1]

    yield opened
    for tab in tabs:
        tab.context.close()


def test_nothing_leaves_the_file(open_tab: Any, report: Path) -> None:
    tab = open_tab()
    use(tab.page)
    assert [url for url in tab.requests if not url.startswith("data:")] == [report.as_uri()]
    assert tab.complaints == []
    assert tab.page.evaluate("window.broken") is None


def use(page: Any) -> None:
    """Do what a reader does: sort every table, open what is folded, go over every map."""
    for button in page.locator("th button").all():
        button.click()
    for fold in page.locator("summary").all():
        fold.click()
    for heat in page.locator("svg.heat").all():
        heat.scroll_into_view_if_needed()
        heat.hover()


def test_the_watch_over_requests_sees_one(open_tab: Any, tmp_path: Path) -> None:
    path = tmp_path / "loads.html"
    path.write_text("<!DOCTYPE html><img src='http://127.0.0.1:9/x.png'><script>throw Error('seen')</script>")
    tab = open_tab(path)
    assert "http://127.0.0.1:9/x.png" in tab.requests
    assert any("seen" in complaint for complaint in tab.complaints)


def test_the_policy_lets_nothing_load_or_run(open_tab: Any) -> None:
    tab = open_tab()
    with pytest.raises(sync_api.Error, match="Failed to fetch"):
        tab.page.evaluate("fetch('http://127.0.0.1:9/')")
    tab.page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s);"
        "const d = document.createElement('div'); d.innerHTML = '<img src=x onerror=\"window.ran = 1\">';"
        "document.body.append(d); }"
    )
    tab.page.wait_for_timeout(100)
    assert tab.page.evaluate("window.ran") is None


def test_figures_are_there(open_tab: Any, report: Path) -> None:
    page = open_tab().page
    charts = page.locator("svg.chart").all()
    assert len(charts) == len(list((report.parent / "figures").glob("*.png")))
    for chart in charts:
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        assert box["width"] > 300
        assert box["height"] > 90
        picture = np.frombuffer(chart.screenshot(type="jpeg"), np.uint8)
        assert len(picture) > 4000  # an empty one has less than half of that
        shapes = chart.locator("path, use").all()
        assert sum(shape.bounding_box() is not None for shape in shapes) > 5


def test_pointing_at_a_cell_tells_words_and_weight(open_tab: Any, comparison: Comparison) -> None:
    page = open_tab().page
    contrast = comparison.contrasts[0]
    kept = {item.number: item for item in contrast.run_a.maps("test")}
    heat = page.locator("svg.heat").first
    hit = heat.locator(".hit")
    heat.scroll_into_view_if_needed()
    rows, columns = kept[0].weights.shape
    for row, column in [(0, 0), (rows - 1, columns - 1), (3, 2), (0, columns - 1)]:
        box = hit.bounding_box()
        at = box["x"] + (column + 0.5) * box["width"] / columns, box["y"] + (row + 0.5) * box["height"] / rows
        page.mouse.move(*at)
        expected = f"{ARABIC[column]} → {JAPANESE[row]}\u2003{kept[0].weights[row, column]:.3f}"
        assert page.locator(TIP).text_content() == expected
        assert heat.locator("text.on").evaluate_all("marked => marked.map(m => m.dataset.word)") == [
            ARABIC[column], JAPANESE[row],
        ]  # fmt: skip
    page.mouse.move(1, 1)
    assert page.locator(TIP).count() == 0


def test_two_maps_of_a_sentence_stand_side_by_side(open_tab: Any) -> None:
    for width, beside in ((1280, True), (380, False)):
        page = open_tab(width=width).page
        for pair in page.locator(".pair").all()[:2]:
            first, second = (figure.bounding_box() for figure in pair.locator(".maps figure").all())
            assert (second["x"] >= first["x"] + first["width"]) == beside
            assert (second["y"] >= first["y"] + first["height"]) != beside
            assert second["x"] + second["width"] <= width


def test_maps_answer_to_the_keyboard(open_tab: Any) -> None:
    page = open_tab().page
    page.locator("svg.heat").first.focus()
    said = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
        said.append(str(page.locator("#said").text_content()).split("\u2003")[0])
    words = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 1)]
    assert said == [f"{ARABIC[source]} → {JAPANESE[target]}" for source, target in words]
    page.keyboard.press("Escape")
    assert page.locator(TIP).count() == 0


def test_tables_sort_by_pointer_and_keyboard(open_tab: Any, comparison: Comparison) -> None:
    page = open_tab().page
    table = page.locator("table").first
    head = table.locator("th", has_text="BLEU")

    def names() -> list[str]:
        return list(table.locator("tbody th").evaluate_all("heads => heads.map(h => h.dataset.value)"))

    means = {
        item.name: float(np.mean([r.metrics["test/bleu"] for r in item.runs])) for item in comparison.configurations
    }
    best_first = sorted(means, key=lambda name: -means[name])
    head.locator("button").click()
    assert (names(), head.get_attribute("aria-sort")) == (best_first, "descending")
    page.keyboard.press("Enter")
    assert (names(), head.get_attribute("aria-sort")) == (best_first[::-1], "ascending")
    table.locator("th button").first.click()
    assert names()[:3] == ["bahdanau", "luong_dot", "none"]
    assert head.get_attribute("aria-sort") is None


@pytest.mark.parametrize("width", [320, 380, 1280, 2200])
def test_fits_any_width(open_tab: Any, width: int) -> None:
    page = open_tab(width=width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_texts_are_legible(open_tab: Any, dark: bool) -> None:
    page = open_tab(dark=dark).page
    ground = colour(page, "body", "backgroundColor")
    assert (ground.mean() < 0.2) == dark
    for place in ("h1", ".lead", "td small", "a", "figcaption", ".hint", "svg.chart text", "svg.heat text"):
        ink = colour(page, place, "fill" if place.startswith("svg") else "color")
        lighter, darker = sorted((luminance(ink), luminance(ground)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, place  # WCAG 2.2, 1.4.3


def colour(page: Any, place: str, of: str) -> np.ndarray:
    text = page.locator(place).first.evaluate(f"element => getComputedStyle(element).{of}")
    return np.array([int(part) for part in re.findall(r"\d+", text)[:3]]) / 255


def luminance(rgb: np.ndarray) -> float:
    return float(np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def test_prints_whole(open_tab: Any) -> None:
    """On A4 nothing is cut at the right, figures stay whole, and heads of tables can return on every page."""
    tab = open_tab(width=A4)
    tab.page.emulate_media(media="print")
    cut = tab.page.evaluate(
        "width => [...document.querySelectorAll('table, figure, pre, svg, dl')]"
        ".filter(e => e.getBoundingClientRect().right > width + 1).map(e => e.outerHTML.slice(0, 80))",
        A4,
    )
    assert cut == []
    figures = tab.page.locator("figure").evaluate_all("all => all.map(f => getComputedStyle(f).breakInside)")
    assert set(figures) == {"avoid"}
    buttons = tab.page.locator("th button").evaluate_all("all => all.map(b => getComputedStyle(b).display)")
    assert set(buttons) == {"contents"}  # Chromium repeats no head that has a control in it
    assert tab.page.locator("nav").is_hidden()
    assert tab.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_many_configurations_stay_readable(browser: Any, tmp_path: Path) -> None:
    comparison = example(tmp_path / "runs", MANY, awkward=False)
    tab = Tab(browser, write_report(comparison, tmp_path / "report.html")[0])
    page = tab.page
    assert tab.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    sizes = page.locator("svg.chart text").evaluate_all(
        "all => all.map(text => parseFloat(getComputedStyle(text).fontSize)"
        " * text.ownerSVGElement.getBoundingClientRect().width / text.ownerSVGElement.viewBox.baseVal.width)"
    )
    assert min(sizes) >= 9
    box = page.locator("#table-all-pairs").locator("xpath=../..")
    assert box.bounding_box()["height"] <= 600  # 136 pairs scroll within
    folded = page.locator("details").count()
    assert folded == len(comparison.contrasts) - 2
    tab.context.close()
