"""Closed forms for many resamples at once are those of sacreBLEU, of torchmetrics and of scalar loops."""

import math
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import sacrebleu
import torch
from scipy.stats import spearmanr
from torchmetrics.text import Perplexity as TorchPerplexity

from attnlab.errors import DataError
from attnlab.metrics.quantities.aer import AER
from attnlab.metrics.quantities.bleu import BLEU
from attnlab.metrics.quantities.calibration_error import CALIBRATION_ERROR
from attnlab.metrics.quantities.chrf import CHRF
from attnlab.metrics.quantities.coverage_error import COVERAGE_ERROR
from attnlab.metrics.quantities.loss import LOSS
from attnlab.metrics.quantities.macro_f1 import MACRO_F1
from attnlab.metrics.quantities.pearson import PEARSON
from attnlab.metrics.quantities.ppl import PERPLEXITY
from attnlab.metrics.quantities.ter import TER
from attnlab.metrics.quantity import Counted, OfItems
from attnlab.metrics.registry import known
from attnlab.metrics.text_scores import TextScore, text_settings

SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"
WORDS = ["der", "die", "das", "Hund", "Katze", "Haus", "sieht", "hört", "nicht", "heute", "alte", "kleine", "mit"]
TEXT = {BLEU: sacrebleu.BLEU, CHRF: sacrebleu.CHRF, TER: sacrebleu.TER}


@dataclass(frozen=True, kw_only=True)
class RankCorrelation(OfItems):
    """What is no function of a sum."""

    def count(self, record: Any) -> Any:
        return record["x"], record["y"]

    def close(self, rows: Any) -> float:
        return float(spearmanr(rows[:, 0], rows[:, 1]).statistic)


SPEARMAN = RankCorrelation(name="spearman", title="rank correlation", better="higher")


def texts(share: float) -> tuple[list[str], list[str]]:
    draw = random.Random(1)
    targets = [" ".join(draw.choices(WORDS, k=draw.randint(3, 14))) + "." for _ in range(30)]
    outputs = [" ".join(draw.choice(WORDS) if draw.random() < share else w for w in t.split()) for t in targets]
    return [*outputs, "kurz", "etwas", ""], [*targets, "kurz", "", "zwei Wörter"]


@pytest.mark.parametrize("quantity", TEXT, ids=lambda quantity: quantity.name)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.95, 1.0])
def test_sums_close_as_in_sacrebleu(quantity: TextScore, share: float) -> None:
    """Of corpora of every size down to one sentence: orders without a match, and without an n-gram, included."""
    outputs, targets = texts(share)
    records = [{"hypothesis": a, "reference": b} for a, b in zip(outputs, targets, strict=True)]
    assert quantity.rows(records) is None
    rows, draw = quantity.rows(records, recount=True), random.Random(2)
    assert rows is not None
    assert rows.shape == (33, quantity.columns)
    noted = [{"counts": {quantity.name: row.astype(int).tolist()}} for row in rows]
    np.testing.assert_array_equal(quantity.rows(noted), rows)
    for size in (1, 1, 1, 2, 3, 10, 40):
        for _ in range(10):
            chosen = draw.choices(range(len(rows)), k=size)
            picked = [outputs[n] for n in chosen], [[targets[n] for n in chosen]]
            expected = TEXT[quantity](**({"force": True} if quantity is BLEU else {})).corpus_score(*picked).score
            assert quantity.score(rows[chosen]) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_loss_and_perplexity() -> None:
    draw = np.random.default_rng(0)
    logits, target = torch.randn(12, 9, 7, dtype=torch.float64), torch.randint(7, (12, 9))
    lengths = draw.integers(1, 9, 12)
    for row, length in enumerate(lengths):
        target[row, length:] = -1
    losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), target, ignore_index=-1, reduction="none").sum(1)
    records = [{"loss": a, "target_tokens": int(b)} for a, b in zip(losses.tolist(), lengths, strict=True)]
    theirs = TorchPerplexity(ignore_index=-1)
    theirs.update(logits, target)
    rows = PERPLEXITY.rows(records)
    assert rows is not None
    assert PERPLEXITY.score(rows) == pytest.approx(float(theirs.compute()), rel=1e-6)
    assert LOSS.score(rows) == PERPLEXITY.score_on_scale(rows) == pytest.approx(math.log(PERPLEXITY.score(rows)))
    assert PERPLEXITY.item_scores(rows).tolist() == pytest.approx(
        [math.exp(item["loss"] / item["target_tokens"]) for item in records]
    )


def test_a_perplexity_that_no_float_holds_is_known_on_its_scale() -> None:
    rows = np.array([[8000.0, 10.0], [1.0, 1.0]])
    assert PERPLEXITY.score(rows[:1]) == math.inf
    assert PERPLEXITY.score_on_scale(rows[:1]) == 800
    assert PERPLEXITY.close(rows).tolist() == [math.inf, pytest.approx(math.e)]


