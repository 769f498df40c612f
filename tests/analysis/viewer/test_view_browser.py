"""The viewer in a real browser: every control does what it says, and nothing leaves the file.

Skipped where there is no Chromium, as the tests of the report are.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from browser_tab import Tab, axe_run
from page_example import ARABIC, JAPANESE, collected, formed
from PIL import Image

from attnlab.analysis.viewer.heads import divergence
from attnlab.analysis.viewer.page import render

SVG = "{http://www.w3.org/2000/svg}"
MADE = collected()
FULL = 4  # an item with gold links, all words of both sides, and self-attention


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("view") / "view.html"
    file.write_text(render(MADE), "utf-8")
    return file


@pytest.fixture(scope="module")
def tab(browser: Any, path: Path) -> Iterator[Tab]:
    opened = Tab(browser, path)
    opened.page.wait_for_selector("body[data-ready]")
    yield opened
    opened.context.close()


@pytest.fixture
def page(tab: Tab) -> Any:
    """The page as it was opened, at the item that has everything."""
    tab.page.reload()
    tab.page.wait_for_selector("body[data-ready]")
    act(tab.page, lambda: tab.page.click(f"[data-item='{FULL}']"))
    return tab.page


def act(page: Any, do: Any) -> None:
    """Do something, and wait until it has been drawn."""
    before = page.evaluate("document.body.dataset.drawn")
    do()
    page.wait_for_function("before => document.body.dataset.drawn !== before", arg=before)


def choose(page: Any, name: str, value: str) -> None:
    """By the value of an option; Playwright's own way would take "2" for the second of 1, 2, 3."""
    script = "(e, value) => { e.value = value; e.dispatchEvent(new Event('change', { bubbles: true })); }"
    act(page, lambda: page.locator(f"#{name}").evaluate(script, value))


def weights(run: int, item: int, look: str = "attention") -> np.ndarray:
    return np.asarray(MADE.runs[run].items[item].looks[look].weights)


def table(page: Any) -> np.ndarray:
    """The picture as a table, which stands in the page when it is unfolded."""
    if page.locator("#tabled[open]").count() == 0:
        page.click("#tabled summary")
        page.wait_for_selector("#table table")
    rows = page.locator("#table table").first.evaluate(
        "table => [...table.tBodies[0].rows].map(row => [...row.querySelectorAll('td')].map(cell => cell.textContent))"
    )
    return np.array([[float(cell.replace("−", "-")) for cell in row] for row in rows])


def test_nothing_leaves_the_file(tab: Tab, page: Any, path: Path) -> None:
    for name in ("grid", "flow", "summary", "map"):
        act(page, lambda name=name: page.click(f"#tab-{name}"))
        page.hover("#figure svg")
    assert {url for url in tab.requests if not url.startswith(("data:", "blob:"))} == {path.as_uri()}
    assert tab.complaints == []


def test_run_layer_head_and_attention_are_chosen(page: Any) -> None:
    assert table(page) == pytest.approx(weights(0, FULL)[1].mean(0), abs=3e-3)  # the last layer, the mean of its heads
    choose(page, "layer", "0")
    choose(page, "head", "2")
    assert table(page) == pytest.approx(weights(0, FULL)[0, 2], abs=3e-3)
    choose(page, "run", "1")
    assert table(page) == pytest.approx(weights(1, FULL)[0, 2], abs=3e-3)
    choose(page, "layer", "mean")
    choose(page, "look", "own source")
    choose(page, "layer", "mean")
    assert table(page) == pytest.approx(weights(1, FULL, "own source").mean((0, 1)), abs=3e-3)
    head = page.locator("#table th[scope=col]").all_text_contents()
    assert head == ARABIC[: len(head)]


