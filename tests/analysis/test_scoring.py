"""Closed forms for many resamples at once are those of sacreBLEU and of scalar loops."""

import math
import random
from typing import Any

import numpy as np
import pytest
from texts import SIGNATURE, corrupted, references

from attnlab.analysis.runs import read_run
from attnlab.analysis.scoring import Scorer, text_settings
from attnlab.analysis.statistics import bootstrap
from attnlab.errors import DataError

TEXT = ("bleu", "chrf", "ter")


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.95, 1.0])
def test_sums_close_as_in_sacrebleu(name: str, share: float) -> None:
    """Of corpora of every size down to one sentence: orders without a match, and without an n-gram, included."""
    scorer, draw = Scorer(name, SIGNATURE), random.Random(1)
    assert scorer.metric is not None
    targets = [*references(30), "kurz", "", "zwei Wörter"]
    outputs = [*corrupted(targets[:30], share, 2), "kurz", "etwas", ""]
    rows = np.array(scorer.metric._extract_corpus_statistics(outputs, [targets]), dtype=np.float64)
    for size in (1, 1, 1, 2, 3, 10, 40):
        for _ in range(20):
            chosen = draw.choices(range(len(rows)), k=size)
            expected = scorer.metric._compute_score_from_stats(rows[chosen].sum(0).tolist()).score
            assert scorer.close(rows[chosen].sum(0)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_perplexity_and_aer(write_run: Any) -> None:
    losses, tokens = [1.5 + n for n in range(40)], [2 + n % 5 for n in range(40)]
    links = [[n % 3, n % 4, 5, 6] for n in range(40)]
    run = read_run(write_run("a", extra={"loss": losses, "target_tokens": tokens, "links": links}))
    for name in ("ppl", "aer"):
        scorer = Scorer(name, SIGNATURE)
        rows = scorer.rows(run, "test")
        assert rows is not None
        chosen = [0, 0, 3, 39]
        if name == "ppl":
            expected = math.exp(sum(losses[n] for n in chosen) / sum(tokens[n] for n in chosen))
        else:
            expected = 1 - sum(links[n][0] + links[n][1] for n in chosen) / (4 * 11)
        assert scorer.close(rows[chosen].sum(0)) == pytest.approx(expected)


def test_what_was_not_recorded_is_none(write_run: Any) -> None:
    run = read_run(write_run("a", counted=False, extra={"loss": [1.0] * 39 + [None], "target_tokens": [1] * 40}))
    assert Scorer("ppl", SIGNATURE).rows(run, "test") is None
    assert Scorer("aer", SIGNATURE).rows(run, "test") is None
    assert Scorer("ter", SIGNATURE, recount=False).rows(run, "test") is None
    again = Scorer("ter", SIGNATURE).rows(run, "test")
    assert again is not None
    assert Scorer("ter", SIGNATURE).close(again.sum(0)) == pytest.approx(run.metric("test/ter"))


def test_sentence_bleu_is_add_one(write_run: Any) -> None:
    """Lin and Och (2004), by hand: 3 of 4 words, 1 of 3 pairs, no triple of 2, no four of 1."""
    row = np.array([[4, 4, 3, 1, 0, 0, 4, 3, 2, 1]], dtype=np.float64)
    expected = 100 * (3 / 4 * (1 + 1) / (3 + 1) * 1 / (2 + 1) * 1 / (1 + 1)) ** 0.25
    assert Scorer("bleu", SIGNATURE).sentence_scores(row)[0] == pytest.approx(expected)


def test_settings_of_a_signature() -> None:
    assert text_settings(SIGNATURE) == (False, "13a")
    assert text_settings(SIGNATURE.replace("mixed", "lc").replace("13a", "zh")) == (True, "zh")
    assert text_settings(SIGNATURE.replace("13a", "ja-mecab-0.996-IPA")) == (False, "ja-mecab")
    with pytest.raises(DataError, match="expected this laboratory's, with nrefs:1"):
        text_settings(SIGNATURE.replace("nrefs:1", "nrefs:2"))


def test_resamples_are_bags_of_sentences() -> None:
    """Every run on the same sentences; the moments of drawing with replacement."""
    scorer = Scorer("ter", SIGNATURE)
    edits = np.arange(50.0)
    rows = [np.stack([edits, np.full(50, 100.0)], axis=1), np.stack([2 * edits, np.full(50, 100.0)], axis=1)]
    drawn = bootstrap(scorer, rows, 20_000, seed=1)
    assert drawn.shape == (20_000, 2)
    np.testing.assert_allclose(drawn[:, 1], 2 * drawn[:, 0])  # TER is linear here
    assert drawn[:, 0].mean() == pytest.approx(edits.mean(), rel=0.005)
    assert drawn[:, 0].std() == pytest.approx(edits.std() / math.sqrt(50), rel=0.02)
    np.testing.assert_array_equal(drawn[:500], bootstrap(scorer, rows, 500, seed=1))
