"""From run folders to a comparison, and to its files."""

import csv
import json
import re
import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from rich.console import Console
from texts import corrupted, references

from attnlab.analysis.comparing import Settings, choose, compare
from attnlab.analysis.comparison import Comparison
from attnlab.analysis.documents import latex, markdown, results
from attnlab.analysis.exports import write_files
from attnlab.analysis.finding import default_output, find_runs
from attnlab.analysis.report.tables import quality
from attnlab.analysis.rows import Measurements
from attnlab.analysis.terminal import show
from attnlab.errors import ConfigError, DataError
from attnlab.metrics.quantities.bleu import BLEU
from attnlab.metrics.quantities.explanation import TAU_GRADIENT

TARGETS = {"test": references(60), "test_long": references(40, 1)}
SHARES = {"none": 0.5, "luong_dot": 0.2, "bahdanau": 0.22}
QUICK = Settings(tests=("seeds",), resamples=100)
Compare = Callable[..., Comparison]


def output(share: float, seed: int) -> dict[str, list[str]]:
    return {split: corrupted(lines, share, seed) for split, lines in TARGETS.items()}


@pytest.fixture
def sweep(write_run: Any) -> Path:
    """Three configurations, two seeds."""
    for place, (attention, share) in enumerate(SHARES.items()):
        for seed in (1, 2):
            lines = output(share, seed + 10 * place)
            folder = write_run(f"{2 * place + seed}_x", attention, seed, outputs=lines, targets=TARGETS)
    return folder.parent


@pytest.fixture
def compared(sweep: Path) -> Compare:
    def run(runs: Any = None, **settings: Any) -> Comparison:
        return compare(find_runs(runs or sweep), QUICK._replace(**settings), "python compare.py runs=x")

    return run


def test_rows_pairs_and_breakdowns(compared: Compare, sweep: Path) -> None:
    found = compared(split="test_long", tests=("seeds", "ar"))
    assert found.folder == sweep
    assert found.splits == ("test_long", "test")
    assert found.baseline == "none"
    assert [row.configuration for row in found.rows["test"]][2] == "none"
    runs = {item.name: item.runs for item in found.configurations}
    for split, rows in found.rows.items():
        means = [row.scores["bleu"].mean for row in rows]
        assert means == sorted(means, reverse=True)
        for row in rows:
            for name in ("bleu", "chrf", "ter"):
                estimate = row.scores[name]
                assert estimate.values == pytest.approx([r.metric(f"{split}/{name}") for r in runs[row.configuration]])
                assert estimate.low is not None
                assert estimate.high is not None
                assert estimate.low < estimate.mean < estimate.high
                assert estimate.over == "seeds and sentences"
            assert row.costs["train/seconds"].mean == 15.0
    assert found.rows["test"][0].scores["ppl"].over == "seeds"  # the lines have no losses
    assert found.rows["test"][0].costs["<split>/sentences_per_second"].mean == 50.0
    assert "<split>/sentences_per_second" not in found.rows["test_long"][0].costs
    assert {(pair.a, pair.b) for pair in found.against_baseline} == {("luong_dot", "none"), ("bahdanau", "none")}
    assert len(found.all_pairs) == 3
    assert found.by_length is not None
    assert found.by_length.splits == ("test_long", "test")
    assert found.by_frequency is None
    assert set(found.signatures) == {"bleu", "bleu ar"}
    (first, _) = found.contrasts
    gains = [item.score_a - item.score_b for item in first.better]
    assert gains == sorted(gains, reverse=True)
    assert min(gains) > 0
    item = first.run_a.items("test_long")[first.better[0].number]
    assert (item.input, item.output) == (first.better[0].source, first.better[0].hypothesis_a)


def test_only_against_another_baseline(compared: Compare) -> None:
    found = compared(baseline="bahdanau", all_pairs=False, metric="ter", tests=("seeds",))
    assert {(pair.a, pair.b) for pair in found.against_baseline} == {("luong_dot", "bahdanau"), ("none", "bahdanau")}
    assert found.all_pairs == ()
    means = [row.scores["ter"].mean for row in found.rows["test"]]
    assert means == sorted(means)