def test_two_runs_stand_side_by_side_and_are_subtracted(page: Any) -> None:
    choose(page, "beside", "with 1")
    assert page.locator("#table table").count() == 0
    page.click("#tabled summary")
    page.wait_for_selector("#table table")
    assert page.locator("#table table").count() == 2
    choose(page, "beside", "minus 1")
    expected = weights(0, FULL)[1].mean(0) - weights(1, FULL)[1].mean(0)
    assert table(page) == pytest.approx(expected, abs=6e-3)
    fills = page.locator("#figure path").evaluate_all("all => all.map(p => p.getAttribute('fill'))")
    blue, orange = ([fill for fill in fills if fill.startswith("#") and warmer(fill) == warm] for warm in (False, True))
    assert blue
    assert orange


def warmer(color: str) -> bool:
    return int(color[1:3], 16) > int(color[5:7], 16)


def test_numbers_and_shades_can_be_had_otherwise(page: Any) -> None:
    mean = weights(0, FULL)[1].mean(0)
    act(page, lambda: page.check("#numbers"))
    texts = page.locator("#figure text").all_text_contents()
    assert f"{mean[0, 0]:.2f}".removeprefix("0") in texts
    act(page, lambda: page.check("#stretched"))
    assert f"{mean.max():.2f}" in page.locator("#figure text").all_text_contents()  # the end of the scale
    fills = page.locator("#figure path").evaluate_all("all => all.map(p => p.getAttribute('fill'))")
    assert "#08306b" in fills  # the darkest of viz/palette.py
    box = page.locator("#figure svg").bounding_box()
    title = page.locator("#figure svg text[font-weight]").first.bounding_box()
    assert title["x"] + title["width"] <= box["x"] + box["width"]


def test_pointing_at_a_word_shows_what_it_read_and_what_read_it(page: Any) -> None:
    mean = weights(0, FULL)[1].mean(0)
    page.locator("[data-side=rows] button").nth(1).hover()
    shown = page.locator("[data-side=columns] button").evaluate_all("all => all.map(w => Number(w.dataset.weight))")
    assert shown == pytest.approx(mean[1], abs=3e-3)
    assert str(page.locator("#tip").text_content()).startswith(f"{JAPANESE[1]} reads {ARABIC[mean[1].argmax()]}")
    page.locator("[data-side=columns] button").nth(2).hover()
    shown = page.locator("[data-side=rows] button").evaluate_all("all => all.map(w => Number(w.dataset.weight))")
    assert shown == pytest.approx(mean[:, 2], abs=3e-3)
    assert f"{ARABIC[2]} is read by {JAPANESE[mean[:, 2].argmax()]}" in str(page.locator("#tip").text_content())


def test_pointing_at_a_cell_tells_words_and_weight(page: Any) -> None:
    frame = page.locator("#figure svg > rect[fill=none]").first.bounding_box()
    rows, columns = weights(0, FULL).shape[2:]
    page.mouse.move(frame["x"] + 1.5 * frame["width"] / columns, frame["y"] + 2.5 * frame["height"] / rows)
    told = str(page.locator("#tip").text_content())
    assert told.startswith(f"{JAPANESE[2]} reads {ARABIC[1]}")
    assert float(told.split("\u2003")[1]) == pytest.approx(weights(0, FULL)[1].mean(0)[2, 1], abs=3e-3)


def test_true_links_are_framed_sure_ones_and_possible_ones_apart(page: Any) -> None:
    def links(kind: str) -> int:
        return int(page.locator(f"#figure [data-gold={kind}]").count())

    assert (links("sure"), links("possible")) == (2, 1)
    act(page, lambda: page.uncheck("#gold"))
    assert (links("sure"), links("possible")) == (0, 0)


