"""A perplexity is a factor better or worse: its intervals and tests are of its logarithm, none reaches below zero."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from texts import references

from attnlab.analysis.comparing import Settings, compare, make_tester
from attnlab.analysis.documents import markdown
from attnlab.analysis.exports import write_files
from attnlab.analysis.finding import find_runs
from attnlab.analysis.groups import Configuration
from attnlab.analysis.report.page import write_report
from attnlab.analysis.rows import Measurements
from attnlab.analysis.runs import read_run
from attnlab.metrics.quantities.ppl import PERPLEXITY

TARGETS = {"test": references(40)}
QUICK = Settings(metric="ppl", tests=("seeds", "ar"), resamples=100)


def run(write_run: Any, name: str, seed: int, loss: float) -> Any:
    """A run with this mean loss, of items that differ."""
    noise = np.random.default_rng(seed).normal(size=40)
    losses = (5 * (loss + noise - noise.mean())).tolist()
    perplexity = math.exp(loss) if loss < 700 else None
    extra = {"loss": losses, "target_tokens": [5] * 40}
    return read_run(
        write_run(f"{name}{seed}", name, seed, targets=TARGETS, extra=extra, metrics={"test/ppl": perplexity})
    )


def configuration(write_run: Any, name: str, *losses: float) -> Configuration:
    return Configuration(name, tuple(run(write_run, name, seed, loss) for seed, loss in enumerate(losses)))


def test_intervals_are_of_the_logarithm(write_run: Any) -> None:
    """Seeds that differ by a factor of 30: on the numbers themselves the interval would reach far below zero."""
    losses = [1.0, 2.0, 4.4]
    item = configuration(write_run, "a", *losses)
    measurements = Measurements(PERPLEXITY, [item], "test", 200, 1)
    found = measurements.estimate(item, 0.05)
    assert found is not None
    assert found.values == pytest.approx([math.exp(loss) for loss in losses])
    assert found.mean == pytest.approx(stats.gmean(found.values))
    assert found.std == pytest.approx(np.std(found.values, ddof=1))
    reach = stats.t.ppf(0.975, 2) * stats.sem(losses)
    assert (found.low, found.high) == pytest.approx(
        (np.exp(np.mean(losses) - reach), np.exp(np.mean(losses) + reach)), rel=0.1
    )
    assert found.low is not None
    assert found.low > 0
    assert np.mean(found.values) - stats.t.ppf(0.975, 2) * stats.sem(found.values) < 0


def test_a_difference_is_a_ratio(write_run: Any) -> None:
    a, b = configuration(write_run, "a", 1.0, 1.1, 1.2), configuration(write_run, "b", 2.0, 2.1, 2.2)
    measurements = Measurements(PERPLEXITY, [a, b], "test", 200, 1)
    (pair,) = make_tester(measurements, QUICK).against(b, [a])
    assert pair.difference == pytest.approx(-1.0)
    assert pair.low < -1 < pair.high < 0
    assert pair.verdict.startswith(
        "a is better than b by a factor of 2.718 in perplexity (test over seeds and sentences, p "
    )
    assert pair.wins > 0.5
    assert [test.p_sacrebleu for test in pair.sentences] == [None] * 3
    assert all(test.p < 0.01 for test in pair.sentences)
    assert pair.effect == pytest.approx(-1 / 0.1 * (1 - 3 / 15))


def test_files_tell_the_ratio(write_run: Any, tmp_path: Path) -> None:
    configuration(write_run, "a", 1.0, 1.1)
    folder = configuration(write_run, "b", 2.0, 2.1).runs[0].folder.parent
    found = compare(find_runs(folder), QUICK._replace(baseline="b"), "x")
    write_files(found, tmp_path)
    head, line = (tmp_path / "significance.csv").read_text("utf-8").splitlines()[:2]
    told = dict(zip(head.split(","), line.split(","), strict=False))
    assert float(told["difference"]) == pytest.approx(-1)
    assert float(told["ratio"]) == pytest.approx(math.exp(-1))
    assert float(told["ratio_low"]) == pytest.approx(math.exp(float(told["low"])))
    assert "| ratio of perplexity |" in markdown(found)
    assert "× 0.368" in markdown(found)


def test_an_infinite_perplexity_is_no_trouble(write_run: Any, tmp_path: Path) -> None:
    """Above 709.78 nats a token no float holds it; its logarithm is as good as any."""
    configuration(write_run, "a", 1.0, 800.0, 2.0)
    folder = configuration(write_run, "b", 900.0, 900.0, 900.5).runs[0].folder.parent
    found = compare(find_runs(folder), QUICK._replace(baseline="a"), "x")
    first, last = (row.scores["ppl"] for row in found.rows["test"])
    assert [row.configuration for row in found.rows["test"]] == ["a", "b"]
    assert first.std is None
    assert first.values[1] == math.inf
    assert first.mean == pytest.approx(math.exp(803 / 3))
    assert (last.mean, last.std) == (math.inf, None)
    (pair,) = found.against_baseline
    assert pair.seeds is not None
    assert math.isfinite(pair.seeds.p)
    assert "nan" not in markdown(found)
    write_files(found, tmp_path)
    assert (
        json.loads((tmp_path / "comparison.json").read_text("utf-8"))["rows"]["test"][1]["scores"]["ppl"]["mean"]
        is None
    )
    assert write_report(found, tmp_path / "report.html")


def test_numbers_of_the_run_alone_have_the_same_scale(write_run: Any) -> None:
    """Where nothing is noted of items, the interval is over seeds, and of the logarithm too."""
    runs = [read_run(write_run(str(seed), "a", seed, metrics={"test/ppl": math.exp(3.0 * seed)})) for seed in (1, 2, 3)]
    item = Configuration("a", tuple(runs))
    found = Measurements(PERPLEXITY, [item], "test", 100, 1).estimate(item, 0.05)
    assert found is not None
    assert found.over == "seeds"
    assert found.mean == pytest.approx(math.exp(6))
    reach = stats.t.ppf(0.975, 2) * 3 / math.sqrt(3)
    assert (found.low, found.high) == pytest.approx((math.exp(6 - reach), math.exp(6 + reach)))