def test_a_run_alone(compared: Compare, sweep: Path) -> None:
    found = compared(sweep / "1_x")
    assert found.against_baseline == found.all_pairs == found.contrasts == ()
    assert found.rows["test"][0].scores["bleu"].over == "sentences"
    assert any(note.startswith("One seed only: none.") for note in found.notes)
    assert markdown(found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": {**TARGETS, "test": references(61)}}, r"other test set: test has 60 sentences in .* and 61 in"),
        ({"targets": {**TARGETS, "test": references(60, 9)}}, r"other test set: line 1 of test has the source"),
        ({"metrics": {"bleu_signature": "nrefs:1|case:lc|eff:no|tok:13a|smooth:exp|version:2.6.0"}}, "case:lc"),
        ({"targets": {"test_long": TARGETS["test_long"]}}, "split=test: .* was not tested on it, but on test_long"),
    ],
    ids=["size", "sentences", "signature", "split"],
)
def test_what_does_not_compare_is_refused(
    compared: Compare, sweep: Path, write_run: Any, change: dict[str, Any], message: str
) -> None:
    write_run("9_x", config={"dataset": {"seed": 7}}, **{"targets": TARGETS, **change})
    with pytest.raises(DataError, match=message):
        compared()


def test_other_references_and_why(compared: Compare, sweep: Path, write_run: Any) -> None:
    folder = write_run("9_x", targets=TARGETS, config={"dataset": {"target": "b"}})
    lines = [json.loads(line) for line in (folder / "test.jsonl").read_text("utf-8").splitlines()]
    lines[3]["reference"] = "etwas anderes"
    (folder / "test.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n", "utf-8")
    with pytest.raises(DataError, match=r"other references: line 4 of test .*\(dataset.target=None and b\)"):
        compared()


def test_settings_that_cannot_be(compared: Compare) -> None:
    for wrong in ({"level": 5.0}, {"resamples": 3}, {"seed": 0}, {"metric": "aer"}, {"baseline": "luong"}):
        (name,) = wrong
        with pytest.raises(ConfigError, match=f"{name}="):
            compared(**wrong)


def test_baselines_are_meant_by_their_words(compared: Compare) -> None:
    configurations = compared().configurations
    measurements = Measurements(BLEU, configurations, "test", 100, 1)
    assert choose("luong_dot", configurations, measurements).name == "luong_dot"
    renamed = [item.__class__(f"{item.name} decoder=x", item.runs) for item in configurations]
    assert choose("none", renamed, measurements).name == "none decoder=x"
    with pytest.raises(ConfigError, match="several configurations are meant"):
        choose("decoder=x", renamed, measurements)


def test_a_baseline_has_what_is_tested(sweep: Path, compared: Compare, write_run: Any) -> None:
    """One without attention has no AER: by default it is no baseline, and it cannot be made one."""
    for folder in sweep.iterdir():
        attention = yaml.safe_load((folder / ".hydra" / "hydra.yaml").read_text("utf-8"))["hydra"]["runtime"]["choices"]
        lines = [json.loads(line) for line in (folder / "test.jsonl").read_text("utf-8").splitlines()]
        if attention["attention"] != "none":
            lines = [line | {"links": [1, 2, 4 + n % 2, 5]} for n, line in enumerate(lines)]
        (folder / "test.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    found = compared(metric="aer", tests=("seeds", "ar"))
    assert found.baseline != "none"
    assert {(pair.a, pair.b) for pair in found.all_pairs} <= {("luong_dot", "bahdanau"), ("bahdanau", "luong_dot")}
    assert "none has no AER on test: it is in no test." in found.notes
    assert "nan" not in markdown(found)
    with pytest.raises(ConfigError, match=r"=none: it has no AER on test.*one of 'luong_dot', 'bahdanau'"):
        compared(metric="aer", baseline="none")


def test_what_is_defined_of_no_item_is_not_there(sweep: Path, compared: Compare) -> None:
    """Weights that are all alike rank nothing: such a run has no tau, and its draws do not spoil those of others."""
    for number, folder in enumerate(sorted(sweep.iterdir())):
        lines = [json.loads(line) for line in (folder / "test.jsonl").read_text("utf-8").splitlines()]
        taus = [None if number < 2 or n % 3 == 0 else n % 5 / 5 for n in range(len(lines))]
        lines = [line | {"measures": {"tau_gradient": tau}} for line, tau in zip(lines, taus, strict=True)]
        (folder / "test.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    configurations = compared().configurations
    measurements = Measurements(TAU_GRADIENT, configurations, "test", resamples=50, seed=1)
    without, *others = sorted(configurations, key=lambda item: item.name != "none")
    assert without.name == "none"
    assert not any(map(measurements.has, without.runs))
    assert measurements.estimate(without, 0.05) is None
    for item in others:
        assert all(map(measurements.has, item.runs))
        drawn = measurements.resampled(item)
        assert drawn is not None
        assert np.isfinite(drawn).all()


def test_a_run_that_lacks_what_is_tested(sweep: Path, compared: Compare) -> None:
    """A perplexity that was infinite stands as null: the other seed is compared, and it is told."""
    path = sweep / "3_x" / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"test/ppl": None}), "utf-8")
    found = compared(metric="ppl")
    (note,) = [note for note in found.notes if "has no perplexity on test" in note]
    assert note == "luong_dot has no perplexity on test of 3_x: tests are of its other runs."
    pair = next(pair for pair in found.all_pairs if "luong_dot" in (pair.a, pair.b))
    assert pair.seeds is None


