"""What ``metrics.json`` says of itself is read as it was written, and what cannot be is told."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from attnlab.errors import DataError
from attnlab.metrics import registry
from attnlab.metrics.quantities.bleu import BLEU
from attnlab.metrics.quantities.costs import PARAMETERS, SECONDS, training_speed
from attnlab.metrics.quantities.loss import LOSS
from attnlab.metrics.quantities.ppl import PERPLEXITY
from attnlab.metrics.quantity import Plain, Summed
from attnlab.runs import legacy
from attnlab.runs.schema import KEYS, contents, described
from attnlab.runs.words import Words


@dataclass(frozen=True, kw_only=True)
class Share(Summed):
    """A share of the items, of those with at least so much weight."""

    least: float = 0.0

    def count(self, record: Any) -> Any:
        return float(record["right"] and record["weight"] >= self.least), 1.0

    def close(self, sums: Any) -> Any:
        return 100 * sums[..., 0] / sums[..., 1]


SHARE = Share(name="share", title="right", better="higher", unit="%", least=0.25)


WORDS = Words(item="page", items="pages")


def written(*quantities: Any, **changes: Any) -> dict[str, Any]:
    told = described("reading", "pages", "val/share", ["test", "dev"], {"input": "page"}, WORDS, quantities)
    return json.loads(json.dumps(told)) | changes


@pytest.fixture
def share(monkeypatch: pytest.MonkeyPatch) -> Share:
    monkeypatch.setattr(registry, "_registered", {})
    registry.register("pages", replace(SHARE, least=0.0))
    return SHARE


def test_what_was_written_is_read(share: Share) -> None:
    loss = replace(LOSS, unit="nats/page", units="", title="log loss", column=True)
    lowercase = replace(BLEU, lowercase=True)
    quantities = (share, loss, PERPLEXITY, lowercase, SECONDS, PARAMETERS, training_speed("pages"))
    told = written(*quantities)
    assert tuple(told) == KEYS
    found = contents(told)
    assert (found.task, found.unit, found.monitor, found.splits) == ("reading", "pages", "val/share", ("test", "dev"))
    assert found.record == {"input": "page"}
    assert found.words == WORDS
    assert list(found.quantities.values()) == list(quantities)
    assert list(found.quantities)[-3:] == ["train/seconds", "params", "train/pages_per_second"]
    assert found.signatures == {"bleu": lowercase.signature}
    assert found.missing == {}
    assert told["quantities"]["share"]["package"] == "pages"


def test_what_nobody_here_can_count_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})
    registry.register("pages", SHARE)
    told = written(SHARE, BLEU)
    monkeypatch.setattr(registry, "_registered", {})
    found = contents(told)
    assert found.missing == {"share": "pages"}
    known = found.quantities["share"]
    assert type(known) is Plain
    assert (known.title, known.better, known.unit, known.digits, known.scale) == ("right", "higher", "%", 2, "linear")
    assert list(found.quantities) == ["share", "bleu"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema": 3}, "schema is 3, and this version reads 2"),
        ({"splits": "test"}, "splits is 'test'"),
        ({"splits": [1]}, "splits is"),
        ({"task": None}, "task is 'None'"),
        ({"record": {"input": 1}}, "record is"),
        ({"record": {"foo": "a"}}, "record is"),
        ({"words": {"items": 1}}, "words is"),
        ({"words": {"itmes": "pages"}}, "words is"),
        ({"words": None}, "words is"),
        ({"quantities": []}, "quantities is"),
        ({"quantities": {"bleu": {"better": "lower"}}}, "better of bleu is 'lower', and 'higher' in the code here"),
        ({"quantities": {"bleu": {"scale": "log"}}}, "scale of bleu is 'log'"),
        ({"quantities": {"bleu": {"digits": "2"}}}, "bleu has digits '2'"),
        ({"quantities": {"bleu": {"digits": -1}}}, "digits is -1"),
        ({"quantities": {"bleu": {"settings": 3}}}, "settings 3"),
        ({"quantities": {"loss": {"settings": {"units": 3}}}}, "loss has units 3"),
        ({"quantities": {"other": {"title": "x"}}}, "higher or lower as better"),
        ({"quantities": {"other": {"title": 1, "better": "lower"}}}, "expected a title"),
        ({"quantities": {"other": {"better": "more"}}}, "expected a title, and higher or lower as better"),
        ({"quantities": {"a/b/c": {"better": "lower"}}}, "expected a name of letters"),
        ({"quantities": {"other": {"better": "lower", "name": "third"}}}, "other describes third"),
    ],
)
def test_what_cannot_be(change: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=told):
        contents(written(BLEU, LOSS) | change)


def test_a_folder_of_version_0_1_0() -> None:
    metrics = {"val/bleu": 3.0, "test/bleu": 2.0, "test_long/bleu": 1.0, "test/ppl": 4.0, "bleu_signature": "nrefs:1|…"}
    found = contents(metrics)
    assert (found.task, found.unit, found.splits) == ("translation", "target tokens", ("test", "test_long"))
    assert list(found.quantities)[:6] == ["bleu", "chrf", "ter", "ppl", "aer", "loss"]
    assert found.record == {"input": "source", "reference": "reference", "output": "hypothesis"}
    assert found.words == Words(**legacy.WORDS)
    assert found.signatures == {"bleu": "nrefs:1|…"}
    assert found.missing == {}


def test_a_folder_that_says_no_words_is_of_translations() -> None:
    told = written(BLEU)
    del told["words"]
    assert contents(told).words.both == "seeds and sentences"
    assert contents(told | {"words": {"items": "pages"}}).words == Words(items="pages")
    assert (Words(item="page").an_item, Words().an_item) == ("a page", "an item")