def test_items_are_searched_ordered_and_filtered(page: Any) -> None:
    def first(count: int = 3) -> list[int]:
        return [int(n) for n in page.locator("#list [data-item]").evaluate_all("a => a.map(i => i.dataset.item)")][
            :count
        ]

    page.fill("#search", "LONG")
    assert first() == [1, 3, 5]
    assert page.text_content("#count") == "20 of 40 sentences"
    page.fill("#search", "")
    page.select_option("#sort", "best")
    assert first() == [39, 38, 37]
    page.select_option("#sort", "aer")
    assert first() == [39, 38, 34]  # of those with gold links
    page.select_option("#sort", "entropy")
    spread = [MADE.runs[0].items[n].looks["attention"].weights for n in range(40)]
    bits = [float(-(w * np.log2(w, where=w > 0, out=np.zeros_like(w))).sum(-1).mean()) for w in spread]
    assert first() == np.argsort(bits)[::-1][:3].tolist()
    page.select_option("#sort", "number")
    page.click("#filters summary")
    page.fill("[data-range=score][data-end=low]", "30")
    page.fill("[data-range=length][data-end=high]", "3")
    lengths = [max(w.shape[2:]) for w in spread]
    assert first(9) == [n for n in range(30, 40) if lengths[n] <= 3]
    page.click("#unfilter")
    assert page.text_content("#count") == "40 of 40 sentences"


def test_heads_are_drawn_named_and_opened(page: Any) -> None:
    act(page, lambda: page.click("#tab-grid"))
    assert page.locator("#figure [data-spot]").count() == 6
    act(page, lambda: page.locator("#figure [data-spot='0 0 1']").click())
    assert page.locator("[aria-selected=true][role=tab]").text_content() == "Map"
    assert table(page) == pytest.approx(weights(0, FULL)[0, 1], abs=3e-3)
    choose(page, "beside", "with 1")
    act(page, lambda: page.click("#tab-summary"))
    choose(page, "measure", "apart")
    both = zip(*(run.items for run in MADE.runs), strict=True)
    summed = [(divergence(a.looks["attention"], b.looks["attention"]), len(a.looks["attention"].rows)) for a, b in both]
    expected = sum(found for found, _ in summed) / sum(rows for _, rows in summed)
    assert table(page) == pytest.approx(expected, abs=1e-3)


def test_flow_is_that_of_matrix_products(page: Any) -> None:
    choose(page, "look", "own source")
    act(page, lambda: page.click("#tab-flow"))
    choose(page, "flow-row", "2")
    layers = weights(0, FULL, "own source").mean(1) / 2 + np.eye(len(ARABIC[:4])) / 2
    assert table(page) == pytest.approx(np.stack([(layers[1] @ layers[0])[2], layers[0][2]]), abs=5e-3)
    choose(page, "way", "flow")
    expected = [maximum_flow(layers[: depth + 1], 2) for depth in (1, 0)]
    assert table(page) == pytest.approx(np.stack(expected), abs=5e-3)


