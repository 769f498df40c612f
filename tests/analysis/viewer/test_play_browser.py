"""The playground in a real browser: every control does what it says, and it asks nobody but its own server.

Its runs say what the test has them say, so that everything drawn has a known value. Skipped where there is no Chromium.
"""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import uvicorn
from browser_tab import axe_run
from playing_example import PAIR, Told, look, playground

from attnlab.cli.playing.play import address, listening
from attnlab.errors import DataError

SOURCE, TARGET = ["the", "cat", "sees"], ["die", "Katze", "sieht"]
DRAW = np.random.default_rng(1)
WEIGHTS = {size: DRAW.dirichlet(np.ones(3), (*size, 4)) for size in ((1, 1), (2, 2))}
CANDIDATES = [(["die", "Katze", "sieht"], [7, 8, 9]), (["die", "Katze"], [7, 8]), (["der", "Hund"], [10, 11])]


def candidate(tokens: list[str], ids: list[int], rank: int) -> dict[str, Any]:
    steps = [-0.25 * (1 + place) - rank * (tokens[0] == "der") for place in range(len(ids) + 1)]
    told = {"text": " ".join(tokens), "tokens": tokens, "ids": ids, "ended": True, "steps": steps}
    return {**told, "score": -0.5 - rank, "log_prob": sum(steps)}


def step(word: int) -> dict[str, Any]:
    return {
        "said": -0.25,
        "ids": [7 + word, 20, 3],
        "words": [TARGET[word % 3], "other", "</s>"],
        "log_probs": [-0.25, -2.0, -3.0],
    }


def view(size: tuple[int, int], links: Any) -> dict[str, Any]:
    array = WEIGHTS[size].copy()
    for change in [] if links is None else links.changes:
        rows = slice(None) if change.row is None else change.row
        array[..., rows, change.column] = float(change.kind == "force")
    looks = {"attention": look(array, [*TARGET, "</s>"], SOURCE)}
    if size == (2, 2):
        looks["own source"] = look(DRAW.dirichlet(np.ones(3), (2, 2, 3)), SOURCE, SOURCE)
    item = {"looks": looks, "kind": "words", "note": "", "sentences": None}
    told = {"output": "die Katze sieht", "item": item, "steps": [step(word) for word in range(4)]}
    return {**told, "candidates": [candidate(*one, rank) for rank, one in enumerate(CANDIDATES)]}


def translates(size: tuple[int, int]) -> Any:
    def says(question: Any, number: int) -> dict[str, Any]:
        text = question.texts[0]
        if text.startswith("wrong"):
            raise DataError("500 tokens, over the 200 of max_source_length=200")
        if text.startswith("slow"):
            time.sleep(0.6)
        views = [view(size, None)]
        if question.links is not None:
            behind = [{"said": -1.0, "of": [-1.5, -0.5, -3.0]} for _ in range(4)]
            changed = view(size, question.links) | {"behind": behind}
            changed["candidates"] = [candidate(["die", "Hunde", "sieht", "sie"], [7, 12, 9, 13], 0)]
            views.append(changed)
        views[0]["output"] = text
        held = len(question.beginning.ids) or len(question.beginning.text.split())
        return {"views": views, "words": SOURCE, "held": held, "note": "", "unknown": ["zzz"] if "zzz" in text else []}

    return says


def classifies(question: Any, number: int) -> dict[str, Any]:
    def seen(changes: Any) -> dict[str, Any]:
        shares = {"yes": 0.7, "no": 0.3} if changes is None else {"yes": 0.45, "no": 0.55}
        looks = {"attention": look([[0.2, 0.8], [0.5, 0.5]], ["a", "b"], ["c", "d"])}
        item = {"looks": looks, "kind": "words", "note": "yes with 0.70", "sentences": None}
        return {"output": "yes", "classes": shares, "item": item}

    views = [seen(None), *([seen(question.links)] if question.links else [])]
    return {"views": views, "words": ["c", "d"], "note": "", "unknown": []}


