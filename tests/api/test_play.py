"""The playground with real runs: what it says is what the other ways of asking say; links, beginnings, nonsense."""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from base64 import b64decode

import numpy as np
import pytest
from starlette.testclient import TestClient

import attnlab
from attnlab.cli.playing.play import address, listening, playground
from attnlab.cli.playing.settings import Settings
from attnlab.errors import ConfigError

SENTENCE = "he can close the window ."
SMALL = ["trainer=smoke", "logger=none", "model.embedding_dim=8", "data.ngrams=null"]
NOUNS = ["dog", "cat", "man", "bird"]


@pytest.fixture(scope="module")
def pairs(root):
    """Runs of entailment and relatedness."""
    rows = [
        f"the old {noun} runs {number}\tthe {noun} runs\t{'yes' if number % 2 else 'no'}\t{1 + number % 4}"
        for number in range(20)
        for noun in NOUNS
    ]
    (root / "pairs.tsv").write_text("\n".join(["sentence1\tsentence2\tgold_label\tscore", *rows]), "utf-8")
    data = ["dataset=pairs", f"dataset.train={root}/pairs.tsv"]
    small = [*SMALL, "model.hidden_dim=8"]
    return [
        attnlab.train([*data, *small, "attention=luong_dot"]),
        attnlab.train([*data, *small, "model=word_by_word", "attention=bahdanau", "encoder.hidden_dim=4"]),
    ]


@pytest.fixture(scope="module")
def documents(root):
    rows = [
        json.dumps({"label": label, "sentences": [f"a {label} film {number} .", "the end of it ."]})
        for number in range(30)
        for label in ("good", "bad")
    ]
    (root / "documents.jsonl").write_text("\n".join(rows), "utf-8")
    data = ["dataset=documents", f"dataset.train={root}/documents.jsonl", "tokenizer.min_frequency=1"]
    return attnlab.train([*data, *SMALL, "encoder.hidden_dim=4", "sentence_encoder.hidden_dim=4"])


@pytest.fixture(scope="module")
def asked(run, transformer, classifier, pairs, documents):
    """Of all of them a client, and the numbers of the groups."""
    runs = [run, transformer, classifier, *pairs, documents]
    app = playground([one.folder for one in runs], Settings(tokens=30))
    return TestClient(app, "http://127.0.0.1:8421")


def answer(asked, group, *texts, status=200, **more):
    found = asked.post("/answer", json={"group": group, "texts": list(texts), **more})
    assert found.status_code == status
    return found.json() if status == 200 else found.json()["error"]


TRANSLATIONS, TEXTS, PAIRS, DOCUMENTS = range(4)


def weights(view, name="attention"):
    look = view["item"]["looks"][name]
    shape = look["layers"], look["heads"], len(look["rows"]), len(look["columns"])
    return np.frombuffer(b64decode(look["weights"]), "<f4").reshape(shape)


def test_runs_are_grouped_by_what_they_are_asked(asked):
    page = asked.get("/").text
    told = json.loads(page.partition('id="told">')[2].partition("</script>")[0])
    assert [group["fields"] for group in told["groups"]] == [
        ["sentence"], ["text"], ["premise", "hypothesis"], ["document"],
    ]  # fmt: skip
    assert [len(group["runs"]) for group in told["groups"]] == [2, 1, 2, 1]
    assert all(all(group["example"]) for group in told["groups"])
    assert told["groups"][TRANSLATIONS]["languages"] == ["en", "de"]


def test_translations_are_those_of_the_command(asked, run, transformer):
    found = answer(asked, TRANSLATIONS, SENTENCE, beam=4)["runs"]
    for one, said in zip((run, transformer), found, strict=True):
        (expected,) = one.translations([SENTENCE], ["search=beam", "search.beam=4"], nbest=4)
        (view,) = said["views"]
        assert view["output"] == expected[0].text
        assert [item["score"] for item in view["candidates"]] == pytest.approx([item.score for item in expected])
        for item in view["candidates"]:
            assert sum(item["steps"]) == pytest.approx(item["log_prob"], abs=1e-4)
        seen = one.attend(SENTENCE, expected[0].text, ["search=beam", "search.beam=4"])
        heads = seen.weights[None, None] if seen.heads is None else seen.heads
        if view["candidates"][0]["ended"]:
            assert weights(view) == pytest.approx(heads, abs=1e-5)
        for step in view["steps"]:
            assert step["log_probs"] == sorted(step["log_probs"], reverse=True)
            assert sum(map(math.exp, step["log_probs"])) <= 1.0001
    assert "own source" in found[1]["views"][0]["item"]["looks"]