def test_alignment_errors() -> None:
    links = [[n % 3, n % 4, 5, 6] for n in range(40)]
    rows = AER.rows([{"links": row} for row in links])
    assert rows is not None
    for chosen in ([0, 0, 3, 39], [7], list(range(40))):
        both, everything = sum(links[n][0] + links[n][1] for n in chosen), 11 * len(chosen)
        assert AER.score(rows[chosen]) == pytest.approx(1 - both / everything)


def test_sentence_bleu_is_add_one() -> None:
    """Lin and Och (2004), by hand: 3 of 4 words, 1 of 3 pairs, no triple of 2, no four of 1."""
    row = np.array([[4, 4, 3, 1, 0, 0, 4, 3, 2, 1]], dtype=np.float64)
    expected = 100 * (3 / 4 * (1 + 1) / (3 + 1) * 1 / (2 + 1) * 1 / (1 + 1)) ** 0.25
    assert BLEU.item_scores(row)[0] == pytest.approx(expected)


@pytest.mark.parametrize("quantity", [q for q in known().values() if isinstance(q, Counted)] + [SPEARMAN], ids=str)
def test_resamples_and_exchanges_are_those_of_a_loop(quantity: Counted) -> None:
    draw = np.random.default_rng(3)
    wide = {BLEU: 10, CHRF: 18, TER: 2, AER: 4, MACRO_F1: 6, CALIBRATION_ERROR: 16, COVERAGE_ERROR: 3, PEARSON: 6}
    columns = wide.get(quantity, 2)
    a, b = (draw.integers(1, 9, (12, columns)).astype(np.float64) for _ in range(2))
    drawn, swapped = draw.integers(12, size=(5, 12)), draw.random((5, 12)) < 0.5
    found = quantity.scores([a, b], drawn)
    assert found.shape == (5, 2)
    first, second = quantity.exchanged(a, b, swapped)
    for number in range(5):
        for side, rows in enumerate((a, b)):
            picked = np.array([rows[item] for item in drawn[number]])
            assert found[number, side] == pytest.approx(quantity.score_on_scale(picked))
        ours = np.array([b[item] if swapped[number, item] else a[item] for item in range(12)])
        theirs = np.array([a[item] if swapped[number, item] else b[item] for item in range(12)])
        assert first[number] == pytest.approx(quantity.score_on_scale(ours))
        assert second[number] == pytest.approx(quantity.score_on_scale(theirs))


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_a_scale_goes_there_and_back(scale: Any) -> None:
    quantity = RankCorrelation(name="x", title="x", better="lower", scale=scale)
    values = np.array([0.5, 2.0, 300.0])
    expected = [math.log(value) if scale == "log" else value for value in values.tolist()]
    assert quantity.to_scale(values).tolist() == pytest.approx(expected)
    assert quantity.from_scale(quantity.to_scale(values)).tolist() == pytest.approx(values.tolist())


def test_what_was_not_noted_is_none() -> None:
    assert PERPLEXITY.rows([{"loss": 1.0, "target_tokens": 2}, {"loss": None, "target_tokens": 2}]) is None
    assert AER.rows([{"links": None}], recount=True) is None
    assert BLEU.rows([{"counts": None}], recount=True) is None
    assert BLEU.rows([]) is None


@pytest.mark.parametrize(
    ("quantity", "record"),
    [
        (BLEU, {"counts": {"bleu": [1, 2, 3]}}),
        (BLEU, {"counts": {"bleu": 3}}),
        (LOSS, {"loss": math.nan, "target_tokens": 3}),
        (LOSS, {"loss": "a", "target_tokens": 3}),
        (AER, {"links": 3}),
    ],
)
def test_counts_that_cannot_be(quantity: Counted, record: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"bleu|loss|links"):
        quantity.rows([record])


def test_settings_of_a_signature() -> None:
    assert text_settings(SIGNATURE) == (False, "13a")
    assert text_settings(SIGNATURE.replace("mixed", "lc").replace("13a", "zh")) == (True, "zh")
    assert text_settings(SIGNATURE.replace("13a", "ja-mecab-0.996-IPA")) == (False, "ja-mecab")
    with pytest.raises(DataError, match="expected this laboratory's, with nrefs:1"):
        text_settings(SIGNATURE.replace("nrefs:1", "nrefs:2"))
    again = BLEU.of_run({"bleu_signature": SIGNATURE.replace("mixed", "lc")})
    assert again.lowercase
    assert again.signature.startswith("nrefs:1|case:lc|eff:no|tok:13a|smooth:exp")
