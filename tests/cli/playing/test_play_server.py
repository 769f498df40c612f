"""The server of the playground, of runs that say what a test has them say: who may ask, how much, how many at once."""

import json
import os
import re
import signal
import threading
from base64 import b64encode
from contextlib import suppress
from functools import partial
from hashlib import sha256

import httpx2
import pytest
from playing_example import PAIR, Told, playground
from starlette.testclient import TestClient

from attnlab.cli.playing.play import address, listening, serve
from attnlab.cli.playing.player import Kind
from attnlab.cli.playing.questions import MOST_BYTES
from attnlab.cli.playing.server import WAITING
from attnlab.errors import DataError
from attnlab.interruption import LISTENER, Interrupted

HERE = "http://127.0.0.1:8421"
QUESTION = {"group": 0, "texts": ["the cat sees"]}


def echo(question, number):
    return {"views": [], "text": question.texts[0], "number": number}


def client(*players, **settings):
    return TestClient(playground(*(players or [Told("one", echo)]), **settings), HERE, raise_server_exceptions=False)


def test_the_page_lets_nothing_run_but_its_own_script():
    page = client().get("/")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    for kind in ("script", "style"):
        (text,) = re.findall(rf"<{kind}>(.*?)</{kind}>", page.text, re.DOTALL)
        assert policy[f"{kind}-src"] == f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"""(?:src|href)=["']?(?!data:,)\S*//""", page.text)


def test_hostile_names_end_no_element():
    page = client(Told("</script><script>alert(1)</script>", echo, example=("</script>",))).get("/").text
    assert "<script>alert" not in page
    (told,) = re.findall(r'<script type="application/json" id="told">(.*?)</script>', page, re.DOTALL)
    assert json.loads(told)["groups"][0]["example"] == ["</script>"]


def test_a_question_is_put_to_every_run_of_its_group():
    asked = client(Told("one", echo), Told("two", echo), Told("three", echo, PAIR))
    assert asked.post("/answer", json=QUESTION).json()["runs"] == [
        {"views": [], "text": "the cat sees", "number": number} for number in (0, 1)
    ]
    other = {"group": 1, "texts": ["a", "b"]}
    assert asked.post("/answer", json=other).json()["runs"] == [{"views": [], "text": "a", "number": 0}]