@pytest.mark.parametrize(
    ("metric", "title"), [("loss", "loss"), ("params", "parameters"), ("train/seconds", "training")]
)
def test_any_number_that_runs_have_can_be_tested(sweep: Path, compared: Compare, metric: str, title: str) -> None:
    for number, folder in enumerate(sorted(sweep.iterdir())):
        path = folder / "metrics.json"
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"test/loss": 2.0 + number / 10}), "utf-8")
    found = compared(metric=metric, tests=("seeds", "ar"))
    assert found.quantity.title == title
    assert [row.scores[metric].mean for row in found.rows["test"]] == sorted(
        row.scores[metric].mean for row in found.rows["test"]
    )
    assert f"There is no paired test of outputs for {title} here; it is tested over seeds." in found.notes
    assert all(pair.seeds and not pair.sentences for pair in found.all_pairs)


def test_a_metric_that_no_run_has(compared: Compare) -> None:
    with pytest.raises(ConfigError, match=r"metric=blue: no run has it; did you mean bleu\? there is bleu, chrf, ter"):
        compared(metric="blue")


def test_notes_say_what_is_unequal(compared: Compare, sweep: Path, write_run: Any) -> None:
    write_run("8_x", "luong_dot", 3, targets=TARGETS, outputs=output(0.2, 33), metrics={"device": "H100"})
    (write_run("9_x", targets=TARGETS) / "metrics.json").unlink()
    found = compared()
    assert any("9_x: not finished, it has no metrics.json" in note for note in found.notes)
    assert found.unequal == (
        "Not alike but for attention: seeds 2 (none, bahdanau), 3 (luong_dot).",
        "Not alike: device (cpu, H100). Do not compare seconds, speeds and memory.",
    )


def test_files(compared: Compare, tmp_path: Path) -> None:
    found = compared(tests=("seeds", "bs"))
    written = write_files(found, tmp_path / "new" / "comparison")
    assert [path.name for path in written] == [
        "scores.csv", "significance.csv", "outputs.csv", "breakdowns.csv", "comparison.json", "comparison.md",
        "comparison.tex",
    ]  # fmt: skip
    tables = {path.stem: list(csv.DictReader(path.read_text("utf-8").splitlines())) for path in written[:4]}
    assert len(tables["scores"]) == 6
    first = tables["scores"][0]
    assert float(first["bleu"]) == found.rows["test"][0].scores["bleu"].mean
    assert float(first["train/seconds_std"]) == pytest.approx(7.0710678)
    assert [row["family"] for row in tables["significance"]] == ["baseline"] * 2 + ["all"] * 3
    assert float(tables["significance"][0]["p_holm"]) == found.against_baseline[0].seeds.p_holm  # type: ignore[union-attr]
    assert len(tables["outputs"]) == 10  # five pairs, two seeds, one kind of test
    assert len(tables["breakdowns"]) == 3 * len(found.by_length.bins)
    content = json.loads((written[0].parent / "comparison.json").read_text("utf-8"), parse_constant=pytest.fail)
    assert content["baseline"] == "none"
    assert content["configurations"][0]["runs"][0]["seed"] == 1
    assert content["against_baseline"][0]["seeds"]["p"] == found.against_baseline[0].seeds.p  # type: ignore[union-attr]


def test_default_output_is_in_the_sweep_and_of_several_places_in_none_of_them(sweep: Path, tmp_path: Path) -> None:
    beside = sweep / "comparison"
    assert default_output(find_runs(sweep), tmp_path) == beside
    two = [sweep / "1_x", sweep / "2_x"]
    assert default_output(find_runs(two), tmp_path).parent == tmp_path / "comparisons"  # of a folder that nobody named
    (sweep / "command.json").write_text("{}", "utf-8")
    assert default_output(find_runs(two), tmp_path) == beside  # jobs of one multirun
    other = sweep.with_name("2026-11-25_10-00-00")
    shutil.copytree(sweep / "1_x", other / "1_x")
    for several in ([sweep, other], sweep.parent, [*two, other / "1_x"]):
        found = find_runs(several)
        place = default_output(found, tmp_path)
        assert place.parent == tmp_path / "comparisons"
        place.mkdir(parents=True)
        assert default_output(found, tmp_path) not in (place, sweep.parent / "comparison")