def test_translations_begin_as_they_are_told(asked, run):
    free = answer(asked, TRANSLATIONS, SENTENCE)["runs"][0]["views"][0]
    words = [step["ids"][1] for step in free["steps"][:2]]  # the second likeliest
    found = answer(asked, TRANSLATIONS, SENTENCE, beginning={"run": 0, "ids": words})
    for said in found["runs"]:
        assert all(one["text"].startswith(found["beginning"]) for one in said["views"][0]["candidates"])
    assert found["runs"][0]["views"][0]["candidates"][0]["ids"][:2] == words
    assert found["runs"][0]["held"] == 2
    again = answer(asked, TRANSLATIONS, SENTENCE, beginning={"text": "zzz"})["runs"][0]
    assert "does not know zzz" in again["note"]
    assert "vocabulary" in answer(asked, TRANSLATIONS, SENTENCE, beginning={"run": 0, "ids": [99999]}, status=400)
    wrong = answer(asked, TRANSLATIONS, SENTENCE, beginning={"run": 0, "ids": [3, 3]})["runs"][0]
    assert "prefixes[0]: has </s>" in wrong["error"]


@pytest.mark.parametrize("number", [0, 1])
def test_links_of_translations_are_changed_and_everything_is_told_before_and_after(asked, number):
    words = answer(asked, TRANSLATIONS, SENTENCE)["runs"][number]["words"]
    changes = [
        {"row": None, "column": 0, "kind": "forbid"},
        {"row": 1, "column": 2, "kind": "force"},
    ]
    said = answer(asked, TRANSLATIONS, SENTENCE, links={"columns": words, "changes": changes})["runs"][number]
    before, after = said["views"]
    assert "behind" not in before
    changed = weights(after)
    assert (changed[..., 0] == 0).all()
    assert (changed[..., 1, 2] == 1).all()
    assert (weights(before)[..., 0] > 0).all()
    assert [len(step["of"]) for step in after["behind"]] == [len(step["ids"]) for step in before["steps"]]
    moved = [
        abs(math.exp(now) - math.exp(then))
        for step, told in zip(before["steps"], after["behind"], strict=True)
        for then, now in zip(step["log_probs"], told["of"], strict=True)
    ]
    assert max(moved) > 0
    assert answer(asked, TRANSLATIONS, SENTENCE)["runs"][number]["views"] == [before]  # as if nothing had been
    other = answer(asked, TRANSLATIONS, SENTENCE, links={"columns": ["x"], "changes": changes})["runs"][number]
    assert len(other["views"]) == 1
    assert "reads other pieces" in other["note"]


def test_classes_are_those_of_the_command_and_change_with_the_words_that_are_looked_at(asked, classifier):
    text = "good film nice"
    (expected,) = classifier.predict([text])
    (said,) = answer(asked, TEXTS, text)["runs"]
    assert said["views"][0]["classes"] == pytest.approx(expected.probabilities)
    assert weights(said["views"][0])[0, 0] == pytest.approx(expected.weights, abs=1e-6)
    assert said["unknown"] == ["nice"]
    changes = [{"row": None, "column": 0, "kind": "force"}]
    after = answer(asked, TEXTS, text, links={"columns": said["words"], "changes": changes})["runs"][0]["views"][1]
    assert weights(after)[0, 0, 0].tolist() == [1, 0, 0]
    assert after["classes"] != said["views"][0]["classes"]
    every = [{"row": None, "column": column, "kind": "forbid"} for column in range(3)]
    wrong = answer(asked, TEXTS, text, links={"columns": said["words"], "changes": every})["runs"][0]
    assert wrong == {"error": "links: every word is forbidden; leave one that can be looked at"}


def test_pairs_are_read_part_by_part_and_links_of_one_way_are_changed(asked, pairs):
    sides = "the old dog runs", "{ the dog runs"
    found = answer(asked, PAIRS, *sides)["runs"]
    for one, said in zip(pairs, found, strict=True):
        (expected,) = one.predict([json.dumps(dict(zip(("premise", "hypothesis"), sides, strict=True)))])
        view = said["views"][0]
        assert view["classes"] == pytest.approx(expected.probabilities)
        assert weights(view)[0, 0] == pytest.approx(expected.pair.weights, abs=1e-6)
        changes = [
            {"row": 1, "column": 0, "kind": "force"},
            {"row": None, "column": 2, "kind": "forbid"},
        ]
        after = answer(asked, PAIRS, *sides, links={"columns": said["words"], "changes": changes})
        changed = weights(after["runs"][found.index(said)]["views"][1])[0, 0]
        assert changed[1].tolist() == [1, 0, 0, 0]
        assert (changed[:, 2] == 0).all()
        assert changed.sum(1) == pytest.approx(1, abs=1e-5)
        if view["item"]["looks"].get("back") and one is pairs[0]:  # it looks first, at what it looked at before
            back = after["runs"][0]["views"][1]
            assert weights(back, "back") == pytest.approx(weights(view, "back"), abs=1e-6)