def test_tokens_of_one_run_are_a_text_for_the_others():
    first, second = Told("one", echo), Told("two", echo)
    found = client(first, second).post("/answer", json=QUESTION | {"beginning": {"run": 1, "ids": [5, 6]}}).json()
    assert found["beginning"] == "w5 w6"
    assert first.asked[0].beginning.text == second.asked[0].beginning.text == "w5 w6"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8421", "127.0.0.1.evil.example", "", "[", "0.0.0.0"])
def test_a_name_that_is_none_of_the_server_is_refused(host):
    for method in ("get", "post"):
        found = getattr(client(), method)("/", headers={"host": host})
        assert found.status_code == 421
        assert "no name of this server" in found.json()["error"]


@pytest.mark.parametrize("host", ["127.0.0.1:9", "localhost:8421", "LOCALHOST", "[::1]:8421"])
def test_names_of_this_machine_are_known(host):
    assert client().get("/", headers={"host": host}).status_code == 200


def test_a_server_that_others_reach_is_known_by_addresses_and_by_its_own_name():
    asked = client(host="0.0.0.0")
    assert asked.get("/", headers={"host": "192.168.1.7:8421"}).status_code == 200
    assert asked.get("/", headers={"host": "evil.example"}).status_code == 421
    assert client(host="my.server").get("/", headers={"host": "my.server"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": HERE}, 200),
        ({}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_pages_of_others_cannot_ask(headers, status):
    run = Told("one", echo)
    sent = {"content-type": "application/json"} | headers
    found = client(run).post("/answer", content=json.dumps(QUESTION), headers=sent)
    assert found.status_code == status
    assert len(run.asked) == (status == 200)


def test_nothing_else_is_there():
    asked = client()
    assert asked.get("/../../etc/passwd").status_code == 404
    assert asked.get("/answer").status_code == 405
    assert asked.put("/answer", json=QUESTION).status_code == 405
    assert asked.post("/", json={}).status_code == 405
    assert asked.get("/docs").json() == {"error": "there is nothing here but / and /answer"}


NONSENSE = {
    "nothing": b"",
    "no JSON": b"{",
    "bytes": bytes(range(256)),
    "deep": b"[" * 100_000,
    "a list": b"[]",
    "a number": b"1",
    "no texts": b'{"group": 0}',
    "another type": b'{"group": "0", "texts": ["a"]}',
    "a truth value": b'{"group": true, "texts": ["a"]}',
    "negative": b'{"group": -1, "texts": ["a"]}',
    "no such group": b'{"group": 7, "texts": ["a"]}',
    "huge": b'{"group": 1' + b"0" * 5000 + b', "texts": ["a"]}',
    "infinite": b'{"group": 0, "texts": ["a"], "beam": Infinity}',
    "a wide beam": b'{"group": 0, "texts": ["a"], "beam": 1000}',
    "more keys": b'{"group": 0, "texts": ["a"], "x": 1}',
    "no text": b'{"group": 0, "texts": [1]}',
    "half a character": b'{"group": 0, "texts": ["\\ud800"]}',
    "no kind of change": b'{"group": 0, "texts": ["a"], "links": {"columns": [], "changes": [{"row": 0, "column": 0, '
    b'"kind": "x"}]}}',
    "no such run": b'{"group": 0, "texts": ["a"], "beginning": {"run": 9, "ids": [1]}}',
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_gets_one_line_and_the_server_goes_on(body):
    run = Told("one", echo)
    asked = client(run)
    found = asked.post("/answer", content=body, headers={"content-type": "application/json"})
    assert found.status_code == 400
    assert "\n" not in found.json()["error"]
    assert run.asked == []
    assert asked.post("/answer", json=QUESTION).status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_ten_megabytes_are_not_read(chunked):
    body = (b"a" * 10_000 for _ in range(1000)) if chunked else b"a" * 10_000_000
    asked = client()
    found = asked.post("/answer", content=body, headers={"content-type": "application/json"})
    assert found.status_code == 413
    assert str(MOST_BYTES) in found.json()["error"]
    assert asked.get("/").status_code == 200


def test_a_signal_is_heard_when_the_server_has_ended():
    """In order: its socket is closed by then, and questions that are being answered are not waited for."""
    place, gate = listening("127.0.0.1", 0), threading.Event()
    app = playground(Told("one", lambda question, number: gate.wait(30)))
    url = f"{address(place, '127.0.0.1')}answer"

    def ask_and_kill():
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
        with suppress(httpx2.HTTPError):
            httpx2.post(url, json=QUESTION, timeout=30)

    asking = threading.Thread(target=ask_and_kill)
    asking.start()
    try:
        with pytest.raises(Interrupted), LISTENER.listening():
            serve(app, place)
        assert place.fileno() == -1
    finally:
        gate.set()
        asking.join()
        place.close()


def test_a_run_that_fails_leaves_the_others_their_word(capsys):
    def broken(question, number):
        raise RuntimeError("a bug")

    def wrong(question, number):
        raise DataError("nothing shows in it")

    runs = (
        client(Told("one", broken), Told("two", wrong), Told("three", echo))
        .post("/answer", json=QUESTION)
        .json()["runs"]
    )
    assert runs[0] == {"error": "one failed (RuntimeError); the terminal of attnlab play says more"}
    assert runs[1] == {"error": "nothing shows in it"}
    assert runs[2]["text"] == "the cat sees"
    assert "a bug" in capsys.readouterr().err


def test_users_at_once_get_each_their_own_answer_and_a_run_is_asked_one_thing_at_a_time():
    run, found = Told("one", echo, seconds=0.02), {}
    asked = client(run)

    def ask(text):
        found[text] = asked.post("/answer", json={"group": 0, "texts": [text]}).json()["runs"][0]["text"]

    threads = [threading.Thread(target=ask, args=(f"text {n}",)) for n in range(WAITING)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {f"text {n}": f"text {n}" for n in range(WAITING)}
    assert run.overlaps == 0


def test_who_comes_when_too_many_wait_is_told_so():
    gate, entered = threading.Event(), threading.Semaphore(0)

    def waits(question, number):
        entered.release()
        gate.wait(10)
        return echo(question, number)

    runs = [Told(f"run {number}", waits, Kind("prediction", (f"text {number}",))) for number in range(WAITING)]
    asked = client(*runs)  # each of its own group: they do not wait for one another
    ask = [partial(asked.post, "/answer", json={"group": n, "texts": ["a"]}) for n in range(WAITING)]
    threads = [threading.Thread(target=one) for one in ask]
    try:
        for thread in threads:
            thread.start()
        for _ in threads:
            assert entered.acquire(timeout=10)
        found = ask[0]()
        assert found.status_code == 503
        assert "ask again" in found.json()["error"]
    finally:
        gate.set()
        for thread in threads:
            thread.join()
    assert ask[0]().status_code == 200