class Asked:
    """A page of a server that is up, and everything that it asked for or complained about."""

    def __init__(self, browser: Any, url: str, runs: dict[str, Told]) -> None:
        self.url, self.runs = url, runs
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))


@pytest.fixture(scope="module")
def asked(browser: Any) -> Iterator[Asked]:
    runs = {"first": Told("first", translates((1, 1))), "second": Told("second <i>run</i>", translates((2, 2)))}
    runs["pairs"] = Told("pairs", classifies, PAIR, example=("a b", "c d"))
    place = listening("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(playground(*runs.values()), log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]}, daemon=True)
    thread.start()
    opened = Asked(browser, address(place, "127.0.0.1"), runs)
    yield opened
    opened.context.close()
    server.should_exit = True
    thread.join(10)
    place.close()


@pytest.fixture
def page(asked: Asked) -> Any:
    """The page as it is opened, its first question answered."""
    asked.page.goto(asked.url)
    answered(asked.page, "")
    return asked.page


def answered(page: Any, before: str) -> None:
    """Wait until another question than the last one has been answered and drawn."""
    page.wait_for_selector(f"body[data-answered]:not([data-answered='{before}'])")


def ask(page: Any, do: Any) -> None:
    """Do something that asks, and wait for the answer."""
    before = page.get_attribute("body", "data-answered") or ""
    do()
    answered(page, before)


def act(page: Any, do: Any) -> None:
    """Do something, and wait until it has been drawn."""
    before = page.get_attribute("body", "data-drawn")
    do()
    page.wait_for_selector(f"body:not([data-drawn='{before}'])")


def choose(page: Any, name: str, value: str) -> None:
    script = "(e, value) => { e.value = value; e.dispatchEvent(new Event('change', { bubbles: true })); }"
    act(page, lambda: page.locator(f"#{name}").evaluate(script, value))


def tables(page: Any) -> list[list[list[str]]]:
    if page.locator("#tabled[open]").count() == 0:
        page.click("#tabled summary")
        page.wait_for_selector("#table table")
    found: list[list[list[str]]] = page.locator("#table table").evaluate_all(
        "all => all.map(t => [...t.tBodies[0].rows].map(row => [...row.cells].map(cell => cell.textContent)))"
    )
    return found


def numbers(table: list[list[str]]) -> np.ndarray:
    return np.array([[float(cell.replace("−", "-")) for cell in row[1:]] for row in table])


def click_cell(page: Any, panel: int, row: int, column: int) -> None:
    frame = page.locator("#figure svg > rect[fill=none]").nth(panel).bounding_box()
    x = frame["x"] + (column + 0.5) * frame["width"] / len(SOURCE)
    page.mouse.click(x, frame["y"] + (row + 0.5) * frame["height"] / 4)


def test_it_asks_its_own_server_alone_and_complains_of_nothing(asked: Asked, page: Any) -> None:
    for name in ("grid", "flow", "tree", "next", "map"):
        act(page, lambda name=name: page.click(f"#tab-{name}"))
        page.hover("#figure svg")
    choose(page, "group", "1")
    asked_for = {url for url in asked.requests if not url.startswith(("data:", "blob:"))}
    assert asked_for == {asked.url, f"{asked.url}answer"}
    assert asked.complaints == []


def test_runs_stand_side_by_side_and_each_head_of_each_layer_is_there(page: Any) -> None:
    assert page.locator("#said-by .says").count() == 2
    first, second = tables(page)
    assert numbers(first) == pytest.approx(WEIGHTS[1, 1][0, 0], abs=1e-3)
    assert numbers(second) == pytest.approx(WEIGHTS[2, 2][1].mean(0), abs=1e-3)  # the last layer, the mean of its heads
    choose(page, "run", "1")
    choose(page, "beside", "none")
    choose(page, "layer", "0")
    choose(page, "head", "1")
    assert numbers(tables(page)[0]) == pytest.approx(WEIGHTS[2, 2][0, 1], abs=1e-3)
    choose(page, "beside", "minus 0")
    assert numbers(tables(page)[0]) == pytest.approx(WEIGHTS[2, 2][0, 1] - WEIGHTS[1, 1][0, 0], abs=1e-3)


def test_a_sentence_is_asked_by_button_by_enter_and_while_it_is_typed(asked: Asked, page: Any) -> None:
    def last() -> str:
        return str(asked.runs["first"].asked[-1].texts[0])

    ask(page, lambda: page.fill("#field-0", "while I type"))
    assert last() == "while I type"
    page.uncheck("#live")
    page.fill("#field-0", "by the button")
    ask(page, lambda: page.click("#ask"))
    assert last() == "by the button"
    page.fill("#field-0", "by enter")
    ask(page, lambda: page.press("#field-0", "Enter"))
    assert last() == "by enter"
    page.fill("#beam", "7")
    ask(page, lambda: page.press("#beam", "Enter"))
    assert asked.runs["second"].asked[-1].beam == 7


def test_an_answer_that_comes_late_takes_nothing_from_a_newer_one(page: Any) -> None:
    page.uncheck("#live")
    page.fill("#field-0", "slow")
    page.click("#ask")
    page.wait_for_selector("#stage[aria-busy=true]")
    assert "Asking 2 runs" in page.text_content("#status")
    page.fill("#field-0", "quick zzz")
    ask(page, lambda: page.click("#ask"))
    page.wait_for_timeout(900)  # the slow one has come, too
    assert "does not know: zzz" in page.text_content("#said-by")
    assert page.get_attribute("#stage", "aria-busy") == "false"


def test_a_mistake_is_one_clear_message_and_the_next_question_is_answered(page: Any) -> None:
    page.uncheck("#live")
    page.fill("#field-0", "wrong")
    page.click("#ask")
    page.wait_for_selector("#fault:not([hidden])")
    assert page.text_content("#fault") == "500 tokens, over the 200 of max_source_length=200"
    page.fill("#field-0", "right")
    ask(page, lambda: page.click("#ask"))
    assert page.locator("#fault").is_hidden()


def test_links_are_forbidden_forced_and_taken_back(asked: Asked, page: Any) -> None:
    def sent() -> list[tuple[int | None, int, str]]:
        links = asked.runs["first"].asked[-1].links
        return [] if links is None else [(one.row, one.column, one.kind) for one in links.changes]

    click_cell(page, 0, 1, 2)
    assert page.text_content("#link-name") == "“Katze” (2) reads “sees”"
    ask(page, lambda: page.click("#link-acts >> text=Forbid here"))
    assert sent() == [(1, 2, "forbid")]
    assert page.locator("#said-by .says").count() == 4
    assert page.locator("#run option").all_text_contents()[:2] == ["first", "first, links changed"]
    assert page.locator("#figure [data-changed=forbidden]").count() == 2  # of two runs
    assert page.locator("#said-by .other").all_text_contents() == ["Hunde", "sie"] * 2
    after = numbers(tables(page)[1])
    assert after[1, 2] == 0
    assert after[0] == pytest.approx(WEIGHTS[1, 1][0, 0][0], abs=1e-3)
    click_cell(page, 0, 0, 0)
    ask(page, lambda: page.click("#link-acts >> text=Force everywhere"))
    assert sent() == [(1, 2, "forbid"), (None, 0, "force")]
    assert page.locator("#links li span").all_text_contents() == [
        "× forbidden: “sees” at 2 (Katze)", "○ forced: “the” everywhere",
    ]  # fmt: skip
    ask(page, page.locator("#links button").first.click)
    assert sent() == [(None, 0, "force")]
    ask(page, lambda: page.fill("#field-0", "another sentence"))
    assert sent() == []  # links are those of the words


def test_candidates_are_a_tree_whose_words_can_be_gone_on_from(asked: Asked, page: Any) -> None:
    act(page, lambda: page.click("#tab-tree"))
    nodes = page.locator("#figure [data-node]").evaluate_all("all => all.map(n => n.dataset.node)")
    assert nodes == [*TARGET, "⏎", "⏎", "der", "Hund", "⏎"] * 2  # what candidates have in common stands once
    logs = page.locator("#figure [data-node='der']").first.get_attribute("data-log")
    assert float(logs) == pytest.approx(-2.25)
    table = tables(page)[0]
    assert [row[1] for row in table] == [" ".join(tokens) for tokens, _ in CANDIDATES]
    assert [row[2] for row in table] == ["−0.50", "−1.50", "−2.50"]
    ask(page, page.locator("#figure [data-node='Hund']").first.click)
    beginning = asked.runs["second"].asked[-1].beginning
    assert (beginning.run, beginning.ids) == (0, [10, 11])
    assert page.input_value("#beginning") == "w10 w11"
    assert page.locator("#said-by .held").count() == 4
    ask(page, lambda: page.fill("#beginning", "die"))
    beginning = asked.runs["first"].asked[-1].beginning
    assert (beginning.text, beginning.run, beginning.ids) == ("die", None, [])


def test_next_words_are_told_before_and_after(asked: Asked, page: Any) -> None:
    act(page, lambda: page.click("#tab-next"))
    assert tables(page)[0][0] == ["1 die", "die 78 %", "other 14 %", "</s> 5.0 %", "", ""]
    act(page, lambda: page.click("#tab-map"))
    click_cell(page, 0, 1, 2)
    ask(page, lambda: page.click("#link-acts >> text=Forbid here"))
    act(page, lambda: page.click("#tab-next"))
    assert tables(page)[0][0][1:3] == ["die 78 % → 22 %", "other 14 % → 61 %"]
    ask(page, page.locator("#figure [data-step='1'][data-word='1']").first.click)
    assert asked.runs["first"].asked[-1].beginning.ids == [7, 20]


def test_a_word_that_was_said_can_be_chosen_and_replaced(asked: Asked, page: Any) -> None:
    page.locator("#said-by button").nth(1).click()
    assert "first, word 2" in page.text_content("#step-name")
    ask(page, lambda: page.click("#step-words >> text=other"))
    assert asked.runs["first"].asked[-1].beginning.ids == [7, 20]
    page.locator("#said-by button").nth(2).click()
    ask(page, lambda: page.click("#step-words >> text=only what stands before it"))
    assert asked.runs["first"].asked[-1].beginning.ids == [7, 8]


def test_runs_of_another_task_have_boxes_of_their_own(asked: Asked, page: Any) -> None:
    ask(page, lambda: choose(page, "group", "1"))
    assert page.locator("#fields label").all_text_contents() == ["Premise", "Hypothesis"]
    assert page.locator("#of-translation").is_hidden()
    assert page.locator("#tab-tree").is_hidden()
    shares = page.locator("#figure [data-class]").evaluate_all(
        "all => all.map(b => [b.dataset.class, b.dataset.share])"
    )
    assert shares == [["yes", "0.7000"], ["no", "0.3000"]]
    assert tables(page)[0] == [["yes", "0.7000"], ["no", "0.3000"]]
    page.focus("#figure")
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    ask(page, lambda: page.keyboard.press("Enter"))
    assert asked.runs["pairs"].asked[-1].links.changes[0].column == 1
    texts = page.locator("#figure text").all_text_contents()
    assert "45.0 % (−25.0)" in texts
    assert "55.0 % (+25.0)" in texts
    choose(page, "group", "0")
    assert page.input_value("#field-0") == "the cat sees"


def test_what_is_saved_is_what_is_seen(page: Any) -> None:
    for name in ("map", "tree", "next"):
        act(page, lambda name=name: page.click(f"#tab-{name}"))
        with page.expect_download() as got:
            page.click("#save-svg")
        saved = ElementTree.fromstring(Path(got.value.path()).read_text("utf-8"))
        script = (
            "s => { const c = s.cloneNode(true); c.querySelectorAll('.mark').forEach(m => m.remove());"
            " return new XMLSerializer().serializeToString(c); }"
        )
        on_screen = ElementTree.fromstring(page.locator("#figure svg").evaluate(script))
        one, other = (ElementTree.canonicalize(ElementTree.tostring(each)) for each in (saved, on_screen))
        assert one == other
    with page.expect_download() as got:
        page.click("#save-png")
    data = Path(got.value.path()).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(data[16:20], "big") == 3 * int(saved.get("width", "0"))


def test_everything_can_be_done_with_keys(asked: Asked, page: Any) -> None:
    reached = set()
    page.evaluate("document.activeElement.blur()")
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert reached >= {"theme", "group", "field-0", "beginning", "beam", "ask", "live", "run", "figure", "save-svg"}
    page.focus("#figure")
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.textContent") == "Forbid here"
    ask(page, lambda: page.keyboard.press("Enter"))
    assert [(one.row, one.column) for one in asked.runs["first"].asked[-1].links.changes] == [(1, 0)]
    page.focus("#tab-map")
    for _ in range(3):
        act(page, lambda: page.keyboard.press("ArrowRight"))
    assert page.evaluate("document.activeElement.id") == "tab-tree"
    page.focus("#figure")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert str(page.text_content("#said")).startswith("⏎ 47 %")  # below the second word
    for key in ("ArrowUp", "ArrowLeft", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    assert str(page.text_content("#said")).startswith("die 78 %")
    ask(page, lambda: page.keyboard.press("Enter"))
    assert asked.runs["first"].asked[-1].beginning.ids == [7]


def test_names_are_given_to_everything_that_can_be_used(page: Any) -> None:
    click_cell(page, 0, 1, 2)
    page.locator("#said-by button").first.click()
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, select, input, textarea, [tabindex]')].filter(e => e.checkVisibility()"
        " && !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.labels?.length ||"
        " e.textContent.trim())).map(e => e.outerHTML)"
    )
    assert nameless == []
    assert page.get_attribute("#said-by button", "aria-label") == "die, word 1, 78 %"


@pytest.mark.parametrize(("name", "theme"), [("map", "light"), ("map", "dark"), ("tree", "dark"), ("next", "light")])
def test_axe_finds_nothing_to_mend(page: Any, name: str, theme: str) -> None:
    """The rules of WCAG 2.2 and good practice that a machine can check (axe-core), with everything unfolded."""
    axe = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    if page.evaluate("document.documentElement.dataset.theme") != theme:
        act(page, lambda: page.click("#theme"))
    click_cell(page, 0, 1, 2)
    ask(page, lambda: page.click("#link-acts >> text=Force here"))
    click_cell(page, 1, 0, 0)
    act(page, lambda: page.click(f"#tab-{name}"))
    page.locator("#said-by button").nth(1).click()
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    page.wait_for_selector("#table table")
    found = axe_run(page, axe)
    assert len(found["passes"]) > 20
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]] == []