def test_words_of_a_document_are_forbidden_within_their_sentence(asked):
    text = "A good film. The end of it."
    (said,) = answer(asked, DOCUMENTS, text)["runs"]
    view, words = said["views"][0], said["words"]
    assert view["item"]["sentences"] == [4, 5]
    changes = [{"row": None, "column": 1, "kind": "forbid"}, {"row": None, "column": 6, "kind": "force"}]
    after = answer(asked, DOCUMENTS, text, links={"columns": words, "changes": changes})["runs"][0]["views"][1]
    before, changed = weights(view)[0, 0, 0], weights(after)[0, 0, 0]
    kept = [0, 2, 3]
    assert changed[1] == 0
    assert changed[kept] == pytest.approx(before[kept] / before[kept].sum(), abs=1e-5)
    assert changed[4:].tolist() == [0, 0, 1, 0, 0]
    every = [{"row": None, "column": column, "kind": "forbid"} for column in range(4)]
    wrong = answer(asked, DOCUMENTS, text, links={"columns": words, "changes": every})["runs"][0]
    assert "every word of a sentence is forbidden" in wrong["error"]


STRANGE = {
    "empty": "",
    "blanks": " \t\n ",
    "unseen": "\u200b\u200d\ufeff",
    "control": "a\x07b\x1b[31mc",
    "nul": "a\0b",
    "emoji": "👩‍👩‍👧 🏳️‍🌈 é̱̃",
    "arabic": "القطة ترى الكلب",
    "hebrew marks": "\u202eabc\u202c שלום",
    "unknown": "zyx wvu",
    "markup": "<script>alert(1)</script> &amp; \"'`${x}",
    "brace": "{",
    "json": '{"premise": 1}',
    "long word": "a" * 9000,
    "many words": "the " * 500,
    "too many characters": "a" * 20_000,
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
def test_any_text_gets_an_answer_or_one_line(asked, text, capsys):
    for group, fields in ((TRANSLATIONS, 1), (TEXTS, 1), (PAIRS, 2), (DOCUMENTS, 1)):
        for said in answer(asked, group, *[text] * fields, beam=2)["runs"]:
            assert ("error" in said) != ("views" in said)
            assert "\n" not in said.get("error", "")
            assert "terminal" not in said.get("error", "")
    assert capsys.readouterr().err == ""


@pytest.mark.long
def test_two_users_at_once_get_what_each_would_get_alone(asked):
    words = answer(asked, TRANSLATIONS, SENTENCE)["runs"][0]["words"]
    forced = {"columns": words, "changes": [{"row": None, "column": 3, "kind": "force"}]}
    questions = [{}, {"links": forced}, {"beam": 2}, {"links": forced, "beam": 2}]
    alone = [answer(asked, TRANSLATIONS, SENTENCE, **question) for question in questions]
    found = {}

    def ask(n):
        found[n] = answer(asked, TRANSLATIONS, SENTENCE, **questions[n % 4])

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[n] for n in range(8)] == alone * 2


def test_tables_and_strangers_are_refused_by_name(root, tmp_path):
    rows = [f"{n},{50 + 10 * math.sin(n)}" for n in range(120)]
    (root / "sales.csv").write_text("\n".join(["when,sales", *rows]), "utf-8")
    data = ["dataset=csv_series", f"dataset.file={root}/sales.csv", "dataset.targets=[sales]", "dataset.horizon=2"]
    sizes = [
        "dataset.season=6",
        "dataset.periods=[6]",
        "dataset.val_size=20",
        "dataset.test_size=20",
        "data.lookback=8",
    ]
    made = attnlab.train(["trainer=smoke", "logger=none", *data, *sizes, "callbacks.attention_maps=null"])
    with pytest.raises(ConfigError, match=f"{made.folder.name} reads tables.*attnlab predict"):
        playground([made.folder], Settings())


def test_a_port_that_is_taken_is_told_before_anything_is_loaded():
    place = listening("127.0.0.1", 0)
    try:
        port = place.getsockname()[1]
        assert address(place, "127.0.0.1") == f"http://127.0.0.1:{port}/"
        with pytest.raises(ConfigError, match=f"port={port}: Address already in use; take another port"):
            attnlab.play("no/such/run", port=port)
    finally:
        place.close()
    with pytest.raises(ConfigError, match="is no address of this machine"):
        listening("no such host", 0)


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.long
def test_a_signal_ends_it(run, signum, code):
    command = [sys.executable, "-m", "attnlab", "play", f"runs={run.folder}", "port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ) as played:
        where = played.stdout.readline().split()[1]
        with urllib.request.urlopen(where) as page:
            assert b"Playground" in page.read()
        played.send_signal(signum)
        output, errors = played.communicate(timeout=60)
    assert played.returncode == code
    assert errors.splitlines()[-1] == f"interrupted by {signal.Signals(signum).name}"
    assert "Traceback" not in errors
    assert output == ""