def maximum_flow(layers: np.ndarray, row: int) -> np.ndarray:
    """By scipy, in millionths."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_flow as scipy_flow

    depth, n = layers.shape[:2]
    graph = np.zeros(((depth + 1) * n,) * 2, np.int32)
    for layer in range(depth):
        graph[(layer + 1) * n : (layer + 2) * n, layer * n : (layer + 1) * n] = np.rint(layers[layer] * 1e6)
    found = np.array([scipy_flow(csr_matrix(graph), depth * n + row, place).flow_value for place in range(n)], float)
    return found / found.sum()


def test_what_is_saved_is_what_is_seen(page: Any) -> None:
    with page.expect_download() as got:
        page.click("#save-svg")
    text = Path(got.value.path()).read_text("utf-8")
    saved = ElementTree.fromstring(text)
    on_screen = ElementTree.fromstring(
        page.locator("#figure svg").evaluate("s => new XMLSerializer().serializeToString(s)")
    )
    assert got.value.suggested_filename == f"attention-{FULL + 1}-map.svg"
    assert ElementTree.canonicalize(ElementTree.tostring(saved)) == ElementTree.canonicalize(
        ElementTree.tostring(on_screen)
    )
    assert {node.text for node in saved.iter(f"{SVG}text")} >= {*ARABIC[:4], *JAPANESE}
    with page.expect_download() as got:
        page.click("#save-png")
    data = Path(got.value.path()).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width = int.from_bytes(data[16:20], "big")
    assert width == 3 * int(saved.get("width", "0"))


def test_saved_pictures_look_as_the_screen_does(tab: Tab, page: Any) -> None:
    """To the pixel, but for the edges of letters, which are drawn at three times the size."""
    choose(page, "beside", "minus 1")
    act(page, lambda: page.check("#numbers"))
    screen = pixels(page.locator("#figure svg").screenshot())
    for kind in ("svg", "png"):
        with page.expect_download() as got:
            page.click(f"#save-{kind}")
        data = Path(got.value.path()).read_bytes()
        if kind == "svg":
            alone = tab.context.new_page()
            alone.set_content(f"<body style='margin:0'>{data.decode()}")
            data = alone.locator("svg").screenshot()
            alone.close()
        saved = pixels(data, screen.shape[1::-1])
        assert saved.shape == screen.shape
        assert np.abs(saved - screen).mean() < 4


def pixels(data: bytes, size: tuple[int, int] | None = None) -> np.ndarray:
    image = Image.open(BytesIO(data)).convert("RGB")
    return np.asarray(image if size is None else image.resize(size, Image.Resampling.BOX), np.float64)


def test_everything_can_be_done_with_keys(page: Any) -> None:
    page.focus("#list")
    act(page, lambda: page.keyboard.press("ArrowDown"))
    assert page.locator("#list [aria-selected=true]").get_attribute("data-item") == str(FULL + 1)
    act(page, lambda: page.keyboard.press("ArrowUp"))
    page.focus("#figure")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert str(page.text_content("#said")).startswith(f"{JAPANESE[1]} reads {ARABIC[1]}")
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()
    page.focus("#tab-map")
    act(page, lambda: page.keyboard.press("ArrowRight"))
    assert page.evaluate("document.activeElement.id") == "tab-grid"
    reached = set()
    page.evaluate("document.activeElement.blur()")
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert reached >= {
        "search",
        "sort",
        "list",
        "run",
        "beside",
        "look",
        "layer",
        "head",
        "figure",
        "save-svg",
        "theme",
    }


def test_names_are_given_to_everything_that_can_be_used(page: Any) -> None:
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, select, input, [tabindex]')].filter(e => e.checkVisibility() && !("
        "e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.labels?.length || "
        "e.textContent.trim()))"
        ".map(e => e.outerHTML)"
    )
    assert nameless == []
    assert "2 layers" not in str(page.locator("#figure svg").get_attribute("aria-label"))
    assert "first, layer 2" in str(page.locator("#figure svg").get_attribute("aria-label"))


@pytest.mark.parametrize(("look", "name", "theme"), [
    ("attention", "map", "light"), ("attention", "grid", "light"), ("own source", "flow", "light"),
    ("attention", "summary", "dark"), ("attention", "map", "dark"),
])  # fmt: skip
def test_axe_finds_nothing_to_mend(page: Any, look: str, name: str, theme: str) -> None:
    """The rules of WCAG 2.2 and good practice that a machine can check (axe-core), with everything unfolded."""
    axe = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    choose(page, "look", look)
    choose(page, "beside", "with 1")
    if page.evaluate("document.documentElement.dataset.theme") != theme:
        act(page, lambda: page.click("#theme"))
    act(page, lambda: page.click(f"#tab-{name}"))
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    page.wait_for_selector("#table table")
    found = axe_run(page, axe)
    assert len(found["passes"]) > 20
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]] == []


@pytest.mark.parametrize("width", [320, 640, 1280])
def test_fits_any_width_and_200_percent(tab: Tab, page: Any, width: int) -> None:
    """A window of 1280 pixels at 200% is one of 640."""
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1280, "height": 900})


def test_a_low_panel_of_a_dashboard_shows_the_picture(browser: Any, tmp_path: Path) -> None:
    """W&B shows the page in a frame, sandboxed, 300 pixels high: the slider and the first rows of the map are seen."""
    (tmp_path / "view.html").write_text(render(formed(sign=-1.0)), "utf-8")
    (tmp_path / "panel.html").write_text(
        '<iframe sandbox="allow-scripts" src="view.html" '
        'style="border: 0; position: fixed; inset: 0; width: 100%; height: 100%"></iframe>',
        "utf-8",
    )
    opened = Tab(browser, tmp_path / "panel.html")
    opened.page.set_viewport_size({"width": 1280, "height": 300})
    frame = opened.page.frames[1]
    frame.wait_for_selector("body[data-ready]")
    bottom = "e => e.getBoundingClientRect().bottom"
    assert frame.locator("#moment").evaluate(bottom) < 100
    assert frame.locator("#figure").evaluate("e => e.getBoundingClientRect().top") < 150
    assert not frame.locator("#search").is_visible()
    frame.evaluate("scrollTo(0, 200)")
    assert 0 < frame.locator("#moment").evaluate(bottom) < 60, "it stays, however far down the picture one reads"
    opened.page.set_viewport_size({"width": 460, "height": 300})
    assert frame.evaluate("document.documentElement.scrollWidth") <= 460
    assert frame.locator("#theme").evaluate("e => e.getClientRects().length && e.offsetHeight") < 30, "one line"
    assert opened.complaints == []
    opened.context.close()


def test_what_leaves_no_choice_is_not_shown(moments: Any, page: Any) -> None:
    seen = {
        (each.locator(f"#{name} option").count() > 1, each.locator(f"#{name}").is_visible())
        for each in (moments, page) for name in ("run", "look", "layer", "head")
    }  # fmt: skip
    assert seen == {(True, True), (False, False)}


def test_dark_and_light_are_drawn_alike(page: Any) -> None:
    def ground() -> str:
        return str(page.locator("#figure svg > rect").first.get_attribute("fill"))

    assert ground() == "#ffffff"
    act(page, lambda: page.click("#theme"))
    assert ground() == "#15181c"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 28)"


@pytest.fixture
def moments(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """A page of two runs over their training, weights of either sign."""
    (tmp_path / "view.html").write_text(render(formed(sign=-1.0)), "utf-8")
    opened = Tab(browser, tmp_path / "view.html")
    opened.page.wait_for_selector("body[data-ready]")
    yield opened.page
    assert opened.complaints == []
    opened.context.close()


def test_a_slider_goes_through_training_and_the_other_run_goes_along(moments: Any) -> None:
    page, runs = moments, formed(sign=-1.0).runs

    def slide(key: str) -> np.ndarray:
        page.focus("#moment")
        act(page, lambda: page.keyboard.press(key))
        return table(page)

    assert page.locator("#run option").all_text_contents() == ["first", "second"]
    assert page.locator("#moment-name").text_content() == "epoch 1"
    assert slide("End") == pytest.approx(runs[2].items[0].looks["attention"].weights.mean((0, 1)), abs=5e-3)
    assert page.locator("#moment").get_attribute("aria-valuetext") == "epoch 3"
    beside = page.locator("#beside option").all_text_contents()
    assert beside[:4] == ["alone", "beside second, epoch 3", "beside first, epoch 1", "beside first, epoch 2"]
    choose(page, "beside", "minus 5")
    expected = [runs[n].items[0].looks["attention"].weights.mean((0, 1)) for n in range(7)]
    assert table(page) == pytest.approx(expected[2] - expected[5], abs=1e-2)
    assert slide("ArrowLeft") == pytest.approx(expected[1] - expected[4], abs=1e-2)
    choose(page, "beside", "minus 0")  # the same run before: that stays
    assert slide("ArrowRight") == pytest.approx(expected[2] - expected[0], abs=1e-2)
    choose(page, "run", "5")
    assert page.locator("#moment-name").text_content() == "epoch 3"
    slide("End")
    assert page.locator("#moment-name").text_content() == "epoch 4"


def test_signed_weights_have_a_colour_for_either_side(moments: Any) -> None:
    fills = moments.locator("#figure path").evaluate_all("all => all.map(p => p.getAttribute('fill'))")
    assert any(warmer(fill) for fill in fills if fill.startswith("#"))
    assert {"−1", "1"} <= set(moments.locator("#figure text").all_text_contents())