@pytest.mark.parametrize("width", [320, 640, 1280])
def test_fits_any_width_and_200_percent(page: Any, width: int) -> None:
    """A window of 1280 pixels at 200% is one of 640."""
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1280, "height": 900})


def test_a_server_that_is_gone_is_told(asked: Asked, page: Any) -> None:
    page.uncheck("#live")
    page.route("**/answer", lambda route: route.abort())
    page.click("#ask")
    page.wait_for_selector("#fault:not([hidden])")
    assert "has it been ended?" in page.text_content("#fault")
    page.unroute("**/answer")
    asked.complaints.clear()  # the browser's own, of the request that failed
    ask(page, lambda: page.click("#ask"))


def test_two_pages_at_once_get_each_their_own(asked: Asked, page: Any) -> None:
    other = asked.context.new_page()
    other.goto(asked.url)
    answered(other, "")
    for one, text in ((page, "mine"), (other, "yours zzz")):
        one.uncheck("#live")
        one.fill("#field-0", text)
    before = [one.get_attribute("body", "data-answered") for one in (page, other)]
    page.click("#ask")
    other.click("#ask")
    for one, last in zip((page, other), before, strict=True):
        answered(one, last)
    assert "zzz" not in page.text_content("#said-by")
    assert "zzz" in other.text_content("#said-by")
    assert asked.complaints == []
    other.close()