def test_markdown_and_terminal_show_the_numbers(compared: Compare) -> None:
    found = compared()
    best = found.rows["test"][0]
    number = f"**{best.scores['bleu'].mean:.2f} ± {best.scores['bleu'].std:.2f}**"
    text = markdown(found)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert any(line.startswith(f"| {best.configuration.replace('_', chr(92) + '_')} | 2 | {number}") for line in rows)
    assert {line.count("|") - line.count("\\|") for line in rows[:4]} == {rows[0].count("|")}
    assert "- `attention`: `none` (none)" in text
    console = Console(record=True, width=200, file=StringIO())
    show(found, console)
    shown = console.export_text()
    assert f"{best.scores['bleu'].mean:.2f} ± {best.scores['bleu'].std:.2f}" in shown
    for pair in found.against_baseline:
        assert pair.verdict[:60] in shown


def test_no_name_and_no_number_is_cut(compared: Compare, sweep: Path) -> None:
    """Whatever the width: the words of names and the numbers of cells stand whole, in lines that fit."""
    for folder in sorted(sweep.iterdir()):
        path = folder / ".hydra" / "overrides.yaml"
        path.write_text(path.read_text("utf-8") + "- encoder.hidden_dim=512\n", "utf-8")
        config = yaml.safe_load((folder / ".hydra" / "config.yaml").read_text("utf-8"))
        config["encoder"] = {"hidden_dim": 512 if folder.name < "5" else 1024}
        (folder / ".hydra" / "config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    found = compared(tests=("seeds", "ar"), all_pairs=False)
    for width in (40, 60, 80, 200):
        console = Console(width=width, file=StringIO(), force_terminal=True, color_system=None)
        show(found, console)
        text = console.file.getvalue()  # type: ignore[attr-defined]
        assert max(map(len, text.splitlines())) <= width
        words = set(re.split(r"[\s│┃]+", text))
        for table in results(found):
            for line in table.lines:
                assert set(line.head.split()) <= words
                assert all(set(f"{cell.text} {cell.detail}".split()) <= words for cell in line.cells)
    plain = Console(width=80, file=StringIO())
    show(found, plain)  # a file: a sentence a line
    assert f"• {found.against_baseline[0].verdict}" in " ".join(plain.file.getvalue().split())  # type: ignore[attr-defined]


def test_columns_are_chosen(compared: Compare) -> None:
    found = compared(columns=("train/seconds", "ter", "bleu"))
    assert [column.title for column in quality(found, "test").columns] == ["configuration", "seeds", "TER", "BLEU"]
    assert [table.name for table in results(found)] == ["quality-test", "quality-test_long", "cost"]
    assert "chrf" in found.rows["test"][0].scores  # files of numbers have all
    assert "chrF" not in markdown(found) + latex(found) + str(found)
    assert [table.name for table in results(compared(columns=("params",)))] == ["cost"]
    with pytest.raises(ConfigError, match=r"columns=blue: no run has it; did you mean bleu\?"):
        compared(columns=("blue",))
    with pytest.raises(ConfigError, match="columns=\\[\\]: name one or more"):
        compared(columns=())


def test_latex_is_balanced_and_escaped(compared: Compare) -> None:
    text = latex(compared())
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 5
    body = re.sub(r"^%.*$", "", text, flags=re.MULTILINE)
    assert r"luong\_dot" in body
    assert not re.search(r"(?<!\\)[%#_]|[±−–<>](?!\$)", body.replace("$<$", "").replace("$>$", ""))
    for table in re.findall(r"\\begin{tabular}{(l\w+)}(.*?)\\end{tabular}", text, re.DOTALL):
        lines = [line for line in table[1].splitlines() if line.endswith(r"\\")]
        assert {len(re.findall(r"(?<!\\)&", line)) + 1 for line in lines} == {len(table[0])}
    depth = 0
    for character in re.sub(r"\\[{}]", "", text):
        depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert depth == 0


def test_a_trial_is_left_out_among_runs_proper(write_run: Any) -> None:
    proper = [write_run(f"{name}-{seed}", name, seed) for name in ("luong_dot", "none") for seed in (1, 2)]
    trial = write_run("trial", "luong_dot", 3)
    (trial / "finished.json").write_text('{"score": null, "trial": "limit_train_batches=2"}', "utf-8")
    found = find_runs(proper[0].parent)
    result = compare(found, QUICK, "compare")
    assert sum(len(configuration.runs) for configuration in result.configurations) == 4
    assert any(f"{trial} is a trial (limit_train_batches=2)" in line for line in result.notes)
    both = compare(find_runs([trial, write_trial(write_run)]), QUICK, "compare")  # trials by themselves are compared
    assert sum(len(configuration.runs) for configuration in both.configurations) == 2


def write_trial(write_run: Any) -> Path:
    folder = write_run("other trial", "none", 3)
    (folder / "finished.json").write_text('{"score": null, "trial": "limit_train_batches=2"}', "utf-8")
    return folder
